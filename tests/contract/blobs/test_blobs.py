"""What every place for blobs promises; the same suite on each."""

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from common.blobs.filesystem import FilesystemBlobs
from common.blobs.s3 import S3Blobs
from common.blobs.store import BlobMissing, BlobStore
from common.clock import new_id
from common.domain.errors import BlobsUnavailable
from tests.contract.blobs.conftest import S3Server

_WRONG = "wrong-secret"
_DATA = Random(7).randbytes(700_000)  # noqa: S311 - no secret
# More than one part of an upload in parts.
_LARGE = Random(8).randbytes(13_000_000)  # noqa: S311


def _key(ending: str = "") -> str:
    return f"{new_id().hex}/ab/{new_id().hex}{ending}"


def _put(blobs: BlobStore, data: bytes, ending: str = "") -> str:
    key = _key(ending)
    blobs.put(key, io.BytesIO(data))
    return key


def _soon() -> datetime:
    """Later than anything that was put."""
    return datetime.now(UTC) + timedelta(seconds=5)  # noqa: TID251 - the store's clock is real


@pytest.mark.parametrize("data", [b"", b"x", _DATA, _LARGE], ids=["empty", "byte", "some", "much"])
def test_what_was_put_is_read_back(blobs: BlobStore, data: bytes) -> None:
    key = _put(blobs, data)
    assert b"".join(blobs.read(key)) == data


def test_a_file_is_put_from_its_beginning(blobs: BlobStore) -> None:
    file, key = io.BytesIO(_DATA), _key()
    file.read(1000)
    blobs.put(key, file)
    assert b"".join(blobs.read(key)) == _DATA


def test_a_large_blob_comes_in_pieces(blobs: BlobStore) -> None:
    sizes = [len(piece) for piece in blobs.read(_put(blobs, _LARGE))]
    assert len(sizes) > 5
    assert max(sizes) < 3_000_000


@pytest.mark.parametrize(("start", "end"), [(0, 10), (5, None), (100, 400_000), (699_999, 700_000)])
def test_a_part_can_be_read(blobs: BlobStore, start: int, end: int | None) -> None:
    key = _put(blobs, _DATA)
    assert b"".join(blobs.read(key, start, end)) == _DATA[start:end]


def test_what_is_not_there_is_told_at_once(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        blobs.read(_key())
    with pytest.raises(BlobMissing):
        blobs.read(_key(), 5, 10)


def test_what_was_deleted_is_gone_and_may_be_deleted_again(blobs: BlobStore) -> None:
    key, other = _put(blobs, b"x"), _put(blobs, b"y")
    for _ in range(2):
        blobs.delete(key)
        with pytest.raises(BlobMissing):
            blobs.read(key)
    assert b"".join(blobs.read(other)) == b"y"


def test_old_blobs_are_listed(blobs: BlobStore) -> None:
    keys = {_put(blobs, b"x"), _put(blobs, b"y", ".thumbnail")}
    assert keys <= set(blobs.older_than(_soon()))
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    assert keys.isdisjoint(blobs.older_than(long_ago))


# --- the filesystem ----------------------------------------------------------------


class _Breaks(io.BytesIO):
    """A file whose reading fails in its middle."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 300_000:
            raise OSError("the disk is gone")
        return super().read(size)


def test_what_fails_in_its_middle_leaves_nothing(tmp_path: Path) -> None:
    blobs, key = FilesystemBlobs(tmp_path), _key()
    with pytest.raises(BlobsUnavailable):
        blobs.put(key, _Breaks(_DATA))
    with pytest.raises(BlobMissing):
        blobs.read(key)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_half_written_is_listed_as_old(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    half = tmp_path / "org" / "ab" / f"{new_id().hex}.part-1"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    os.utime(half, (1, 1))
    assert list(blobs.older_than(datetime(2026, 1, 1, tzinfo=UTC))) == [
        half.relative_to(tmp_path).as_posix()
    ]


def test_a_directory_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file in the way")
    with pytest.raises(BlobsUnavailable):
        FilesystemBlobs(tmp_path / "blobs").put(_key(), io.BytesIO(b"x"))


# --- S3 ----------------------------------------------------------------------------


def test_a_server_that_is_away_is_an_outage_and_what_was_put_outlasts_it(tmp_path: Path) -> None:
    server = S3Server(tmp_path)
    server.start()
    blobs = S3Blobs(server.bucket())
    key = _put(blobs, _DATA)
    server.stop()
    with pytest.raises(BlobsUnavailable):
        blobs.put(_key(), io.BytesIO(b"x"))
    with pytest.raises(BlobsUnavailable):
        blobs.read(key)
    with pytest.raises(BlobsUnavailable):
        list(blobs.older_than(_soon()))
    server.start()
    assert b"".join(blobs.read(key)) == _DATA
    server.stop()


def test_a_wrong_key_is_an_outage_that_names_no_secret(s3_server: S3Server) -> None:
    bucket = s3_server.bucket(secret_access_key=_WRONG)
    blobs = S3Blobs(bucket)
    with pytest.raises(BlobsUnavailable) as caught:
        blobs.put(_key(), io.BytesIO(b"x"))
    assert "secret" not in str(caught.value)
    assert _WRONG not in repr(bucket)

"""Blobs as objects of an S3-compatible store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from common.blobs.store import BlobMissing
from common.domain.errors import BlobsUnavailable

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

# What one upload holds in memory is the product of the two.
_PART_BYTES: Final = 5 * 1024 * 1024
_PARTS_AT_ONCE: Final = 2
_PIECE_BYTES: Final = 256 * 1024
_RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects are, and as whom they are reached.

    Attributes:
        endpoint_url: None for AWS's own.
        access_key_id: None to take what the machine itself is allowed to.
    """

    name: str
    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class S3Blobs:
    """One object a blob; a blob is there once its upload is complete."""

    def __init__(self, bucket: Bucket) -> None:
        given = {
            "endpoint": bucket.endpoint_url,
            "access_key_id": bucket.access_key_id,
            "secret_access_key": bucket.secret_access_key,
        }
        is_plain = (bucket.endpoint_url or "").startswith("http://")
        self._store = S3Store(
            bucket.name,
            region=bucket.region,
            virtual_hosted_style_request=False,
            client_options={"allow_http": is_plain},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
            **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
        )

    def put(self, key: str, file: IO[bytes]) -> None:
        file.seek(0)
        with _as_unavailable():
            obstore.put(
                self._store, key, file, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        options = _options(start, end)
        with _as_unavailable():
            try:
                found = obstore.get(self._store, key, options=options)
            except (NotFoundError, FileNotFoundError) as missing:
                raise BlobMissing(key) from missing
        return _pieces(found)

    def delete(self, key: str) -> None:
        with _as_unavailable():
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                return

    def older_than(self, moment: datetime) -> Iterator[str]:
        with _as_unavailable():
            for page in obstore.list(self._store):
                for each in page:
                    if each["last_modified"] < moment:
                        yield each["path"]


def _options(start: int, end: int | None) -> GetOptions:
    if end is not None:
        return {"range": (start, end)}
    return {"range": {"offset": start}} if start else {}


def _pieces(found: GetResult) -> Iterator[bytes]:
    with _as_unavailable():
        for piece in found.stream(min_chunk_size=_PIECE_BYTES):
            yield bytes(piece)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as failure:
        # The library's words name hosts and keys: they go to the log by class alone.
        raise BlobsUnavailable("Files cannot be stored or read just now; try again") from failure

"""Blobs as files below one directory, which all processes of a deployment share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from common.blobs.store import BlobMissing
from common.clock import new_id
from common.domain.errors import BlobsUnavailable

_PIECE_BYTES: Final = 256 * 1024
# What is being written; such a file that is old was left by a process that was killed.
_PART: Final = ".part-"


class FilesystemBlobs:
    """One file a blob; a blob is there once its file has its name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, file: IO[bytes]) -> None:
        target = self._root / key
        part = target.with_name(f"{target.name}{_PART}{new_id().hex}")
        with _as_unavailable():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                file.seek(0)
                with part.open("xb") as written:
                    shutil.copyfileobj(file, written, _PIECE_BYTES)
                    written.flush()
                    os.fsync(written.fileno())
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _sync_directory(target.parent)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        with _as_unavailable():
            try:
                opened = (self._root / key).open("rb")
            except FileNotFoundError as missing:
                raise BlobMissing(key) from missing
            opened.seek(start)
        return _pieces(opened, None if end is None else end - start)

    def delete(self, key: str) -> None:
        with _as_unavailable():
            (self._root / key).unlink(missing_ok=True)

    def older_than(self, moment: datetime) -> Iterator[str]:
        for directory, _, names in os.walk(self._root):
            for name in names:
                path = Path(directory, name)
                # One that is gone meanwhile is nobody's concern.
                with suppress(FileNotFoundError):
                    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    if changed < moment:
                        yield path.relative_to(self._root).as_posix()


def _pieces(opened: IO[bytes], count: int | None) -> Iterator[bytes]:
    with closing(opened):
        while count is None or count > 0:
            wanted = _PIECE_BYTES if count is None else min(_PIECE_BYTES, count)
            piece = opened.read(wanted)
            if not piece:
                return
            if count is not None:
                count -= len(piece)
            yield piece


def _sync_directory(directory: Path) -> None:
    """Make the name survive a loss of power too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise BlobsUnavailable("Files cannot be stored or read just now; try again") from failure

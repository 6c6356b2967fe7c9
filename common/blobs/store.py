"""What is asked of a place for blobs: immutable byte strings under keys of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Protocol


class BlobMissing(Exception):
    """There is nothing under the key."""


class BlobStore(Protocol):
    """May be shared between threads.

    A key is a relative path of letters, digits, dots and dashes, such as
    `019bb2c0a2007a11b200aabbccddeeff/ff/019bb2c0a3007a11b200aabbccddeeff`.
    """

    def put(self, key: str, file: IO[bytes]) -> None:
        """Keep the file's bytes under a new key: all of them or none, whatever happens.

        Raises:
            common.domain.errors.BlobsUnavailable: try again later.
        """
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `end`, in pieces; found to be there at once.

        Raises:
            BlobMissing: there is no such blob.
            common.domain.errors.BlobsUnavailable: try again later.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove a blob; nothing happens when there is none.

        Raises:
            common.domain.errors.BlobsUnavailable: try again later.
        """
        ...

    def older_than(self, moment: datetime) -> Iterator[str]:
        """Keys of all that was put before a time.

        What a killed process left half done is among them where the store shows it.

        Raises:
            common.domain.errors.BlobsUnavailable: try again later.
        """
        ...

"""The text being streamed in one session, once per process.  Pure.

Holds the newest text stream only, and of it the longest prefix that arrived without
a hole.  Every subscriber takes from here what it has not sent yet, so that several
chunks become one delta for whoever is slow, and `accumulated` is escaped once for all.
"""

from __future__ import annotations

from enum import Enum, auto

from api.streaming.sse import escaped
from common.domain.text import TEXT_LIMIT_BYTES


class Push(Enum):
    """What became of a chunk."""

    GREW = auto()
    KNOWN = auto()
    GAP = auto()


class TextBuffer:
    """UTF-8 text of the stream `opener`, 0 when there has been none.

    `opener` only grows: a newer stream supersedes all older ones.
    """

    def __init__(self) -> None:
        self.opener = 0
        self._is_released = False
        self._raw = bytearray()
        self._escaped = bytearray()
        self._escaped_through = 0

    @property
    def end(self) -> int:
        """How many bytes of the stream are here."""
        return len(self._raw)

    @property
    def is_open(self) -> bool:
        """Whether more text of the stream may come."""
        return self.opener > 0 and not self._is_released

    def follow(self, opener: int) -> bool:
        """Turn to this stream if it is newer; whether it was."""
        if opener <= self.opener:
            return False
        self.opener = opener
        self._is_released = False
        self._drop()
        return True

    def push(self, opener: int, start: int, text: bytes) -> Push:
        """Take a chunk: cut what overlaps, refuse what leaves a hole.

        `GAP` means that text between `end` and the chunk is missing: it is to be read
        from where all of it is kept.
        """
        if opener < self.opener:
            return Push.KNOWN
        self.follow(opener)
        if self._is_released:
            return Push.KNOWN
        if start > self.end:
            return Push.GAP
        if start + len(text) <= self.end or start + len(text) > TEXT_LIMIT_BYTES:
            return Push.KNOWN
        self._raw += text[self.end - start :]
        return Push.GREW

    def part(self, start: int, end: int) -> bytes:
        """A piece of the text, escaped as within a JSON string."""
        return escaped(bytes(self._raw[start:end]))

    def accumulated(self, end: int) -> bytes | None:
        """The text up to `end`, escaped; None when not all of it is here."""
        if end > self.end:
            return None
        if end < self.end:
            return self.part(0, end)
        if self._escaped_through < end:
            self._escaped += self.part(self._escaped_through, end)
            self._escaped_through = end
        return bytes(self._escaped)

    def release(self) -> None:
        """Forget the text of a stream that has ended; chunks of it are still refused."""
        self._is_released = True
        self._drop()

    def _drop(self) -> None:
        self._raw = bytearray()
        self._escaped = bytearray()
        self._escaped_through = 0

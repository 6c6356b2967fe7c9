"""Keeps what a provider sends within bounds: the SDKs read on for as long as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import httpx2

from worker.llm.driver import FailureReason, LLMFailure
from worker.llm.sizes import LONGEST_ANSWER, LONGEST_EVENT, MOST_LINES, too_large

_COMPRESSED: Final = "the answer came compressed, which was not asked for"
_EVENT_ENDS: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")
_LONGEST_END: Final = 4


def bound(response: httpx2.Response) -> None:
    """Make reading the response fail at the bounds; a client's hook for responses."""
    encoding = response.headers.get("content-encoding") or "identity"
    stream = response.stream
    if isinstance(stream, httpx2.SyncByteStream):
        response.stream = BoundedStream(stream, is_compressed=encoding.lower() != "identity")


class BoundedStream(httpx2.SyncByteStream):
    """A response's bytes, of which neither all nor one event is too much.

    They have to come as they are: nobody knows how much is in compressed ones.
    """

    def __init__(
        self,
        stream: httpx2.SyncByteStream,
        *,
        is_compressed: bool = False,
        longest_answer: int = LONGEST_ANSWER,
        longest_event: int = LONGEST_EVENT,
        most_lines: int = MOST_LINES,
    ) -> None:
        self._stream = stream
        self._is_compressed = is_compressed
        self._left = longest_answer
        self._longest_event = longest_event
        self._most_lines = most_lines
        self._event_bytes = self._event_lines = 0
        self._tail = b""

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come.

        Raises:
            LLMFailure: they are too many, or compressed.
        """
        if self._is_compressed:
            raise LLMFailure(FailureReason.UNAVAILABLE, _COMPRESSED)
        for chunk in self._stream:
            self._left -= len(chunk)
            self._measure(chunk)
            is_endless = self._event_bytes > self._longest_event
            if self._left < 0 or is_endless or self._event_lines > self._most_lines:
                raise too_large()
            yield chunk

    def close(self) -> None:
        """End the HTTP call."""
        self._stream.close()

    def _measure(self, chunk: bytes) -> None:
        """Count what there is of the newest event; its end may have come in two chunks."""
        seen = self._tail + chunk
        self._tail = seen[1 - _LONGEST_END :]
        end = max(seen.rfind(mark) + len(mark) if mark in seen else 0 for mark in _EVENT_ENDS)
        if end:
            self._event_bytes = self._event_lines = 0
            chunk = seen[end:]
        self._event_bytes += len(chunk)
        self._event_lines += chunk.count(b"\n") or chunk.count(b"\r")

"""The text of answers on its way to subscribers: first piece at once, then in batches.

Each stream's text so far is a string in Redis, pushed with its offset, so a push that is
repeated or missed does no harm.  One thread a process sends what all streams have
gathered since the last round, in one round trip.  Redis being away only delays: the
text stays here until the answer is complete.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self
from uuid import UUID

import structlog

from common.live import TextChunk

_log = structlog.get_logger()
# A frame is one message of the channel; longer text is sent in several.
_CHUNK_BYTES: Final = 256 * 1024


class TextStream:
    """One stream.  `add` is for the turn's thread; pushing may happen on any."""

    def __init__(self, session_id: UUID, opener: int) -> None:
        self.session_id = session_id
        self.opener = opener
        self.sending = threading.Lock()
        self._text = bytearray()
        self._sent = 0

    def add(self, text: str) -> None:
        """Take in more text."""
        self._text += text.encode()

    @property
    def is_fresh(self) -> bool:
        """Whether nothing was pushed yet."""
        return self._sent == 0

    def pending(self) -> TextChunk | None:
        """What has not been pushed, at most one chunk of it; None when all was."""
        end = min(len(self._text), self._sent + _CHUNK_BYTES)
        while end < len(self._text) and self._text[end] & 0xC0 == 0x80:  # noqa: PLR2004
            end -= 1  # inside a code point
        if end <= self._sent:
            return None
        return TextChunk(
            self.session_id, self.opener, self._sent, bytes(self._text[self._sent : end])
        )

    def pushed(self, chunk: TextChunk, length: int | None) -> None:
        """Note how a push went: None for well, else how many bytes Redis has."""
        if length is None:
            self._sent = chunk.start + len(chunk.text)
        else:
            self._sent = min(length, len(self._text))


class TextChannel(Protocol):
    """Where text is pushed to; `common.live.Live` is one."""

    def push_text(self, chunks: Sequence[TextChunk]) -> list[int | None] | None: ...


class TextStreams:
    """All open streams of a process, and the thread that sends their text."""

    def __init__(self, live: TextChannel, *, flush_seconds: float) -> None:
        self._live = live
        self._flush_seconds = flush_seconds
        self._open: dict[int, TextStream] = {}
        self._registry = threading.Lock()
        self._has_streams = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="text-flusher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._has_streams.set()

    def opened(self, session_id: UUID, opener: int) -> OpenText:
        """A stream that is sent from now on, until the block it is used in ends."""
        return OpenText(self, TextStream(session_id, opener))

    def register(self, stream: TextStream) -> None:
        with self._registry:
            self._open[id(stream)] = stream
        self._has_streams.set()

    def unregister(self, stream: TextStream) -> None:
        with self._registry:
            self._open.pop(id(stream), None)
            if not self._open:
                self._has_streams.clear()

    def push_now(self, stream: TextStream) -> None:
        """Send what the stream has, on this thread."""
        with stream.sending:
            self._push([stream])

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._has_streams.wait()
            self._stopped.wait(self._flush_seconds)
            with self._registry:
                streams = list(self._open.values())
            held = [stream for stream in streams if stream.sending.acquire(blocking=False)]
            try:
                self._push(held)
            # The thread's edge: text is only late without it, but for all turns here.
            except Exception as failure:  # noqa: BLE001
                _log.warning("text_push_failed", error=type(failure).__name__)
            finally:
                for stream in held:
                    stream.sending.release()

    def _push(self, streams: list[TextStream]) -> None:
        pairs = [(stream, chunk) for stream in streams if (chunk := stream.pending())]
        if not pairs:
            return
        lengths = self._live.push_text([chunk for _, chunk in pairs])
        if lengths is None:
            return
        for (stream, chunk), length in zip(pairs, lengths, strict=True):
            stream.pushed(chunk, length)


class OpenText:
    """A stream for the length of a `with` block; leaves its tail to who publishes next."""

    def __init__(self, streams: TextStreams, stream: TextStream) -> None:
        self._streams = streams
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave what was not sent to who asks for the tail."""
        self._streams.unregister(self._stream)

    def add(self, text: str) -> None:
        """Take in more text; the first piece is sent before this returns."""
        if not text:
            return
        self._stream.add(text)
        if self._stream.is_fresh:
            self._streams.push_now(self._stream)
            self._streams.register(self._stream)

    def tail(self) -> TextChunk | None:
        """What is still to be sent, once the block has ended."""
        with self._stream.sending:
            return self._stream.pending()

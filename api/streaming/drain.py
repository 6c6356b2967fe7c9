"""An orderly end: no new streams, a word to all open ones, and out within two seconds."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

# Clients come back spread over this time, not all at once.
_RETRY_MS: Final = (100, 3000)


class Closable(Protocol):
    """A stream that can be told to end."""

    def end(self, reason: str, *, retry_ms: int) -> None:
        """Close it, telling the client why and when to come back."""


class Drain:
    """Knows the open streams, and ends them when the process is told to stop.

    Attributes:
        has_begun: new streams are refused.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self._open: set[Closable] = set()

    @property
    def open_count(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def add(self, stream: Closable) -> None:
        """Take a stream in; one that opens too late is ended at once."""
        self._open.add(stream)
        if self.has_begun:
            self._end(stream)

    def discard(self, stream: Closable) -> None:
        """Forget a stream that has closed."""
        self._open.discard(stream)

    def begin(self) -> None:
        """End all streams."""
        self.has_begun = True
        for stream in self._open:
            self._end(stream)

    def _end(self, stream: Closable) -> None:
        retry_ms = random.randint(*_RETRY_MS)  # noqa: S311 - not a secret
        stream.end("server_maintenance", retry_ms=retry_ms)


def begin_on_sigterm(drain: Drain, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Drain first when SIGTERM comes, then do what was to be done; returns how to undo it.

    The server's own handler stops listening and then waits for streams, which would
    never end by themselves.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    undo = [_chain(number, drain, loop) for number in (signal.SIGTERM, signal.SIGINT)]

    def undo_all() -> None:
        for each in undo:
            each()

    return undo_all


def _chain(
    number: signal.Signals, drain: Drain, loop: asyncio.AbstractEventLoop
) -> Callable[[], None]:
    previous = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(drain.begin)
        if callable(previous):
            previous(received, frame)

    signal.signal(number, handle)

    def undo() -> None:
        signal.signal(number, previous)

    return undo

"""A client's socket that keeps its thread only for as long as the client keeps its pace.

Without this a client that sends or reads a byte now and then holds a thread for as long as it
likes.  For each way a request has some seconds of waiting to begin with and earns more by what
is moved, but never more than a pause's worth.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_MOST_PIECE: Final = 256 * 1024
_PARTING_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a client may be.

    Attributes:
        seconds: waited for a request's first bytes, and for an answer's to be taken.
        pause_seconds: the longest pause, however much was moved before it.
        bytes_per_second: what a client has to move in the long run.
    """

    seconds: float = 10.0
    pause_seconds: float = 30.0
    bytes_per_second: int = 8 * 1024


class TooSlow(ConnectionResetError):
    """The client does not keep the pace; to the server it is one that has gone."""


class PacedSocket(socket.socket):
    """Blocks as any socket does, within the pace.  One thread at a time uses it."""

    def __init__(self, pace: Pace, *, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._pace = pace
        self._receiving = self._sending = pace.seconds
        self._is_over = False

    @classmethod
    def take(cls, connection: socket.socket, pace: Pace) -> Self:
        """The same connection at a pace; the socket given is used no more."""
        timeout = connection.gettimeout()
        taken = cls(pace, fileno=connection.detach())
        taken.settimeout(timeout)
        return taken

    def begin(self) -> None:
        """Start to count anew: the next request."""
        self._is_over = False
        self._receiving = self._sending = self._pace.seconds

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As a socket's own.

        Raises:
            TooSlow: nothing came for too long.
        """
        if self._is_over:
            return b""
        if self.gettimeout() == 0:
            return super().recv(size, flags)
        receive: Callable[[int, int], bytes] = super().recv
        while True:
            try:
                data = receive(size, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._receiving -= self._waited(select.POLLIN, self._receiving)
            else:
                self._receiving = self._earned(self._receiving, len(data))
                return data

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """As a socket's own.

        Raises:
            TooSlow: nothing was taken for too long.
        """
        view = memoryview(data).cast("B")
        while view:
            try:
                sent = super().send(view[:_MOST_PIECE], flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._sending -= self._waited(select.POLLOUT, self._sending)
            else:
                self._sending = self._earned(self._sending, sent)
                view = view[sent:]

    def part(self) -> None:
        """Send no more and wait a moment for the client to leave; what it still says is lost.

        Closing at once, with something unread, could cost the client the end of its answer.
        """
        ends = time.monotonic() + _PARTING_SECONDS
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            while (left := ends - time.monotonic()) > 0:
                self.settimeout(left)
                if not self.recv(_MOST_PIECE):
                    break
        self._is_over = True

    def _waited(self, event: int, left: float) -> float:
        """Wait until the socket is ready; returns for how long."""
        own = self.gettimeout()
        limit = left if own is None else min(left, own)
        began = time.monotonic()
        poll = select.poll()
        poll.register(self, event)
        if limit <= 0 or not poll.poll(limit * 1000):
            if own is not None and own < left:
                raise TimeoutError(errno.ETIMEDOUT, "timed out")
            self._is_over = True
            raise TooSlow(errno.ECONNRESET, "the client is too slow")
        return time.monotonic() - began

    def _earned(self, left: float, moved: int) -> float:
        more = left + moved / self._pace.bytes_per_second
        return max(left, min(more, self._pace.pause_seconds))

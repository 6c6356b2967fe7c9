"""Write the parts of a stream to its client, unless that has stopped reading."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator
from http import HTTPStatus
from typing import Any, Final, Protocol

from api.streaming.responses import Headers, Message, Send, request_id_header
from api.streaming.sse import CONNECTED

_SEND_SECONDS: Final = 5.0

_HEADERS: Final[Headers] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]


class DirectLine(Protocol):
    """Takes parts of a body past the server, as long as none has to wait."""

    def write(self, data: bytes) -> bool:
        """Whether they were taken."""


class Stalled(Exception):
    """The client does not read; its connection is given up."""


class AtOnce:
    """Writes from outside the stream's task, as long as that has nothing to write itself.

    A task that is woken for a line of text costs more than the line.  A write that has to
    wait is begun here and left to the task.
    """

    __slots__ = ("_begun", "_line", "_send")

    def __init__(self, line: DirectLine, send: Send) -> None:
        self._line = line
        self._send = send
        self._begun: tuple[Generator[Any, Any, None], object] | None = None

    def write(self, data: bytes) -> bool:
        """Whether all is done; if not, `finish` is to be awaited before anything is written."""
        if self._line.write(data):
            return True
        sending = self._send(
            {"type": "http.response.body", "body": data, "more_body": True}
        ).__await__()
        try:
            self._begun = sending, next(sending)
        except StopIteration:
            return True
        return False

    async def finish(self) -> None:
        """Wait for a write that was begun.

        Raises:
            Stalled: the client has stopped reading.
        """
        if self._begun is not None:
            (sending, waits_for), self._begun = self._begun, None
            await _timed(sending, waits_for)


async def send_start(send: Send, headers: Headers) -> None:
    """Begin the stream, with the frame that says so."""
    await _bounded(
        send,
        {
            "type": "http.response.start",
            "status": int(HTTPStatus.OK),
            "headers": [*_HEADERS, *request_id_header(), *headers],
        },
    )
    await send_body(send, CONNECTED)


async def send_body(send: Send, data: bytes, *, more: bool = True) -> None:
    """Write frames; without `more` they are the last.

    Raises:
        Stalled: the client has stopped reading.
    """
    await _bounded(send, {"type": "http.response.body", "body": data, "more_body": more})


async def _bounded(send: Send, message: Message) -> None:
    """Send unless the client has stopped reading.

    The server keeps one buffer a connection and the kernel another; both are bounded,
    and a send waits once they are full.  What is in them is freed by TCP_USER_TIMEOUT.
    A send that need not wait, as nearly all, is not timed: the timer costs more than it.
    """
    sending = send(message).__await__()
    try:
        waits_for = next(sending)
    except StopIteration:
        return
    await _timed(sending, waits_for)


async def _timed(sending: Generator[Any, Any, None], waits_for: object) -> None:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await _finish(sending, waits_for)
    except TimeoutError as stalled:
        raise Stalled from stalled


@types.coroutine
def _finish(sending: Generator[Any, Any, None], waits_for: object) -> Generator[Any, Any, None]:
    """Go on with a send that was begun and waits; it is told when it is cancelled."""
    try:
        yield waits_for
    except BaseException as ended:  # noqa: BLE001 - passed on
        sending.throw(ended)
    yield from sending

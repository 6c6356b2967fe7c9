"""Write the parts of a stream to its client, unless that has stopped reading."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from api.streaming.responses import Headers, Message, Send, request_id_header
from api.streaming.sse import CONNECTED

_SEND_SECONDS: Final = 5.0

_HEADERS: Final[Headers] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]


class Stalled(Exception):
    """The client does not read; its connection is given up."""


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
    """
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await send(message)
    except TimeoutError as stalled:
        raise Stalled from stalled

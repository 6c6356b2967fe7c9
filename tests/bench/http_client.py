"""HTTP as cheaply as Python can: the load must not be what is measured.

One request at a time on a connection that is kept; times are the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self, cast

import orjson

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; `at` is when its last byte was here."""

    status: int
    body: bytes
    at: float

    def json(self) -> Any:
        return orjson.loads(self.body)


def request_bytes(method: str, path: str, body: object = None, **headers: str) -> bytes:
    """A request, made once and sent often."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _HEAD_END + content


class Connection(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        connection = cls(port)
        await connection._connect()
        return connection

    async def ask(self, request: bytes) -> Answer:
        """Send it and take the answer.  One at a time."""
        if self._transport is None or self._transport.is_closing():
            await self._connect()  # the server closes what was idle for long
        self._answer = asyncio.get_running_loop().create_future()
        cast(asyncio.Transport, self._transport).write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def _connect(self) -> None:
        self._buffer = b""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self._port)

    # --- asyncio.Protocol --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(_HEAD_END)
        if not found:
            return
        length = _content_length(head)
        if len(rest) >= length and self._answer is not None and not self._answer.done():
            answer = Answer(int(head[9:12]), rest[:length], time.monotonic())
            self._buffer = rest[length:]
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed by the server"))


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    place = lowered.find(_LENGTH)
    if place < 0:
        return 0
    return int(lowered[place + len(_LENGTH) :].split(b"\r\n", 1)[0])

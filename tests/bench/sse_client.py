"""Subscribers as cheap as Python can: one that reads frames, one that only counts them."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import Self, cast

from tests.bench.http_client import request_bytes

_HEAD_END = b"\r\n\r\n"
_STAMP = re.compile(rb"@(\d+)@")
_LONGEST_STAMP = 24

OnFrame = Callable[[bytes, bytes, float], None]


class _Open(asyncio.Protocol):
    """A stream that was asked for; `opened` when the server has begun to answer."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self.opened = asyncio.get_running_loop().create_future()
        self.is_lost = False

    @classmethod
    async def open(cls, port: int, protocol: Self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: protocol, "127.0.0.1", port)
        status = await asyncio.wait_for(protocol.opened, 60)
        if status != 200:
            raise ConnectionError(f"no stream: {status}")
        return protocol

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed by the server"))


class Reader(_Open):
    """Takes the chunked body apart and calls `on_frame(kind, data, at)` for each frame."""

    def __init__(self, request: bytes, on_frame: OnFrame) -> None:
        super().__init__(request)
        self._on_frame = on_frame
        self._raw = bytearray()
        self._text = bytearray()

    def data_received(self, data: bytes) -> None:
        at = time.monotonic()
        self._raw += data
        if not self.opened.done():
            place = self._raw.find(_HEAD_END)
            if place < 0:
                return
            self.opened.set_result(int(self._raw[9:12]))
            del self._raw[: place + len(_HEAD_END)]
        self._take_chunks()
        while (end := self._text.find(b"\n\n")) >= 0:
            frame = bytes(self._text[:end])
            del self._text[: end + 2]
            self._take(frame, at)

    def _take_chunks(self) -> None:
        while (line_end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:line_end], 16)
            end = line_end + 2 + size
            if len(self._raw) < end + 2:
                return
            self._text += self._raw[line_end + 2 : end]
            del self._raw[: end + 2]

    def _take(self, frame: bytes, at: float) -> None:
        kind = data = b""
        for line in frame.split(b"\n"):
            if line.startswith(b"event: "):
                kind = line[7:]
            elif line.startswith(b"data: "):
                data = line[6:]
        if kind:
            self._on_frame(kind, data, at)


class Arrivals:
    """How late each stamp was in milliseconds, whoever it came to."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._wanted = sys.maxsize
        self._reached = asyncio.Event()

    def add(self, late: list[float]) -> None:
        self.late += late
        if len(self.late) >= self._wanted:
            self._reached.set()

    async def until(self, number: int, *, seconds: float = 20.0) -> None:
        """Wait until so many have come.

        Raises:
            TimeoutError: they have not in that time.
        """
        if len(self.late) < number:
            self._wanted = number
            self._reached.clear()
            await asyncio.wait_for(self._reached.wait(), seconds)
            self._wanted = sys.maxsize


class Counter(_Open):
    """Notes how late each stamp is, and nothing else; a stamp is `@<monotonic ns>@`."""

    def __init__(self, request: bytes, arrivals: Arrivals) -> None:
        super().__init__(request)
        self._arrivals = arrivals
        self._carry = b""

    def data_received(self, data: bytes) -> None:
        at = time.monotonic_ns()
        if not self.opened.done():
            self.opened.set_result(int(data[9:12]))
        data = self._carry + data
        late, end = [], 0
        for found in _STAMP.finditer(data):
            late.append((at - int(found[1])) / 1e6)
            end = found.end()
        # A stamp may be cut in two.
        self._carry = data[max(end, len(data) - _LONGEST_STAMP) :]
        if late:
            self._arrivals.add(late)


def stream_request(session_id: str, **query: str) -> bytes:
    """A request for a session's stream."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return request_bytes("GET", f"/v1/sessions/{session_id}/sse?{asked}")

"""A client and an upstream that say exactly what they are told to, and a front between them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import h11

from dev.front import Front
from dev.services import free_test_port

_SECONDS = 5.0

Upstream = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Connection:
    """The client's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.http = h11.Connection(h11.CLIENT)

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def line(self) -> bytes:
        return await self.reader.readuntil(b"\n")

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        return await self.reader.read()


@asynccontextmanager
async def serving(
    api: Upstream | None = None, stream: Upstream | None = None
) -> AsyncIterator[Callable[[], Awaitable[Connection]]]:
    servers = []
    busy: set[asyncio.Event] = set()
    upstream_ports = [free_test_port(), free_test_port()]
    for upstream, port in zip((api, stream), upstream_ports, strict=True):
        if upstream is not None:
            handler = _closing(upstream, busy)
            servers.append(await asyncio.start_server(handler, "127.0.0.1", port))
    front = Front(api_port=upstream_ports[0], stream_port=upstream_ports[1])
    public = free_test_port()
    servers.append(await asyncio.start_server(front.serve, "127.0.0.1", public))
    opened: list[Connection] = []

    async def connect() -> Connection:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", public))
        opened.append(connection)
        return connection

    try:
        async with asyncio.timeout(_SECONDS):
            yield connect
    finally:
        for connection in opened:
            connection.writer.close()
        for server in servers:
            server.close()
        await front.cut_off()
        for ended in list(busy):
            await ended.wait()


def _closing(upstream: Upstream, busy: set[asyncio.Event]) -> Upstream:
    """Close the connection after the upstream, whatever became of that."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        busy.add(ended)
        try:
            await upstream(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the front may leave whenever it likes
        finally:
            writer.close()
            busy.discard(ended)
            ended.set()

    return closing


def answering(raw: bytes, seen: list[bytes] | None = None) -> Upstream:
    """An upstream that reads one request head and gives one fixed answer."""

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        writer.write(raw)
        await writer.drain()

    return upstream


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())

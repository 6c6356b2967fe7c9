"""What is not a short head that comes soon ends its connection; nothing of it is collected."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from api.streaming.bounded_http import MOST_BYTES, BoundedHttp

_HEAD = b"GET /x HTTP/1.1\r\nHost: a\r\n"


class Impatient(BoundedHttp):
    head_seconds = 0.3


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/open":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def _serving(made: list[BoundedHttp]) -> AsyncIterator[Connect]:
    config = uvicorn.Config(_app, http=Impatient, ws="none", log_config=None, access_log=False)
    config.load()
    state = ServerState()

    def make() -> BoundedHttp:
        made.append(Impatient(config, state, {}))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        return reader, writer

    try:
        async with asyncio.timeout(10):
            yield connect
    finally:
        for writer in opened:
            writer.close()
        server.close()


def _run(test: Callable[[Connect, list[BoundedHttp]], Awaitable[None]]) -> None:
    async def run() -> None:
        made: list[BoundedHttp] = []
        async with _serving(made) as connect:
            await test(connect, made)

    asyncio.run(run())


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def test_requests_on_one_connection_are_answered() -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        for _number in range(3):
            writer.write(_HEAD + b"\r\n")
            answer = await reader.readuntil(b"\r\n\r\nok")
            assert answer.startswith(b"HTTP/1.1 200 OK")

    _run(test)


def test_who_says_nothing_is_not_waited_for() -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, _writer = await connect()
        assert await _rest(reader) == b""

    _run(test)


@pytest.mark.parametrize("piece", [b"X-A: b\r\n", b"x", b"\r\n"])
@pytest.mark.parametrize("is_second", [False, True])
def test_a_head_that_drips_is_not_waited_for(piece: bytes, *, is_second: bool) -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        if is_second:
            writer.write(_HEAD + b"\r\n")
            await reader.readuntil(b"ok")
        if piece != b"\r\n":
            writer.write(_HEAD)
        ended = asyncio.create_task(_rest(reader))
        drops = 0
        while not ended.done():
            writer.write(piece)
            drops += 1
            await asyncio.wait([ended], timeout=0.02)
        assert 3 < drops < 100
        assert await ended == b""

    _run(test)


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",
        _HEAD + b"X-A: ",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        b"POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n" + b"GET /",
    ],
    ids=["url", "header", "trailer", "body", "trailer-of-open", "pipelined"],
)
def test_what_has_no_end_is_cut_off_and_not_kept(begin: bytes) -> None:
    async def test(connect: Connect, made: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        writer.write(begin)
        ended = asyncio.create_task(_rest(reader))
        sent = 0
        while not ended.done() and sent < 64 * MOST_BYTES:
            writer.write(b"x" * 8192)
            sent += 8192
            await asyncio.wait([ended], timeout=0.001)
        await ended
        assert sent < 64 * MOST_BYTES
        (protocol,) = made
        kept = sum(len(name) + len(value) for name, value in protocol.headers or [])
        assert kept + len(protocol.url) <= MOST_BYTES
        if protocol.cycle is not None:
            assert len(protocol.cycle.body) <= MOST_BYTES

    _run(test)


def test_a_head_that_is_too_large_is_told_so() -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        writer.write(_HEAD + b"X-A: " + b"x" * MOST_BYTES + b"\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
        assert json.loads((await reader.read()).partition(b"\r\n\r\n")[2])["status"] == 431

    _run(test)


@pytest.mark.parametrize(
    "raw", [b"planted\r\n\r\n", _HEAD + b"X planted: x\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_request_is_refused_in_the_envelope_and_not_repeated(raw: bytes) -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        writer.write(raw)
        head, _sign, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"nosniff" in head
        assert json.loads(body)["code"] == "bad_request"
        assert b"planted" not in body

    _run(test)


def test_an_open_stream_is_not_taken_for_a_slow_head() -> None:
    async def test(connect: Connect, _: list[BoundedHttp]) -> None:
        reader, writer = await connect()
        writer.write(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"data: x\n\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2 * Impatient.head_seconds):
                await reader.readuntil(b"never")
        assert not reader.at_eof()

    _run(test)

"""The front, between raw sockets: what goes in must come out, and at the time it came in."""

import asyncio
import json

import pytest

from dev.front import Front
from tests.dev.raw_http import Upstream, answering, run, serving

_BIG = 8_000_000
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_paths_that_end_in_sse_go_to_stream_and_the_rest_to_api() -> None:
    front = Front(api_port=1, stream_port=2)
    assert front.upstream_of(b"/v1/sessions/s/sse") == 2
    assert front.upstream_of(b"/v1/sessions/s/sse?since_id=1") == 2
    assert front.upstream_of(b"/v1/sessions/s/events?x=/sse") == 1
    assert front.upstream_of(b"/v1/sse/other") == 1


def test_the_upstream_learns_who_asked_and_cannot_be_told_otherwise() -> None:
    seen: list[bytes] = []

    async def test() -> None:
        async with serving(answering(_OK, seen)) as connect:
            client = await connect()
            await client.say(
                b"GET /a?b=%20c HTTP/1.1\r\nHost: example:9\r\nX-Forwarded-For: 6.6.6.6\r\n"
                b"Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n\r\n"
            )
            await client.rest()

    run(test)
    lines = seen[0].lower().splitlines()
    assert lines[0] == b"get /a?b=%20c http/1.1"
    assert b"x-forwarded-for: 127.0.0.1" in lines
    assert b"x-forwarded-host: example:9" in lines
    assert b"x-forwarded-proto: http" in lines
    assert b"x-kept: 2" in lines
    assert not any(line.startswith(b"x-hop") or b"6.6.6.6" in line for line in lines)


def test_a_connection_serves_request_after_request() -> None:
    async def test() -> None:
        async with serving(answering(_OK), answering(_OK)) as connect:
            client = await connect()
            for path in (b"/one", b"/two", b"/three/sse"):
                await client.say(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
                assert b"200 OK" in await client.head()
                assert await client.reader.readexactly(2) == b"ok"

    run(test)


def test_pipelined_requests_are_answered_in_turn() -> None:
    async def test() -> None:
        async with serving(answering(_OK)) as connect:
            client = await connect()
            await client.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            for _ in range(3):
                await client.head()
                assert await client.reader.readexactly(2) == b"ok"

    run(test)


def test_each_chunk_of_a_stream_arrives_when_it_is_sent() -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        while data := await said.get():
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def test() -> None:
        async with serving(stream=upstream) as connect:
            client = await connect()
            await client.say(b"GET /s/sse HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"chunked" in (await client.head()).lower()
            for text in (b"data: one\n\n", b"data: two\n\n"):
                said.put_nowait(text)
                assert await client.line() == b"%x\r\n" % len(text)
                assert await client.reader.readexactly(len(text) + 2) == text + b"\r\n"
            said.put_nowait(b"")
            assert await client.line() == b"0\r\n"

    run(test)


def test_when_the_client_goes_the_upstream_is_closed_at_once() -> None:
    noticed = asyncio.Event()

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        try:
            assert await reader.read() == b""
        finally:
            noticed.set()

    async def test() -> None:
        async with serving(stream=upstream) as connect:
            client = await connect()
            await client.say(b"GET /s/sse HTTP/1.1\r\nHost: x\r\n\r\n")
            await client.head()
            client.writer.close()
            async with asyncio.timeout(0.5):
                await noticed.wait()

    run(test)


def test_when_the_client_goes_before_the_answer_the_upstream_is_closed_at_once() -> None:
    noticed = asyncio.Event()

    async def upstream(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await reader.read()
        finally:
            noticed.set()

    async def test() -> None:
        async with serving(upstream) as connect:
            client = await connect()
            await client.say(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.05)
            client.writer.close()
            async with asyncio.timeout(0.5):
                await noticed.wait()

    run(test)


def test_an_answer_cut_short_is_not_made_to_look_whole() -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

    async def test() -> None:
        async with serving(answering(cut)) as connect:
            client = await connect()
            await client.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                received = await client.rest()
            except ConnectionResetError:
                received = b""
            assert b"0\r\n\r\n" not in received

    run(test)


@pytest.mark.parametrize("upstream", [None, answering(b"")], ids=["down", "silent"])
def test_an_upstream_without_an_answer_is_502_in_the_envelope(
    upstream: Upstream | None,
) -> None:
    async def test() -> None:
        async with serving(upstream) as connect:
            client = await connect()
            await client.say(b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            head, _, body = (await client.rest()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 502 ")
            assert set(json.loads(body)) == {"error", "status", "code", "message"}

    run(test)


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        (b"HEAD /", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        (b"DELETE /", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET /", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"),
    ],
)
def test_answers_without_a_body_do_not_wait_for_one(request_line: bytes, answer: bytes) -> None:
    async def test() -> None:
        async with serving(answering(answer)) as connect:
            client = await connect()
            for _ in range(2):  # and the connection is good for another
                await client.say(request_line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await client.head()).split()[1] == answer.split()[1]

    run(test)


def test_an_old_client_gets_a_body_that_ends_with_the_connection() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    async def test() -> None:
        async with serving(answering(chunked)) as connect:
            client = await connect()
            await client.say(b"GET / HTTP/1.0\r\n\r\n")
            head, _, body = (await client.rest()).partition(b"\r\n\r\n")
            assert b"chunked" not in head.lower()
            assert body == b"abcde"

    run(test)


def test_what_is_not_http_is_refused_in_the_envelope() -> None:
    async def test() -> None:
        async with serving(answering(_OK)) as connect:
            client = await connect()
            await client.say(b"what is this\r\n\r\n")
            head, _, body = (await client.rest()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ")
            assert json.loads(body)["status"] == 400

    run(test)


def test_a_body_that_is_not_http_is_refused_in_the_envelope() -> None:
    async def listening(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def test() -> None:
        async with serving(listening) as connect:
            client = await connect()
            await client.say(
                b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"
            )
            head, _, body = (await client.rest()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ")
            assert json.loads(body)["status"] == 400

    run(test)


def test_a_slow_reader_holds_back_the_upstream() -> None:
    sent = 0

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (100 * _BIG))
        block = bytes(100_000)
        for _ in range(_BIG // 1000):
            writer.write(block)
            await writer.drain()
            sent += len(block)

    async def test() -> None:
        async with serving(upstream) as connect:
            client = await connect()
            await client.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await client.head()
            before = -1
            while before != sent:  # until it stands still
                before = sent
                await asyncio.sleep(0.2)
            assert sent < 5 * _BIG

    run(test)

"""Request bodies through the front: whole, in step, and refused in time."""

import asyncio

import h11

from tests.dev.raw_http import Upstream, answering, run, serving

_BIG = 8_000_000


def _counting() -> Upstream:
    """An upstream that reads any body and says how long it was."""

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http, size = h11.Connection(h11.SERVER), 0
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                if http.they_are_waiting_for_100_continue:
                    going_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(http.send(going_on))
                http.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Data):
                size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
        body = str(size).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    return upstream


def test_a_large_upload_arrives_whole() -> None:
    async def test() -> None:
        async with serving(_counting()) as connect:
            client = await connect()
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % _BIG
            await client.say(head + bytes(_BIG))
            await client.head()
            assert await client.reader.readexactly(7) == str(_BIG).encode()

    run(test)


def test_a_chunked_upload_arrives_whole() -> None:
    async def test() -> None:
        async with serving(_counting()) as connect:
            client = await connect()
            await client.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            await client.say(b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n")
            await client.head()
            assert await client.reader.readexactly(1) == b"8"

    run(test)


def test_a_client_that_waits_to_be_told_to_continue_is_told() -> None:
    async def test() -> None:
        async with serving(_counting()) as connect:
            client = await connect()
            await client.say(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
            )
            assert (await client.head()).startswith(b"HTTP/1.1 100 ")
            await client.say(b"abc")
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")

    run(test)


def test_an_early_refusal_reaches_a_client_that_is_still_sending() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    async def test() -> None:
        async with serving(answering(refusal)) as connect:
            client = await connect()
            await client.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % _BIG)
            sending = asyncio.create_task(client.say(bytes(_BIG)))
            assert b" 413 " in await client.head()
            assert await client.reader.readexactly(2) == b"no"
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    run(test)

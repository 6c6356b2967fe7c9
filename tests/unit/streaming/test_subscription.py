"""A subscriber's inbox is bounded, and what it does not take is read from the log."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

from api.streaming.relay import Relay
from api.streaming.sse import HEARTBEAT
from api.streaming.subscription import Subscription
from api.streaming.watch import Watch
from common.clock import now
from common.domain.events import EventType, TypeFilter
from common.live_frames import encode_events, encode_text
from tests.unit.streaming.simulated import SESSION, Client, Server, logged, settle


def played(scene: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        asyncio.run(scene())

    test.__name__ = scene.__name__
    return test


def connected() -> tuple[Server, Client]:
    server = Server()
    server.note()
    client = Client(server)
    client.connect(is_fresh_process=True)
    return server, client


def sequences(client: Client) -> list[int]:
    return [event["sequence"] for event in client.received]


async def _drain(client: Client, *, rounds: int) -> None:
    for _ in range(rounds):
        client.take()
        await settle()


@played
async def test_too_many_events_are_dropped_and_read_again() -> None:
    server, client = connected()
    await _drain(client, rounds=2)
    for _ in range(600):
        server.note()
    for frame in server.frames:
        client.watch.take_frame(frame)
    assert len(client.subscription._inbox) <= 256
    await _drain(client, rounds=300)
    assert sequences(client) == list(range(1, 602))


@played
async def test_who_is_too_slow_is_counted() -> None:
    server = Server()
    watch = Watch(SESSION, server, has_open_turn=False)
    times: list[int] = []
    reader: Any = server
    subscription = Subscription(
        watch,
        Relay(0, TypeFilter(), watch.buffer),
        reader,
        with_accumulated=True,
        on_full=lambda: times.append(1),
    )
    watch.subscribers = {subscription}
    for _ in range(300):
        server.note()
    for frame in server.frames:
        watch.take_frame(frame)
    assert times == [1]
    subscription.close()


@played
async def test_how_long_an_event_took_is_told_once_a_frame() -> None:
    lags: list[float] = []
    server = Server()
    watch = Watch(SESSION, server, has_open_turn=False, note_lag=lags.append)
    ts = now() - timedelta(seconds=2)
    event = replace(logged(1, EventType.SESSION_TITLE_UPDATED, {"title": "x"}), ts=ts)
    watch.take_frame(encode_events([event]))
    watch.take_frame(b"E1 turn.started 0 2\n{}\n")
    (lag,) = lags
    assert 2 <= lag < 5


@played
async def test_too_many_bytes_are_dropped_and_read_again() -> None:
    server, client = connected()
    await _drain(client, rounds=2)
    for number in range(2, 8):
        big = logged(number, EventType.SESSION_TITLE_UPDATED, {"title": "x" * 400_000})
        server.log.append(big)
        client.watch.take_frame(encode_events([big]))
        assert client.subscription._inbox_bytes <= 1024 * 1024
    await _drain(client, rounds=10)
    assert sequences(client) == list(range(1, 8))


@played
async def test_large_slices_go_out_in_several_writes() -> None:
    server = Server()
    watch = Watch(SESSION, server, has_open_turn=False)
    reader: Any = server
    relay = Relay(0, TypeFilter(), watch.buffer)
    subscription = Subscription(watch, relay, reader, with_accumulated=True)
    for number in range(1, 4):
        title = {"title": "x" * 50_000}
        server.log.append(logged(number, EventType.SESSION_TITLE_UPDATED, title))
    subscription.take()
    await settle()
    writes = subscription.take()
    assert len(writes) == 2
    assert sum(write.data.count(b"\nevent: ") for write in writes) == 3
    subscription.close()


@played
async def test_a_frame_that_is_none_makes_everyone_read_the_log() -> None:
    server, client = connected()
    await _drain(client, rounds=2)
    server.note()
    client.watch.take_frame(b"Z of a later release")
    await _drain(client, rounds=3)
    assert sequences(client) == [1, 2]


@played
async def test_the_write_with_an_answer_says_so() -> None:
    server, client = connected()
    server.open()
    server.complete("abc", pushes=False)
    answers = []
    for _ in range(6):
        answers += [write.answer for write in client.subscription.take()]
        await settle()
    assert max(answers) == server.head  # the turn's end, which comes after the message


@played
async def test_a_heartbeat_is_written_when_due() -> None:
    _, client = connected()
    await _drain(client, rounds=2)
    assert client.subscription.take() == []
    client.subscription.beat()
    assert [write.data for write in client.subscription.take()] == [HEARTBEAT]


@played
async def test_the_first_reason_to_end_is_the_one_told() -> None:
    _, client = connected()
    client.subscription.end("connection_cycle", retry_ms=100)
    client.subscription.end("server_maintenance", retry_ms=5)
    farewell = client.subscription.farewell.decode()
    assert json.loads(farewell.split("data: ")[1])["reason"] == "connection_cycle"


@played
async def test_a_session_that_is_gone_from_the_log_ends_the_stream() -> None:
    server, client = connected()
    server.is_gone = True
    await _drain(client, rounds=3)
    assert client.subscription.is_ended
    assert b"session_deleted" in client.subscription.farewell


@played
async def test_hearsay_that_is_not_true_does_not_spin() -> None:
    server, client = connected()
    await _drain(client, rounds=3)
    before = server.reads
    client.watch.take_frame(encode_text(900, 0, b"of no opener there is"))
    await _drain(client, rounds=50)
    assert server.reads - before <= 2


@played
async def test_a_fault_in_reading_ends_the_stream_instead_of_silencing_it() -> None:
    server, client = connected()
    server.fault = RuntimeError("a bug")
    await _drain(client, rounds=3)
    assert client.subscription.is_ended


@played
async def test_a_text_is_forgotten_a_while_after_its_end() -> None:
    server, client = connected()
    server.open()
    server.say("abc")
    server.complete("", pushes=True)
    for frame in server.frames:
        client.watch.take_frame(frame)
    assert client.watch.buffer.end == 3
    client.watch._release(server.head)
    assert client.watch.buffer.end == 3  # of another text
    client.watch._release(client.watch.buffer.opener)
    assert client.watch.buffer.end == 0

"""Redis stopped, emptied, frozen, silent or unhelpful; PostgreSQL restarted: nothing is lost."""

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis
from redis.asyncio.client import PubSub

from api.streaming.live_channel import LiveChannel
from common.live import TextChunk, live_channel, text_key
from common.migrate import upgrade
from dev.postgres import Postgres
from dev.valkey import Valkey
from tests.conditions import wait_until
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World, make_world
from tests.integration.streaming.proxy import Proxy
from tests.servers import execute, freeze, kill, resume, start_again, with_database

NEVER = 10_000.0


@pytest.fixture
def fragile(shared_database_url: str, own_redis: Valkey) -> Iterator[World]:
    """A world whose Redis may be mistreated."""
    yield from make_world(shared_database_url, own_redis.url)


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    port = urlsplit(redis_url).port
    assert port is not None
    with Proxy(port) as running:
        yield running


def wait_subscribed(world: World, author: Author) -> None:
    channel = live_channel(author.session_id)
    with redis.Redis.from_url(world.redis_url) as client:
        wait_until(
            lambda: client.execute_command("PUBSUB", "SHARDNUMSUB", channel)[1],
            description="the session's channel is subscribed",
        )


def test_what_was_committed_before_the_subscription_stood_is_read_then(
    world: World, proxy: Proxy
) -> None:
    """The log is read after the acknowledgement: without that, or a poll, it would be missed."""
    world.serve(poll_seconds=NEVER, pubsub_port=proxy.port)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    wait_subscribed(world, author)
    proxy.is_open = False
    second = world.author()
    reader = world.read(second).wait_for("session.started")  # it does not wait for ever
    second.title("told to nobody")
    proxy.is_open = True
    reader.wait_for("session.title.updated")


def test_what_redis_never_tells_is_found_in_the_log(world: World) -> None:
    world.serve(poll_seconds=0.05)
    author = world.author(is_telling=False)
    reader = world.read(author).wait_for("session.started")
    author.post("Hi")
    author.start()
    author.complete("abc")
    reader.wait_for("session.idled")
    assert reader.sequences == [event.sequence for event in author.log()]


def test_a_frame_that_was_lost_shows_with_the_next_one(world: World) -> None:
    world.serve(poll_seconds=NEVER)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    wait_subscribed(world, author)
    author.is_telling = False
    author.title("lost")
    author.is_telling = True
    author.title("told")
    reader.wait_for("session.title.updated", times=2)
    assert reader.sequences == [1, 2, 3]


def test_text_that_was_lost_shows_with_the_next_chunk(world: World) -> None:
    world.serve(poll_seconds=NEVER)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    wait_subscribed(world, author)
    author.post("Hi")
    author.start()
    author.say("abc")
    reader.wait_for_text("abc")
    with redis.Redis.from_url(world.redis_url) as client:
        client.append(text_key(author.session_id, author.stream.opener), "def")
    author.stream.pushed(_pending(author, "def"), None)
    author.said += "def"
    author.say("ghi")
    reader.wait_for_text("abcdefghi")
    author.complete()
    reader.wait_for("session.idled")
    assert reader.text == "abcdefghi"


def _pending(author: Author, words: str) -> TextChunk:
    author.stream.add(words)
    chunk = author.stream.pending()
    assert chunk is not None
    return chunk


def test_the_tail_that_redis_lost_comes_before_the_answer(world: World) -> None:
    world.serve(poll_seconds=0.05)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    author.post("Hi")
    author.start()
    author.say("abc")
    reader.wait_for_text("abc")
    author.is_telling = False
    author.complete("def")
    reader.wait_for("session.idled")
    assert reader.text == "abcdef"
    assert reader.types.index("output.message.completed") > max(
        place for place, kind in enumerate(reader.types) if kind == "output.message.delta"
    )


def test_a_killed_connection_in_mid_text_loses_nothing(world: World) -> None:
    world.serve(poll_seconds=NEVER)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    wait_subscribed(world, author)
    author.post("Hi")
    author.start()
    author.say("abc")
    reader.wait_for_text("abc")
    with redis.Redis.from_url(world.redis_url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        author.say("def")
        author.post("in between")
    reader.wait_for_text("abcdef").wait_for("input.message", times=2)
    author.complete("ghi")
    reader.wait_for("session.idled")
    assert reader.text == "abcdefghi"
    assert reader.sequences == [event.sequence for event in author.log()]


@pytest.mark.parametrize("command", ["ssubscribe", "sunsubscribe", "ping", "get_message"])
def test_a_connection_that_breaks_under_two_users_is_replaced(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Stands for a race: so redis-py fails for one loop while another ends the connection."""
    real = getattr(PubSub, command)

    async def scene() -> None:
        has_broken = asyncio.Event()
        acknowledged = {b"before": asyncio.Event(), b"after": asyncio.Event()}

        async def break_once(pubsub: PubSub, *args: object, **named: object) -> object:
            if not has_broken.is_set():
                has_broken.set()
                raise AttributeError("'NoneType' object has no attribute 'writelines'")
            return await real(pubsub, *args, **named)

        monkeypatch.setattr(PubSub, command, break_once)
        channel = LiveChannel(
            redis_url,
            on_acknowledged=lambda name: acknowledged[name].set(),
            on_frame=lambda _channel, _data: None,
        )
        running = asyncio.create_task(channel.run())
        channel.watch(b"before")
        await acknowledged[b"before"].wait()
        channel.unwatch(b"before")
        await has_broken.wait()
        channel.watch(b"after")
        await acknowledged[b"after"].wait()
        assert not running.done()
        running.cancel()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_redis_restarted_empty_in_mid_text_loses_nothing(fragile: World, own_redis: Valkey) -> None:
    fragile.serve()
    author = fragile.author()
    reader = fragile.read(author).wait_for("session.started")
    author.post("Hi")
    author.start()
    author.say("abc")
    reader.wait_for_text("abc")
    kill(own_redis)
    author.say("def")
    start_again(own_redis)
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()
    wait_subscribed(fragile, author)
    wait_until(lambda: not author.live._breaker.is_open, description="Redis is tried again")
    author.say("ghi")
    reader.wait_for_text("abcdefghi")
    author.complete("jkl")
    reader.wait_for("session.idled")
    assert reader.text == "abcdefghijkl"
    assert reader.sequences == [event.sequence for event in author.log()]


def test_with_redis_frozen_streams_open_at_once_and_live_on(
    fragile: World, own_redis: Valkey
) -> None:
    fragile.serve()
    author = fragile.author()
    old = fragile.read(author).wait_for("session.started")
    author.post("Hi")
    author.start()
    author.say("abc")
    old.wait_for_text("abc")
    freeze(own_redis)
    author.is_telling = False
    began = time.monotonic()
    new = fragile.read(author).wait_for("output.message.started")
    assert time.monotonic() - began < 2.0
    author.complete("def")
    for reader in (old, new):
        reader.wait_for("session.idled")
    assert old.text == "abcdef"
    assert old.sequences == [event.sequence for event in author.log()]
    resume(own_redis)
    author.is_telling = True
    author.title("back")
    old.wait_for("session.title.updated")


def test_a_connection_that_has_gone_silent_is_replaced(world: World, proxy: Proxy) -> None:
    """Nothing but silence tells that the network swallows packets."""
    world.serve(poll_seconds=NEVER, pubsub_port=proxy.port)
    author = world.author()
    reader = world.read(author).wait_for("session.started")
    wait_subscribed(world, author)
    proxy.swallow()
    author.title("swallowed")
    wait_until(
        lambda: len(reader.sequences) == 2,
        description="another connection was made",
        timeout_seconds=20,
    )


def test_postgresql_restarted_under_an_open_stream(own_postgres: Postgres, redis_url: str) -> None:
    execute(own_postgres.url, "CREATE DATABASE streamed")
    url = with_database(own_postgres.url, "streamed")
    upgrade(url)
    for world in make_world(url, redis_url):
        world.serve(poll_seconds=0.1)
        author = world.author()
        reader = world.read(author).wait_for("session.started")
        kill(own_postgres)
        assert world.read(author).status == 503
        start_again(own_postgres)
        world.database.engine.dispose()
        author.is_telling = False
        author.title("later")
        reader.wait_for("session.title.updated")
        assert world.read(author).status == 200

"""What a stream costs PostgreSQL and Redis: to open, for an event, for a delta."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World

NEVER = 10_000.0


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to PostgreSQL by the server's threads, not by the test's own."""
    sent: list[str] = []
    own = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() != own:
            sent.append(" ".join(statement.split())[:60])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def commands(world: World, author: Author) -> Iterator[list[str]]:
    """The commands on the session's keys within the block, whoever sends them."""
    noted: list[str] = []
    end = f"end {author.session_id.hex}"
    with redis.Redis.from_url(world.redis_url) as client, client.monitor() as monitor:
        yield noted
        client.echo(end)
        for each in iter(monitor.next_command, None):
            if each["command"].endswith(end):
                return
            # What a script does is shown as well as the script.
            if author.session_id.hex in each["command"] and each["client_type"] != "lua":
                noted.append(each["command"].split()[0])


@pytest.fixture
def quiet(world: World) -> Author:
    """A session whose turn is under way, on a server that does not poll."""
    world.serve(poll_seconds=NEVER)
    author = world.author()
    author.post("Hi")
    author.start()
    author.say("abc")
    return author


def test_opening_costs_at_most_three_statements(quiet: Author, world: World) -> None:
    opener = quiet.log()[-1]
    for query, most in (
        ({}, 2),
        ({"start": "all"}, 2),
        ({"start": "live"}, 3),
        ({"since_id": opener.id}, 3),
        ({"after_sequence": 1}, 2),
    ):
        with statements() as sent, world.read(quiet, **query) as reader:
            reader.wait_for_text("abc")
        assert len(sent) <= most, (query, sent)


def test_events_and_deltas_cost_postgresql_nothing(quiet: Author, world: World) -> None:
    with world.read(quiet) as reader:
        reader.wait_for_text("abc")
        with statements() as sent:
            for number in range(20):
                quiet.say(str(number))
            quiet.complete()
            reader.wait_for("session.idled")
        assert sent == []


def test_a_delta_costs_redis_its_publication_and_no_more(quiet: Author, world: World) -> None:
    readers = [world.read(quiet).wait_for_text("abc") for _ in range(5)]
    with commands(world, quiet) as sent:
        for number in range(20):
            quiet.say(f"{number},")
        for reader in readers:
            reader.wait(lambda it: it.text.endswith("19,"), "all of the text")
    assert sent == ["EVALSHA"] * 20  # the worker's own pushes


def test_a_storm_of_readers_is_served_by_few_statements(world: World) -> None:
    """Requests that wait are answered together."""
    world.serve(poll_seconds=NEVER, SSE_PER_SESSION_MAX="0")
    author = world.author()
    author.title("one")
    readers = [world.read(author, start="live").wait_open() for _ in range(40)]
    author.is_telling = False
    author.title("two")
    with statements() as sent:
        author.is_telling = True
        author.title("three")  # a gap for everyone at once
        for reader in readers:
            reader.wait_for("session.title.updated", times=2)
    assert len(sent) <= 10, sent

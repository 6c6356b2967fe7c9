"""An event that is committed at any moment of a stream's opening is delivered, once, in order.

The stream process looks for nothing by itself here: only the order of its own steps helps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import StreamServer, World, make_world
from tests.integration.streaming.proxy import Proxy
from tests.statements import heard

_NEVER = 3600.0
# Longer than an opening stream waits for its subscription to be acknowledged.
_LATE_SECONDS = 0.45


@dataclass
class Moments:
    """What an opening stream crosses, as it comes; at one of them something happens."""

    met: list[str] = field(default_factory=list)
    number: int = 0
    happen: Callable[[], object] = lambda: None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, number: int, happen: Callable[[], object]) -> None:
        self.met, self.number, self.happen = [], number, happen

    def pass_by(self, label: str) -> None:
        with self._guard:
            self.met.append(label)
            is_it = len(self.met) == self.number
        if is_it:
            self.happen()


class WatchingProxy(Proxy):
    """Lets a subscription and its acknowledgement through, each a moment of its own."""

    def __init__(self, target: int, moments: Moments, delay: float) -> None:
        super().__init__(target)
        self._moments = moments
        self._delay = delay

    def _release(self) -> None:
        for data in self._held.values():
            name = data.lower()
            if b"ssubscribe" in name and b"sunsubscribe" not in name:
                is_command = name.startswith(b"*2\r\n$10")
                if is_command:
                    time.sleep(self._delay)
                self._moments.pass_by("subscribing" if is_command else "subscribed")
        super()._release()


@pytest.fixture
def world(shared_database_url: str, redis_url: str) -> Iterator[World]:
    yield from make_world(shared_database_url, redis_url)


def watching_statements(server: StreamServer, moments: Moments) -> AbstractContextManager[None]:
    def before(statement: str, _values: Any) -> None:
        moments.pass_by(f"before {' '.join(statement.split()[:3])}")

    def after(statement: str, _values: Any) -> None:
        moments.pass_by(f"after {' '.join(statement.split()[:3])}")

    return heard(server.deps.database.engine, before, after=after)


def opened(world: World, moments: Moments, number: int, query: dict[str, Any]) -> Author:
    """A stream opened while an event is committed at that moment; all of it must arrive."""
    author = world.author()
    author.post("Hi")
    moments.begin(number, lambda: author.title("meanwhile"))
    reader = world.read(author, **query)
    first = query.get("after_sequence", 0) + 1
    wanted = list(range(first, 4 if number else 3))
    try:
        reader.wait(
            lambda it: it.sequences[-1:] == wanted[-1:] and moments.met.count("subscribed"),
            f"{wanted} are there, at moment {number} of {moments.met}",
        )
        assert reader.sequences == wanted
    finally:
        reader.close()
    return author


@pytest.mark.parametrize("query", [{"start": "all"}, {"after_sequence": 1}], ids=["all", "after"])
@pytest.mark.parametrize("delay", [0.0, _LATE_SECONDS], ids=["prompt", "late"])
def test_an_event_of_any_moment_of_the_opening_arrives(
    world: World, delay: float, query: dict[str, Any]
) -> None:
    moments = Moments()
    port = urlsplit(world.redis_url).port
    assert port is not None
    with WatchingProxy(port, moments, delay) as proxy:
        server = world.serve(poll_seconds=_NEVER, pubsub_port=proxy.port)
        with watching_statements(server, moments):
            opened(world, moments, 0, query)  # what a process meets only once is behind it
            opened(world, moments, 0, query)
            met = list(moments.met)
            assert "subscribing" in met
            for number in range(1, len(met) + 1):
                opened(world, moments, number, query)

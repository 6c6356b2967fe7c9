"""Every test here runs against fakeredis and against the real server."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import fakeredis
import pytest
from redis import Redis
from redis.client import PubSub
from redis.connection import Connection

from common.redis_client import make_client
from tests.conditions import wait_until


class CountingConnection(Connection):
    """Counts how often something is sent: each is a round trip that somebody waits for."""

    sent = 0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        type(self).sent += 1
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call] # redis-py has no types here


@dataclass
class Server:
    """One Redis, seen by several clients."""

    url: str
    _fake: fakeredis.FakeServer | None
    _subscriptions: list[PubSub] = field(default_factory=list)

    def client(self) -> Redis:
        if self._fake is None:
            return make_client(self.url, timeout_seconds=5)
        made: Redis = fakeredis.FakeRedis(server=self._fake)
        return made

    @property
    def is_real(self) -> bool:
        return self._fake is None

    def subscribe(self, channel: str) -> PubSub:
        """A subscription that is acknowledged."""
        subscription: PubSub = self.client().pubsub()  # type: ignore[no-untyped-call] # redis-py has no types here
        self._subscriptions.append(subscription)
        subscription.ssubscribe(channel)
        wait_until(
            lambda: _message(subscription, "ssubscribe"), description="the subscription stands"
        )
        return subscription

    def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.close()


def _message(subscription: PubSub, kind: str) -> bytes | None:
    message: dict[str, Any] | None = subscription.get_sharded_message(timeout=0.05)
    if message is None or message["type"] != kind:
        return None
    return bytes(message["data"]) if kind == "smessage" else b"yes"


def frames(subscription: PubSub, count: int) -> list[bytes]:
    """The next frames of a channel; fails when fewer come."""
    received = []
    for _ in range(count):
        frame = wait_until(
            lambda: _message(subscription, "smessage"), description="a frame has come"
        )
        assert frame is not None
        received.append(frame)
    return received


def is_quiet(subscription: PubSub) -> bool:
    """Whether nothing more has come."""
    return _message(subscription, "smessage") is None


@pytest.fixture(params=["fakeredis", "real"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "real":
        made = Server(request.getfixturevalue("redis_url"), None)
    else:
        made = Server("", fakeredis.FakeServer(version=(7, 0)))
    yield made
    forever = [key for key in made.client().scan_iter() if made.client().ttl(key) == -1]
    made.close()
    assert forever == [], "every key has a time to live"

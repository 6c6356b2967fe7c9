"""The machine's limits, each measured by the least program that does the step."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Self

import psycopg2
import redis
from celery import Celery

from common.settings import Settings
from common.turn_queue import celery_config
from tests.bench.http_client import Connection, request_bytes
from tests.bench.limits.celery_names import NOOP, TELL
from tests.bench.site import Site, told_by
from tests.bench.sse_client import Arrivals, Counter
from tests.system import Part

_CHANNEL = "raw"
_ROW = "x" * 300
_DRAIN_SECONDS = 120.0
# Of files in which tasks are told of, whoever asks.
_told = count()


class Commits:
    """Single rows, each in a transaction of its own."""

    def __init__(self, site: Site) -> None:
        site.execute(
            "CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, data jsonb)"
        )
        self._connection = psycopg2.connect(site.postgres.url)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()

    def one(self) -> float:
        """Seconds that it took."""
        began = time.monotonic()
        self._cursor.execute(
            "INSERT INTO bench_floor (data) VALUES (jsonb_build_object('text', %s))", (_ROW,)
        )
        return time.monotonic() - began

    def close(self) -> None:
        self._connection.close()


class Publishes:
    """Messages from one connection of Redis to another."""

    def __init__(self, site: Site) -> None:
        self._redis = redis.Redis.from_url(site.cache.url, protocol=2)
        self._pubsub = self._redis.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
        self._pubsub.subscribe("bench")
        self._pubsub.get_message(timeout=5)

    def one(self) -> float:
        """Seconds from before the command to the message."""
        began = time.monotonic()
        self._redis.publish("bench", _ROW)
        self._pubsub.get_message(timeout=5)
        return time.monotonic() - began

    def close(self) -> None:
        self._pubsub.close()
        self._redis.close()


class EmptyView:
    """Requests to a view that does nothing, under the api's own server."""

    def __init__(self, connection: Connection, request: bytes) -> None:
        self._connection = connection
        self._request = request

    @classmethod
    async def open(cls, part: Part, body: object) -> Self:
        return cls(await Connection.open(part.port), request_bytes("POST", "/", body))

    async def one(self, scheduled: float) -> float:
        """Seconds since it was due."""
        return (await self._connection.ask(self._request)).at - scheduled

    def close(self) -> None:
        self._connection.close()


class RawRelay:
    """A message through Redis and the stream process's server to one subscriber."""

    def __init__(self, site: Site, counter: Counter, arrivals: Arrivals) -> None:
        self._redis = redis.Redis.from_url(site.cache.url, protocol=2)
        self._counter = counter
        self._arrivals = arrivals

    @classmethod
    async def open(cls, site: Site, part: Part) -> Self:
        arrivals = Arrivals()
        counter = Counter(request_bytes("GET", f"/{_CHANNEL}"), arrivals)
        await Counter.open(part.port, counter)
        await asyncio.sleep(0.2)
        return cls(site, counter, arrivals)

    async def one(self) -> float:
        """Seconds from before the command to the subscriber."""
        self._arrivals.late.clear()
        stamp = f"@{time.monotonic_ns()}@"
        self._redis.spublish(_CHANNEL, f"event: raw\ndata: {stamp}{_ROW}\n\n")
        await self._arrivals.until(1)
        return self._arrivals.late[0] / 1000

    def close(self) -> None:
        self._counter.close()
        self._redis.close()


class Noops:
    """Tasks that do nothing, for a worker configured as ours, over a broker of their own."""

    def __init__(self, site: Site, part: Part) -> None:
        self._part = part
        self._directory = Path(site.system.directory)
        self._celery = Celery("bench-producer", set_as_current=False)
        settings = Settings.from_env(
            {**site.system.environment, "BROKER_URL": broker_of_noops(site)}
        )
        self._celery.conf.update(celery_config(settings, socket_timeout_seconds=5.0))

    def send(self) -> None:
        self._celery.send_task(
            NOOP, args=(time.monotonic(),), queue="turns", retry=False, ignore_result=True
        )

    def told(self) -> list[tuple[float, float]]:
        """When each was sent and when it began, since last asked."""
        path = self._directory / f"noops-{next(_told)}.json"
        self._celery.send_task(TELL, args=(str(path),), queue="turns", retry=False)
        found = [(sent, began) for sent, began in told_by(path)]
        path.unlink()
        return found

    def drain(self, number: int) -> float:
        """Tasks a second from a queue that holds so many."""
        self.told()
        self._part.signal(signal.SIGSTOP)
        for _ in range(number):
            self.send()
        self._part.signal(signal.SIGCONT)
        starts = sorted(began for _, began in self._all(number))
        return (len(starts) - 1) / (starts[-1] - starts[0])

    def _all(self, number: int) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        deadline = time.monotonic() + _DRAIN_SECONDS
        while len(found) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"of {number} tasks {len(found)} were run")
            found += self.told()
        return found

    def close(self) -> None:
        with closing(self._celery):
            pass


def broker_of_noops(site: Site) -> str:
    """Another database of the same server, so that no worker gets the other's tasks."""
    return site.cache.url.removesuffix("/0") + "/1"

"""The clients of a process with their crossings counted, and its composition with them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from redis import Redis
from redis.client import Pipeline
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisUnreachable

from common.domain.turn_task import TaskLabel
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database
from common.turn_queue import TurnQueue
from tests.chaos.crash_points.points import AT_STATEMENTS, Died, Process
from worker import bootstrap
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability, Reconcile, Tool, ToolFailed, ToolFunction
from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    Stop,
    Streamed,
)
from worker.llm.registry import driver_for
from worker.turn import assembly


class WatchedDatabase(Database):
    """Counts commits, and statements, at which a connection can break.

    It may serve one process after another: a server does not care whose connection it is.
    """

    def __init__(self, url: str, *, pool_size: int, application: str) -> None:
        super().__init__(url, pool_size=pool_size, application=application)
        # What is asked of a server only once is none of the turn's points.
        self.ping()
        self.process: Process | None = None
        dialect: Any = self.engine.dialect
        self._commit = dialect.do_commit
        dialect.do_commit = self._do_commit
        self._send = dialect.do_execute
        dialect.do_execute = self._do_execute

    def close(self) -> None:
        """Stay open for the next process."""

    def _do_commit(self, connection: Any) -> None:
        assert self.process is not None
        # A failure before it leaves a transaction that the server rolls back.
        with self.process.crossing("COMMIT", _broken_connection):
            self._commit(connection)

    def _do_execute(self, cursor: Any, statement: str, values: Any, context: Any = None) -> None:
        assert self.process is not None
        if not statement.startswith("PREPARE"):  # a connection does it once, not each turn
            words = " ".join(statement.split()[:3])
            with self.process.crossing(words, _broken_connection, AT_STATEMENTS):
                pass
        self._send(cursor, statement, values, context)


def _broken_connection() -> Exception:
    # As the driver says it; SQLAlchemy knows by the words that the connection is gone.
    return psycopg2.OperationalError("server closed the connection unexpectedly")


class WatchedRedis(Redis):
    """Counts commands, a pipeline as one."""

    def __init__(self, process: Process, pool: ConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        self._process = process

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with self._process.crossing(f"redis {args[0]}", RedisUnreachable):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py leaves it bare

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: FBT001, FBT002 - as in Redis
        made = _WatchedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        made.process = self._process
        return made


class _WatchedPipeline(Pipeline):
    process: Process

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as in Pipeline
        names = " ".join(str(command[0][0]) for command in self.command_stack)
        with self.process.crossing(f"redis {names}", RedisUnreachable):
            return super().execute(raise_on_error)


class Edges:
    """Makes the clients of processes, and keeps their connections for those that follow."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._databases: dict[str, WatchedDatabase] = {}
        self._pools: dict[tuple[str, float], ConnectionPool] = {}

    def database(self, process: Process, application: str) -> Database:
        found = self._databases.get(application)
        if found is None:
            url = self.settings.database_url
            found = WatchedDatabase(url, pool_size=3, application=application)
            self._databases[application] = found
        found.process = process
        return found

    def redis(self, process: Process, *, timeout_seconds: float) -> Redis:
        key = process.name, timeout_seconds
        if key not in self._pools:
            client = make_client(self.settings.redis_url, timeout_seconds=timeout_seconds)
            self._pools[key] = client.connection_pool
        return WatchedRedis(process, self._pools[key])

    def close(self) -> None:
        for database in self._databases.values():
            Database.close(database)
        for pool in self._pools.values():
            pool.disconnect()


class _NotSent(Exception):
    """The broker did not say that it has the wake-up."""


class WatchedQueue(TurnQueue):
    """Counts wake-ups."""

    def __init__(self, settings: Settings, breaker: Breaker, *, process: Process) -> None:
        super().__init__(settings, breaker)
        self._process = process

    def send(self, turn_id: UUID, *, priority: int = 0, label: TaskLabel | None = None) -> bool:
        try:
            with self._process.crossing("send a wake-up", _NotSent):
                return super().send(turn_id, priority=priority, label=label)
        except _NotSent:
            return False


class WatchedDriver:
    """Counts the pieces of a model's answer; the request goes out with the first."""

    def __init__(self, driver: LLMDriver, process: Process) -> None:
        self._driver = driver
        self._process = process

    @property
    def image_limits(self) -> ImageLimits:
        return self._driver.image_limits

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        what = "ask the model"
        with closing(self._driver.stream(request, stop=stop)) as pieces:
            while True:
                with self._process.crossing(what, _provider_down):
                    piece = next(pieces, None)
                if piece is None:
                    return
                yield piece
                what = "hear the model"


def _provider_down() -> Exception:
    return LLMFailure(FailureReason.UNAVAILABLE, "down", may_retry=True, retry_after_seconds=0)


class _ToolBroke(Exception):
    """The tool gave no answer."""


def watched_capabilities(tools: Sequence[Tool], process: Process) -> Mapping[str, Capability]:
    """A capability with these tools, calls counted."""
    return {"noop": Capability("noop", tuple(_watched_tool(tool, process) for tool in tools))}


def _watched_tool(tool: Tool, process: Process) -> Tool:
    run = _watched_call(f"call {tool.name}", tool.run, process)
    if tool.reconcile is None:
        return replace(tool, run=run)
    asked = _watched_call(f"ask what became of {tool.name}", tool.reconcile, process)
    return replace(tool, run=run, reconcile=asked)


def _watched_call(what: str, made: ToolFunction | Reconcile, process: Process) -> Any:
    def call(arguments: Any, context: Any) -> Any:
        try:
            with process.crossing(what, _ToolBroke):
                return made(arguments, context)
        except Died:
            # On a thread of its own, which ends like any other; whoever waits dies at its
            # next crossing.
            return ToolFailed("nobody hears this")

    return call


def watched_worker(
    edges: Edges, tools: Sequence[Tool], process: Process, breaker: Callable[[], Breaker]
) -> Worker:
    """A worker put together as ever, with clients whose crossings are counted.

    Its threads are not started: nothing happens but what the turn does.
    """

    def database(_url: str, *, pool_size: int, application: str) -> Database:  # noqa: ARG001 - as the real one
        return edges.database(process, application)

    def client(_url: str, *, timeout_seconds: float) -> Redis:
        return edges.redis(process, timeout_seconds=timeout_seconds)

    def queue(settings: Settings, breaker: Breaker) -> TurnQueue:
        return WatchedQueue(settings, breaker, process=process)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "Database", database)
        patch.setattr(bootstrap, "make_client", client)
        patch.setattr(bootstrap, "TurnQueue", queue)
        patch.setattr(bootstrap, "Breaker", breaker)
        worker = Worker(edges.settings, capabilities=watched_capabilities(tools, process))

    def die() -> None:
        for lease in worker.leases.all():
            lease.stop.set()

    process.on_death = die
    return worker


def run_watched(worker: Worker, turn_id: UUID, process: Process) -> None:
    """Let a worker run a turn, with whatever driver it finds watched.

    Raises:
        Died: the process died.
    """

    def watched_driver_for(endpoint: Endpoint, **options: Any) -> LLMDriver:
        return WatchedDriver(driver_for(endpoint, **options), process)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "driver_for", watched_driver_for)
        worker.run(turn_id)

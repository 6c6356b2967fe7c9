"""A whole turn's walk in one thread, from the client's message to the idle session.

The client asks again until it has an answer, wake-ups are taken from the real broker one by
one, and whenever nothing moves any more, time passes: the leases of the dead run out and a
sweeper looks.  So what a run meets depends on the code alone, and can be met again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from uuid import UUID

import orjson
from redis import Redis
from sqlalchemy import text

from api.auth import Caller
from api.deps import Deps
from api.schemas.messages import NewMessage
from api.schemas.waiting import CallDecision, ToolResult
from api.use_cases.answer_calls import submit_tool_approvals, submit_tool_results
from api.use_cases.cancel_turn import cancel_turn
from api.use_cases.submit_message import submit_message
from common.clock import new_id
from common.domain.errors import Conflict
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.domain.waiting import Decision, WaitKind
from common.live import Live, live_channel
from common.redis_client import Breaker
from common.storage import log, waiting
from common.storage.engine import Database, DatabaseError
from common.storage.idempotency import IdempotencyKey
from common.turn_queue import ALL_QUEUES
from tests.chaos.crash_points.edges import (
    Edges,
    WatchedQueue,
    run_watched,
    watched_worker,
)
from tests.chaos.crash_points.points import Action, Died, Fault, Kind, Points, Process
from tests.chaos.crash_points.scenarios import Effects, Happening, Scenario
from worker.bootstrap import Worker
from worker.sweeper import Sweeper

T = TypeVar("T")

_CALLER: Final = Caller(DEFAULT_ORGANIZATION, ANONYMOUS_PRINCIPAL, "seed")
_TRIES: Final = 5
# A walk that needs more rounds than this will never end.
_MOST_ROUNDS: Final = 40
_LONG_SECONDS: Final = 60.0
_END_OF_FRAMES: Final = b"X"


class Stuck(Exception):
    """The session is not idle, and nothing moves any more."""


@dataclass(frozen=True)
class Ground:
    """What all runs share: the servers, and an api of which nothing counts."""

    edges: Edges
    database: Database
    redis: Redis
    api: Deps


class Clock:
    """Monotonic seconds that pass only when nothing else moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class _Running:
    process: Process
    worker: Worker


@dataclass
class Stage:
    """One run of a scenario.

    Attributes:
        accepted: ids of the messages that the client was told are stored.
    """

    ground: Ground
    scenario: Scenario
    fault: Fault | None
    effects: Effects = field(default_factory=Effects)
    session_id: UUID = field(default_factory=new_id)
    accepted: list[str] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        actions: dict[Happening, Action] = {
            Happening.MESSAGE: self._post,
            Happening.CANCEL: self._cancel,
            Happening.DEATH: self._kill_worker,
            Happening.LEAVE: self._ask_worker_to_leave,
        }
        self.points = Points(
            self.fault,
            planned={words: actions[what] for words, what in self.scenario.planned.items()},
            actions={Kind.MESSAGE: self._post, Kind.CANCEL: self._cancel},
        )
        self._clock = Clock()
        self._api: Deps | None = None
        self._sweeper: Sweeper | None = None
        self._running: _Running | None = None

    # --- the walk ------------------------------------------------------------------

    def play(self) -> None:
        """Go through the scenario to its end.

        Raises:
            Stuck: there is none.
        """
        self.ground.redis.delete(*ALL_QUEUES)
        self._open_session()
        with self.ground.redis.pubsub() as channel:  # type: ignore[no-untyped-call]  # redis-py leaves it bare
            channel.ssubscribe(live_channel(self.session_id))
            channel.get_message(timeout=5)
            try:
                if not self.scenario.watches_message:
                    self._api = self.ground.api
                self._post()
                self._api = None
                self._walk()
            finally:
                self._close()
            self.ground.redis.spublish(live_channel(self.session_id), _END_OF_FRAMES)
            while (heard := channel.get_message(timeout=5)["data"]) != _END_OF_FRAMES:
                self.frames.append(heard)

    def _walk(self) -> None:
        for _ in range(_MOST_ROUNDS):
            turn_id = self._next_wake_up()
            if turn_id is not None:
                self._deliver(turn_id)
                continue
            head = self.head()
            if head.open_turn_id is None:
                return
            if head.status == "waitingfortoolresults" and self.scenario.is_answered:
                self._answer()
            else:
                self._let_time_pass()
        raise Stuck(f"{self.head().status} after {_MOST_ROUNDS} rounds")

    def head(self) -> log.Head:
        with self.ground.database.reading() as tx:
            found = log.look(tx, self.session_id)
        assert found is not None
        return found

    def _next_wake_up(self) -> UUID | None:
        for queue in ALL_QUEUES:
            message = self.ground.redis.rpop(queue)
            if message is not None:
                body = json.loads(message)["body"]  # type: ignore[arg-type]  # not awaited
                return UUID(json.loads(base64.b64decode(body))[0][0])
        return None

    def _let_time_pass(self) -> None:
        """Whoever holds a lease is dead or knows nothing of it: it runs out, and others look."""
        self._clock.seconds += _LONG_SECONDS
        with self.ground.database.transaction() as tx:
            tx.execute(
                text(
                    "UPDATE turns SET available_at = now() - interval '1 s',"
                    " lease_until = CASE WHEN status = 'running' THEN now() - interval '1 s' END,"
                    " waiting_until = CASE WHEN status = 'waiting' THEN now() - interval '1 s' END"
                    " WHERE session_id = :s AND ended_at IS NULL"
                ),
                {"s": self.session_id},
            )
        if self._sweeper is None:
            self._sweeper = self._new_sweeper()
        try:
            self._sweeper.sweep()
        except Died:
            self._sweeper = None
        except DatabaseError:
            pass  # it looks again after its pause

    # --- workers -------------------------------------------------------------------

    def _deliver(self, turn_id: UUID) -> None:
        if self._running is None:
            process = self._process("worker")
            tools = self.effects.tools(self.scenario.tools)
            worker = watched_worker(self.ground.edges, tools, process, self._breaker)
            self._running = _Running(process, worker)
        running = self._running
        with suppress(Died):
            run_watched(running.worker, turn_id, running.process)
        if running.process.is_dead or running.worker.shutdown.has_begun:
            running.worker.stop()
            self._running = None

    def _kill_worker(self) -> None:
        assert self._running is not None
        self._running.process.die()

    def _ask_worker_to_leave(self) -> None:
        assert self._running is not None
        self._running.worker.shutdown.begin()

    # --- the client ----------------------------------------------------------------

    def _post(self) -> None:
        words = [{"type": "text", "text": "Go"}]
        message = NewMessage(words, {"controls": {"hints": {"llmsim": self.scenario.model}}})
        key = self._key("messages")
        stored = self._ask(lambda api: submit_message(api, _CALLER, self.session_id, message, key))
        if stored is not None:
            self.accepted.append(stored.data["message"]["id"])

    def _cancel(self) -> None:
        key = self._key("cancel")
        self._ask(lambda api: cancel_turn(api, _CALLER, self.session_id, key))

    def _answer(self) -> None:
        with self.ground.database.reading() as tx:
            waits = waiting.of_session(tx, DEFAULT_ORGANIZATION, self.session_id)
        if waits is None:
            return
        ids, key = [call.id for call in waits.pending], self._key(waits.kind)
        if waits.kind is WaitKind.RESULTS:
            results = tuple(ToolResult(call_id, {"found": 1}, None) for call_id in ids)
            self._ask(lambda api: submit_tool_results(api, _CALLER, self.session_id, results, key))
        else:
            allowed = tuple(CallDecision(call_id, Decision.ALLOW, None) for call_id in ids)
            self._ask(
                lambda api: submit_tool_approvals(api, _CALLER, self.session_id, allowed, key)
            )

    def _ask(self, request: Callable[[Deps], T]) -> T | None:
        """Ask until there is an answer; None when the answer is no."""
        for _ in range(_TRIES):
            if self._api is None:
                self._api = self._new_api()
            try:
                return request(self._api)
            except Died:
                self._api = None
            except DatabaseError:
                pass  # 503, so the client asks again
            except Conflict:
                return None
        raise Stuck("the client has no answer")

    def _key(self, route: str) -> IdempotencyKey:
        scope, key = str(self.session_id), str(new_id())
        return IdempotencyKey(DEFAULT_ORGANIZATION, "POST", route, scope, key, "body")

    # --- processes -----------------------------------------------------------------

    def _process(self, name: str) -> Process:
        return Process(name, self.points)

    def _breaker(self) -> Breaker:
        return Breaker(monotonic=self._clock)

    def _new_api(self) -> Deps:
        process, breaker, edges = self._process("api"), self._breaker(), self.ground.edges
        return replace(
            self.ground.api,
            database=edges.database(process, "api"),
            live=self._live(process, breaker),
            queue=WatchedQueue(edges.settings, breaker, process=process),
        )

    def _new_sweeper(self) -> Sweeper:
        process, breaker, edges = self._process("sweeper"), self._breaker(), self.ground.edges
        # It has been steady for long enough from its first look on.
        settings = replace(edges.settings, lease_seconds=0.0, renew_seconds=0.0)
        queue = WatchedQueue(settings, breaker, process=process)
        database = edges.database(process, "sweeper")
        live = self._live(process, breaker)
        # Else a slow machine decides how much it purges, which is limited in time.
        return Sweeper(settings, database, queue, live, monotonic=self._clock)

    def _live(self, process: Process, breaker: Breaker) -> Live:
        redis = self.ground.edges.redis(process, timeout_seconds=2.0)
        return Live(redis, breaker, text_ttl_seconds=60)

    def _open_session(self) -> None:
        with self.ground.database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                    " owner_principal_id, capabilities, tools) VALUES (:s, :o, :h, :s, :o,"
                    ' \'[{"ref": "noop", "config": {}}]\', CAST(:tools AS jsonb))'
                ),
                {
                    "s": self.session_id,
                    "o": DEFAULT_ORGANIZATION,
                    "h": GENERIC_HARNESS,
                    "tools": orjson.dumps(self.scenario.definitions).decode(),
                },
            )
            tx.execute(
                text("INSERT INTO session_heads (session_id) VALUES (:s)"), {"s": self.session_id}
            )

    def _close(self) -> None:
        """End what is left, and take care that later runs do not meet it."""
        if self._running is not None:
            self._running.worker.stop()
        with self.ground.database.transaction() as tx:
            tx.execute(
                text(
                    "UPDATE turns SET status = 'failed', ended_at = now()"
                    " WHERE session_id = :s AND ended_at IS NULL"
                ),
                {"s": self.session_id},
            )

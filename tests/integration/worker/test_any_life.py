"""Whatever happens to a session, in whatever order: nothing is lost, doubled or left open.

The storage, the api's use cases, the sweeper and the worker are the real ones.  What happens
does so between two transactions of the worker, where anybody else's may come in; and a worker
may die before any of its own, or in its commit, which then did not happen.
"""

from collections import Counter
from contextlib import suppress
from threading import get_ident
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from common.domain.errors import DomainError
from common.domain.events import TERMINAL_TYPES, EventType
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.message import calls_of
from common.domain.waiting import Decision, WaitKind
from common.event_codec import LoggedEvent
from common.storage import waiting
from tests.integration.worker.conftest import World, new_session
from tests.integration.worker.outside import LOOK_UP, Outside, calls, script
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability, SideEffect, Tool, ToolSucceeded

_SCRIPTS: dict[str, dict[str, Any]] = {
    "text": script(),
    "server": script(calls("pure", "once")),
    "client": script(calls("look_up", "look_up")),
    "guarded": script(calls("act", "act")),
    "mixed": script(calls("pure", "act", "look_up", "ask"), calls("once", "nowhere")),
    "failing": {"response": {"type": "model_not_available"}},
}
_TOOLS: list[dict[str, Any]] = [
    LOOK_UP,
    {**LOOK_UP, "name": "ask", "policy": "requires_approval"},
    {"type": "builtin", "name": "act", "policy": "requires_approval"},
]
_EFFECTS = {
    "pure": SideEffect.PURE,
    "once": SideEffect.AT_MOST_ONCE,
    "act": SideEffect.AT_MOST_ONCE,
}
_STEPS = 200

_SAY = [f"say {name}" for name in _SCRIPTS]
# Of a session that nobody works on.
_MOVES = st.one_of(
    st.sampled_from(_SAY),
    st.sampled_from(["give one", "give all", "give errors"]),
    st.sampled_from([f"decide {each}" for each in Decision]),
    st.sampled_from(["cancel", "time", "sweep"]),
)
# Of one that a worker is at; nothing, most of the time, or it would get nowhere.
_INTERRUPTIONS = st.one_of(
    *[st.just("nothing")] * 4,
    st.sampled_from(["die", "die", "die", "lose", "cancel", "sweep", *_SAY]),
)


class _Died(BaseException):
    """The worker's process ended here."""


def _capabilities() -> dict[str, Capability]:
    tools = tuple(
        Tool(name, name, name, {"type": "object"}, effect, lambda *_: ToolSucceeded(42))
        for name, effect in _EFFECTS.items()
    )
    return {"noop": Capability("noop", tools)}


class _Life:
    """A session with everybody who has to do with it; what is to happen is used up in order."""

    def __init__(self, world: World, worker: Worker) -> None:
        self.world, self.worker, self.outside = world, worker, Outside(world)
        self.moves: list[str] = []
        self.interruptions: list[str] = []
        self.deaths: list[bool] = []
        self._thread = get_ident()
        engine = worker.database.engine
        sqlalchemy_event.listen(engine, "begin", self._before)
        sqlalchemy_event.listen(engine, "commit", self._in_commit)

    def begin(self, moves: list[str], interruptions: list[str], deaths: list[bool]) -> None:
        """A new session."""
        self.world.session_id = new_session(self.world.database)
        self.world.grant("noop")
        self.outside.define(*_TOOLS)
        self.moves, self.interruptions = list(moves), list(interruptions)
        self.deaths = list(deaths)

    # --- what happens ---------------------------------------------------------------

    def _before(self, _connection: object) -> None:
        if get_ident() == self._thread and self.interruptions:
            self._make(self.interruptions.pop(0))

    def _in_commit(self, _connection: object) -> None:
        if get_ident() == self._thread and self.deaths and self.deaths.pop(0):
            raise _Died

    def _make(self, move: str) -> None:
        verb, _, more = move.partition(" ")
        # An answer that nobody waits for is refused, and that is all.
        with suppress(DomainError):
            match verb:
                case "say":
                    self.outside.say(more, hints={"llmsim": _SCRIPTS[more]})
                case "cancel":
                    self.outside.cancel()
                case "give":
                    self._give(more)
                case "decide":
                    self._decide(more)
                case "time":
                    self.outside.let_time_pass()
                case "sweep":
                    self.outside.sweep()
                case "lose":
                    self.lose()
                case "die":
                    raise _Died
                case _:
                    pass

    def lose(self) -> None:
        """Whoever holds a turn was silent for as long as a lease."""
        with self.world.database.transaction() as tx:
            tx.execute(text("UPDATE turns SET lease_until = now() - interval '1 s'"))
        self.outside.sweep()

    def _give(self, how: str) -> None:
        pending = self._pending(WaitKind.RESULTS)
        given = [(call_id, "found") for call_id in pending[: 1 if how == "one" else None]]
        self.outside.give(*given, error="not there" if how == "errors" else None)

    def _decide(self, said: str) -> None:
        self.outside.decide(*((call_id, said) for call_id in self._pending(WaitKind.DECISIONS)))

    def _pending(self, kind: WaitKind) -> list[str]:
        with self.world.database.reading() as tx:
            found = waiting.of_session(tx, DEFAULT_ORGANIZATION, self.world.session_id)
        is_asked = found is not None and found.kind is kind
        return [call.id for call in found.pending] if is_asked and found else ["call_x"]

    # --- who does something about it ------------------------------------------------

    def go_on(self) -> str:
        """To the end of all moves; where the session stands then."""
        for _ in range(_STEPS):
            match self._open_turn():
                case (turn_id, "queued"):
                    with suppress(_Died):
                        self.worker.run(turn_id)
                case (_, "running"):
                    self.lose()
                case _ if self.moves:
                    self._make(self.moves.pop(0))
                case _:
                    break
        return str(self.world.row("SELECT status FROM session_heads WHERE session_id = :s").status)

    def _open_turn(self) -> tuple[Any, str] | None:
        with self.world.database.reading() as tx:
            row = tx.execute(
                text(
                    "SELECT id, status FROM turns WHERE session_id = :s"
                    " AND status IN ('queued', 'running', 'waiting')"
                ),
                {"s": self.world.session_id},
            ).one_or_none()
        return None if row is None else (row.id, row.status)


@pytest.fixture
def life(world: World) -> _Life:
    return _Life(world, world.worker(_capabilities()))


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.sampled_from(list(_SCRIPTS)),
    moves=st.lists(_MOVES, max_size=8),
    interruptions=st.lists(_INTERRUPTIONS, max_size=30),
    deaths=st.lists(st.sampled_from([False, False, False, True]), max_size=20),
)
def test_any_course_of_events_leaves_the_session_whole(
    life: _Life, first: str, moves: list[str], interruptions: list[str], deaths: list[bool]
) -> None:
    life.begin([f"say {first}", *moves], interruptions, deaths)

    status = life.go_on()

    assert status in ("idle", "waitingfortoolresults")
    _assert_whole(life.world, is_waiting=status != "idle")
    # Nobody answers, so it ends by itself: a client may be asked after a person was.
    for _ in range(_STEPS):
        if status == "idle":
            break
        life.outside.let_time_pass()
        status = life.go_on()
    assert status == "idle"
    _assert_whole(life.world, is_waiting=False)


def _assert_whole(world: World, *, is_waiting: bool) -> None:
    events = world.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events == sorted(events, key=lambda event: event.ts)
    if not is_waiting:
        assert events[-1].type == EventType.SESSION_IDLED
    _assert_every_message_was_read_or_cancelled(events)
    _assert_every_turn_ended_once(world, events, open_turns=int(is_waiting))
    _assert_every_call_has_one_result(events, are_some_open=is_waiting)


def _assert_every_message_was_read_or_cancelled(events: list[LoggedEvent]) -> None:
    seen = (EventType.REASON_STARTED, EventType.TURN_CANCELLED)
    last_look = max((each.sequence for each in events if each.type in seen), default=0)
    said = [each.sequence for each in events if each.type == EventType.INPUT_MESSAGE]
    assert max(said) < last_look


def _assert_every_turn_ended_once(
    world: World, events: list[LoggedEvent], *, open_turns: int
) -> None:
    ended = Counter(each.context["turn_id"] for each in events if each.type in TERMINAL_TYPES)
    assert set(ended.values()) <= {1}
    with world.database.reading() as tx:
        rows = tx.execute(
            text("SELECT id, status FROM turns WHERE session_id = :s"), {"s": world.session_id}
        ).all()
    over = {show_id(Kind.TURN, row.id) for row in rows if row.status != "waiting"}
    assert set(ended) == over
    assert len(rows) == len(over) + open_turns


def _assert_every_call_has_one_result(events: list[LoggedEvent], *, are_some_open: bool) -> None:
    made = [
        call.id
        for event in events
        if event.type == EventType.OUTPUT_COMPLETED
        for call in calls_of(event.data["message"])
    ]
    assert len(set(made)) == len(made)
    results = Counter(
        event.data["tool_call_id"] for event in events if event.type == EventType.TOOL_COMPLETED
    )
    assert set(results.values()) <= {1}
    assert set(results) <= set(made)
    assert (set(results) < set(made)) is are_some_open

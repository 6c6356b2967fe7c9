"""Whoever answers a waiting turn, in whatever order: each call has one result, and it goes on.

The runner, the machine, the narration and what answers look like are the real ones; what the
api and the sweeper do in one transaction each is done here in one step each.
"""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain import waiting
from common.domain.errors import LeaseLost
from common.domain.events import MESSAGE_TYPES, TERMINAL_TYPES, EventType
from common.domain.turn import ToolCall
from common.domain.waiting import Decision, WaitKind
from common.event_codec import LoggedEvent
from tests.unit.turn.answering import FencedLog, Refused, Session, calls_in
from tests.unit.turn.stage import (
    TURN,
    Killed,
    Memory,
    Stage,
    answer,
    failure,
)
from worker.turn.act_events import CallKind
from worker.turn.acting import FinishedCall
from worker.turn.facts import fold
from worker.turn.machine import decide
from worker.turn.narration import Narrator
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.runner import HandOver
from worker.turn.state import Ended, Limits, TurnState, Wait

_KINDS = {
    "pure": CallKind(),
    "once": CallKind(),
    "client": CallKind(is_client_side=True),
    "guarded": CallKind(is_guarded=True),
    "guarded_client": CallKind(is_client_side=True, is_guarded=True),
    "refused": CallKind(is_refused=True),
}
_FATES = ["lost", "unknown", "killed before", "killed after"]
_TROUBLES = 14
_RECLAIMS = 3


class OutsideStage(Stage):
    """One turn whose tools are of every kind."""

    def narrator(self) -> Narrator:
        narrator = Stage.narrator(self)
        narrator.kinds_of = lambda calls: {call.id: _KINDS[call.name] for call in calls}
        return narrator


class _Course:
    """Draws what happens; after so many troubles everything goes well, so it ends."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self._troubles_left = data.draw(st.integers(0, _TROUBLES))
        self._calls = 0
        self.session = Session()
        self.reclaims = 0
        self.waited = 0

    def _is_trouble(self) -> bool:
        if self._troubles_left == 0 or not self._data.draw(st.booleans()):
            return False
        self._troubles_left -= 1
        return True

    def fate(self, _memory: Memory) -> str:
        return self._data.draw(st.sampled_from(_FATES)) if self._is_trouble() else "stored"

    def answers(self) -> ModelAnswer | ModelFailure:
        if self._is_trouble():
            raise Killed
        kind = self._data.draw(st.sampled_from(["text", "calls", "calls", "calls", "failure"]))
        if kind == "failure":
            return failure()
        names = self._data.draw(
            st.lists(st.sampled_from(list(_KINDS)), min_size=1, max_size=4)
            if kind == "calls"
            else st.just([])
        )
        return answer("words", *(self._new_call(name) for name in names))

    def _new_call(self, name: str) -> ToolCall:
        self._calls += 1
        return ToolCall(f"call_{self._calls}", name, {})

    def finishes(self, running: list[ToolCall]) -> list[FinishedCall]:
        if self._is_trouble():
            raise Killed
        done = running[: self._data.draw(st.integers(1, len(running)))]
        return [FinishedCall(call, CallResult("success", text="42")) for call in done]

    def somebody_interferes(self) -> None:
        """At any moment, whatever the turn is doing."""
        if self._is_trouble():
            self._somebody_does_something()

    def _somebody_does_something(self) -> None:
        session = self.session
        known = [call.id for call in calls_in(session)] or ["call_0"]
        ids = self._data.draw(st.lists(st.sampled_from([*known, "call_x"]), min_size=1, max_size=3))
        before = list(session.events)
        try:
            match self._data.draw(st.sampled_from(["give", "decide", "say", "cancel", "deadline"])):
                case "give":
                    session.give(list(dict.fromkeys(ids)))
                case "decide":
                    said = [self._data.draw(st.sampled_from(list(Decision))) for _ in ids]
                    session.decide(list(dict(zip(ids, said, strict=True)).items()))
                case "say" if session.is_open:
                    session.say()
                case "cancel" if self._data.draw(st.booleans()):
                    session.cancel()
                case _:
                    session.deadline(is_allowed=self._data.draw(st.booleans()))
        except Refused:
            assert session.events == before

    def wait(self) -> None:
        """Nobody holds the turn; somebody answers, in the end the deadline."""
        session = self.session
        self.waited += 1
        waits = session.waits
        assert waits is not None
        assert waits.pending, "a turn waits for something"
        folded = fold(TurnState(), session.events, turn_id=TURN)
        assert decide(folded) == Wait()
        assert not folded.unread, "no message waits with it"
        ids = [call.id for call in waits.pending]
        some = ids[: self._data.draw(st.integers(1, len(ids)))]
        if self._is_trouble():
            self._somebody_does_something()
        elif self._data.draw(st.integers(0, 4)) == 0:
            session.deadline(is_allowed=self._data.draw(st.booleans()))
        elif waits.kind is WaitKind.RESULTS:
            session.give(some)
        else:
            session.decide(
                [(each, self._data.draw(st.sampled_from(list(Decision)))) for each in some]
            )


def _play(stage: OutsideStage, course: _Course) -> None:
    session = course.session
    runner = stage.begin()
    while True:
        log = runner._session_log
        assert isinstance(log, FencedLog)
        log.meanwhile = course.somebody_interferes
        try:
            runner.run()
            course.reclaims = 0
        except Killed:
            course.reclaims += 1
        except (HandOver, LeaseLost):
            course.reclaims = 0
        while session.is_open and session.asking is not None:
            course.reclaims = 0
            course.wait()
        if not session.is_open:
            return
        session.epoch += 1
        runner = stage.resume(exhausted=course.reclaims >= _RECLAIMS)


@settings(max_examples=400, deadline=None)
@given(
    data=st.data(),
    limits=st.builds(
        Limits, max_iterations=st.integers(2, 5), parallel_calls=st.sampled_from([1, 2, 32])
    ),
)
def test_a_turn_ends_well_whoever_answers_it(data: st.DataObject, limits: Limits) -> None:
    course = _Course(data)
    stage = OutsideStage(
        answers=course.answers,
        finishes=course.finishes,
        fate=course.fate,
        limits=limits,
        may_repeat=lambda name: name == "pure",
        memory=course.session,
        make_log=FencedLog,
    )
    _play(stage, course)
    session = course.session
    _has_one_ending(session)
    _every_call_has_one_result(session)
    _every_answer_that_was_taken_is_there(session)
    _every_message_is_read_or_covered(session)
    _nothing_was_made_without_leave(stage, session)
    final = fold(TurnState(limits=limits), session.events, turn_id=TURN)
    assert isinstance(final.step, Ended)


def _has_one_ending(session: Session) -> None:
    types = session.types()
    assert len([each for each in types if each in TERMINAL_TYPES]) == 1
    is_idle = session.is_cancelled or (session.ending and session.ending.next_turn is None)
    assert types.count(EventType.SESSION_IDLED) == int(bool(is_idle))


def _every_call_has_one_result(session: Session) -> None:
    asked = [call.id for call in calls_in(session)]
    results = [event.data["tool_call_id"] for event in session.of_type(EventType.TOOL_COMPLETED)]
    assert Counter(results) == Counter(dict.fromkeys(asked, 1)), "I6: one result a call"


def _every_answer_that_was_taken_is_there(session: Session) -> None:
    by_id: dict[str, list[LoggedEvent]] = {}
    for event in session.events:
        if event.type in (EventType.TOOL_COMPLETED, EventType.TOOL_APPROVAL_RESOLVED):
            by_id.setdefault(event.data["tool_call_id"], []).append(event)
    assert set(session.answered) <= set(by_id)


def _every_message_is_read_or_covered(session: Session) -> None:
    last_reason = max(event.sequence for event in session.of_type(EventType.REASON_STARTED))
    end = next(event.sequence for event in session.events if event.type in TERMINAL_TYPES)
    unread = [
        event
        for event in session.of_type(EventType.INPUT_MESSAGE)
        if last_reason < event.sequence < end
    ]
    has_next = session.ending is not None and session.ending.next_turn is not None
    assert not unread or session.is_cancelled or has_next
    assert all(event.type in MESSAGE_TYPES for event in unread)


def _nothing_was_made_without_leave(stage: Stage, session: Session) -> None:
    names = {call.id: call.name for call in calls_in(session)}
    allowed = {
        event.data["tool_call_id"]
        for event in session.of_type(EventType.TOOL_APPROVAL_RESOLVED)
        if event.data["decision"] in waiting.ALLOWING
    }
    for call_id in stage.calls_made:
        assert names[call_id] in ("pure", "once") or (
            names[call_id] == "guarded" and call_id in allowed
        )
    made = Counter(stage.calls_made)
    assert all(times == 1 for call_id, times in made.items() if names[call_id] != "pure")
    for event in session.of_type(EventType.TOOL_CALL_REQUESTED):
        for call in event.data["tool_calls"]:
            assert call["name"] == "client" or call["id"] in allowed
    for kind in (EventType.TOOL_CALL_REQUESTED, EventType.TOOL_APPROVAL_REQUESTED):
        asked = Counter(
            call["id"] for event in session.of_type(kind) for call in event.data["tool_calls"]
        )
        assert max(asked.values(), default=1) == 1, "nobody is asked twice"

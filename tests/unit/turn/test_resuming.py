"""A worker that knows nothing but the log is where the one before it was (I4)."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.domain.turn import ToolCall
from tests.unit.turn.stage import TURN, Killed, Memory, Stage, answer, failure
from worker.turn.acting import FinishedCall
from worker.turn.facts import fact_of, fold
from worker.turn.machine import IllegalFact, apply, decide
from worker.turn.narration import Narrator
from worker.turn.outcome import CallResult, ModelAnswer
from worker.turn.state import (
    CallModel,
    Command,
    CompleteTurn,
    FailTurn,
    Limits,
    MessageArrived,
    RunCalls,
    SealTurn,
    TurnState,
    Wait,
)

_ONCE = ToolCall("call_1", "once", {})
_PURE = ToolCall("call_2", "pure", {})
_RESULT = CallResult("success", text="42")


def _narrated(
    command: Command, state: TurnState, narrator: Narrator, data: st.DataObject
) -> list[EventDraft]:
    """What goes into the log for a command, its effect made up."""
    match command:
        case CallModel():
            wanted = data.draw(st.sampled_from([-1, 0, 1, 3]))
            if wanted < 0:
                return narrator.unanswered(failure())
            base = 10 * state.iterations
            return narrator.answered(
                answer("words", *(ToolCall(f"c{base + n}", "tool", {}) for n in range(wanted)))
            )
        case RunCalls(calls):
            done = data.draw(st.permutations(calls))[: data.draw(st.integers(1, len(calls)))]
            return [narrator.call_ended(call, _RESULT) for call in done]
        case CompleteTurn():
            return [narrator.completed(state, duration_ms=1), narrator.idled(state)]
        case FailTurn(code):
            failed = narrator.failed({"error": "no", "error_code": code})
            return [failed, narrator.notice("no", code=code), narrator.idled(state)]
        case Wait():
            raise AssertionError("nobody outside is asked here")
        case SealTurn():
            return [narrator.sealed(state), narrator.notice("no", code="sealed")]
        case _:
            return narrator.narrate(command, state)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    limits=st.builds(
        Limits, max_iterations=st.integers(1, 3), parallel_calls=st.sampled_from([1, 9])
    ),
)
def test_the_log_folds_to_the_state_that_wrote_it(data: st.DataObject, limits: Limits) -> None:
    stage = Stage(answers=answer)
    narrator, memory = stage.narrator(), stage.memory
    memory.user_says()
    state = apply(TurnState(limits=limits), MessageArrived())
    while (command := decide(state)) is not None:
        drafts = _narrated(command, state, narrator, data)
        if data.draw(st.booleans()):
            memory.user_says()
            state = apply(state, MessageArrived())
        narrator.observe(memory.store(drafts))
        for draft in drafts:
            fact = fact_of(draft.type, draft.context, draft.data)
            state = state if fact is None else apply(state, fact)
        assert fold(TurnState(limits=limits), memory.events, turn_id=TURN) == state
        if len(memory.events) > 200:
            return
    fresh = stage.narrator()
    fresh.observe(memory.events)
    assert (fresh.exec_id, fresh.read_through, fresh.stream) == (
        narrator.exec_id,
        narrator.read_through,
        narrator.stream,
    )


def test_events_of_another_turn_do_not_count() -> None:
    stage = Stage(answers=answer)
    stage.begin().run()
    other = [
        event
        for event in stage.memory.events
        if event.context.get("turn_id") != show_id(Kind.TURN, TURN)
    ]
    assert [event.type for event in other] == ["input.message"]
    state = fold(TurnState(), stage.memory.events, turn_id=stage.new_id())
    assert state == TurnState(unread=True)


def test_a_log_that_no_turn_can_have_is_refused() -> None:
    stage = Stage(answers=answer)
    stage.begin().run()
    without_start = [event for event in stage.memory.events if event.type != "turn.started"]
    with pytest.raises(IllegalFact):
        fold(TurnState(), without_start, turn_id=TURN)


def _killed() -> ModelAnswer:
    raise Killed


def _killed_in_tools(_running: list[ToolCall]) -> list[FinishedCall]:
    raise Killed


def _stage_with_lost_calls() -> Stage:
    stage = Stage(
        answers=lambda: answer("", _ONCE, _PURE),
        finishes=_killed_in_tools,
        may_repeat=lambda name: name == "pure",
    )
    with pytest.raises(Killed):
        stage.begin().run()
    assert stage.calls_made == ["call_1", "call_2"]
    stage.finishes = lambda running: [FinishedCall(call, _RESULT) for call in running]
    stage.answers = lambda: answer("done")
    return stage


def test_a_call_that_may_not_be_repeated_is_recorded_as_interrupted() -> None:
    stage = _stage_with_lost_calls()
    stage.resume().run()
    assert stage.calls_made == ["call_1", "call_2", "call_2"]
    lost, repeated = [event.data for event in stage.memory.of_type(EventType.TOOL_COMPLETED)]
    assert (lost["tool_call_id"], lost["success"], lost["status"]) == ("call_1", False, "error")
    assert "unknown" in lost["error"]
    assert (repeated["tool_call_id"], repeated["success"]) == ("call_2", True)
    (act,) = stage.memory.of_type(EventType.ACT_COMPLETED)
    assert act.data == {"completed": True, "success_count": 1, "error_count": 1}


def test_results_that_are_in_the_log_are_not_asked_for_again() -> None:
    stage = _stage_with_lost_calls()
    stage.fate = _fail_after(1)
    with pytest.raises(Killed):
        stage.resume().run()
    made = list(stage.calls_made)
    stage.fate = lambda _memory: "stored"
    stage.resume().run()
    assert stage.calls_made == made
    (act,) = stage.memory.of_type(EventType.ACT_COMPLETED)
    assert act.data == {"completed": True, "success_count": 1, "error_count": 1}


def _fail_after(appends: int) -> Callable[[Memory], str]:
    left = iter(["stored"] * appends + ["killed after"])
    return lambda _memory: next(left)


# --- the connection breaks in a commit ------------------------------------------------


def test_an_append_that_went_in_unseen_is_not_repeated() -> None:
    fates = iter(["unknown"])
    stage = Stage(answers=lambda: answer("Hello"), fate=lambda _memory: next(fates, "stored"))
    stage.begin().run()
    assert stage.memory.types().count("output.message.completed") == 1
    assert stage.memory.types()[-2:] == ["turn.completed", "session.idled"]


def test_an_append_that_was_lost_is_made_again_with_the_same_answer() -> None:
    fates = iter(["lost"])
    asked: list[str] = []

    def answers() -> ModelAnswer:
        asked.append("once")
        return answer("Hello")

    stage = Stage(answers=answers, fate=lambda _memory: next(fates, "stored"))
    stage.begin().run()
    assert asked == ["once"]
    assert stage.memory.types()[-2:] == ["turn.completed", "session.idled"]


def test_a_lost_append_does_not_bring_the_lost_text_stream_back() -> None:
    stage = Stage(answers=_killed)
    with pytest.raises(Killed):
        stage.begin().run()
    fates = iter(["lost"])
    stage.fate, stage.answers = (lambda _memory: next(fates, "stored")), answer
    stage.resume().run()
    assert "reason.recovered" in stage.memory.types()
    first, second = stage.memory.of_type(EventType.OUTPUT_STARTED)
    assert stage.streams == [first.sequence, second.sequence]


def test_a_lost_append_does_not_run_a_lost_call_again() -> None:
    stage = _stage_with_lost_calls()
    fates = iter(["lost"])
    stage.fate = lambda _memory: next(fates, "stored")
    stage.resume().run()
    assert stage.calls_made.count("call_1") == 1


def test_a_lost_append_does_not_unseal_a_turn() -> None:
    stage = _stage_with_lost_calls()
    fates = iter(["lost"])
    stage.fate = lambda _memory: next(fates, "stored")
    stage.resume(exhausted=True).run()
    assert "turn.sealed" in stage.memory.types()
    assert stage.calls_made == ["call_1", "call_2"]


def test_a_message_that_comes_before_the_end_is_committed_is_read_first() -> None:
    came = iter([True])

    def fate(memory: Memory) -> str:
        if next(came, False):
            memory.user_says("wait")
        return "stored"

    stage = Stage(answers=lambda: answer("Hello"), fate=fate)
    stage.begin().run()
    types = stage.memory.types()
    assert types.count("turn.completed") == 1
    assert types.index("input.message", 1) < types.index("reason.started", 4)
    assert types.count("output.message.completed") == 2


def test_what_is_decided_anew_belongs_to_the_step_it_belonged_to() -> None:
    fates = iter(["stored", "lost"])
    answers = iter([answer("", _PURE), answer("done")])
    stage = Stage(answers=lambda: next(answers), fate=lambda _memory: next(fates, "stored"))
    stage.begin().run()
    steps = {event.type: event.context.get("exec_id") for event in stage.memory.events}
    assert steps["act.completed"] == steps["tool.completed"] == steps["act.started"]
    assert steps["reason.started"] == steps["output.message.started"] != steps["act.started"]

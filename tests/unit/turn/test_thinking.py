"""Thinking in the log of a turn: its own text stream, before the answer's (design 4)."""

import dataclasses
from collections.abc import Sequence

import pytest

from common.domain.events import EventDraft, EventType
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from tests.unit.turn.stage import Killed, Memory, Stage, answer, failure
from worker.llm.driver import ThinkingBlock
from worker.turn.outcome import ModelAnswer, ModelFailure

_START = ["input.message", "turn.started", "session.activated", "reason.started"]
_THOUGHT = ["reason.thinking.started", "reason.thinking.completed", "output.message.started"]
_ANSWER = ["output.message.completed", "llm.generation", "reason.completed"]
_END = ["turn.completed", "session.idled"]
_BLOCK = ThinkingBlock("hm", "anthropic", {"signature": "only for the provider"})


def _killed() -> ModelAnswer | ModelFailure:
    raise Killed


def _stage(*thoughts: str) -> Stage:
    return Stage(answers=answer, thoughts=lambda: thoughts)


def test_thinking_has_a_stream_of_its_own_before_the_answer_s() -> None:
    stage = _stage("hm", ", so")
    stage.begin().run()
    assert stage.memory.types() == [*_START, *_THOUGHT, *_ANSWER, *_END]
    by_type = {event.type: event for event in stage.memory.events}
    opened, closed = by_type["reason.thinking.started"], by_type["reason.thinking.completed"]
    turn_id = opened.context["turn_id"]
    assert opened.data == {"turn_id": turn_id, "model": "llmsim-model"}
    assert closed.data == {"turn_id": turn_id, "thinking": "hm, so"}
    assert closed.context["stream_sequence"] == opened.sequence
    completed = by_type["output.message.completed"]
    assert completed.context["stream_sequence"] == by_type["output.message.started"].sequence
    assert by_type["output.message.started"].data["iteration"] == 1
    exec_ids = {by_type[kind].context["exec_id"] for kind in (*_THOUGHT, *_ANSWER)}
    assert len(exec_ids) == 1


def test_a_step_that_was_to_think_and_did_not_opens_its_answer_s_stream_late() -> None:
    stage = _stage()
    stage.begin().run()
    assert stage.memory.types() == [*_START, "output.message.started", *_ANSWER, *_END]


def test_each_step_thinks_for_itself() -> None:
    answers = iter([answer("", ToolCall("call_1", "tool", {})), answer("Done")])
    stage = _stage("hm")
    stage.answers = lambda: next(answers)
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        *_THOUGHT,
        *_ANSWER,
        *("act.started", "tool.started", "tool.completed", "act.completed", "reason.started"),
        *_THOUGHT,
        *_ANSWER,
        *_END,
    ]
    first, second = stage.memory.of_type(EventType.OUTPUT_STARTED)
    assert (first.data["iteration"], second.data["iteration"]) == (1, 2)


def test_late_thinking_is_told_before_the_answer_and_closes_nothing() -> None:
    stage = Stage(answers=lambda: dataclasses.replace(answer("hi"), late_thinking="hm"))
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        "output.message.started",
        "reason.thinking.completed",
        *_ANSWER,
        *_END,
    ]
    (told,) = stage.memory.of_type(EventType.THINKING_COMPLETED)
    assert told.data["thinking"] == "hm"
    assert "stream_sequence" not in told.context


def test_what_a_provider_wants_back_is_beside_the_answer_and_in_no_payload() -> None:
    kept: list[EventDraft] = []

    class _Keeps(Memory):
        def store(self, drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
            kept.extend(drafts)
            return super().store(drafts)

    stage = Stage(
        answers=lambda: dataclasses.replace(answer("hi"), thinking=(_BLOCK,)), memory=_Keeps()
    )
    stage.begin().run()
    private = {draft.type: draft.private for draft in kept if draft.private is not None}
    assert private == {
        EventType.OUTPUT_COMPLETED: {
            "thinking": [
                {
                    "text": "hm",
                    "provider_type": "anthropic",
                    "provider_id": "",
                    "replay": {"signature": "only for the provider"},
                }
            ]
        }
    }
    assert not any("only for" in event.data_json for event in stage.memory.events)


def test_a_failure_after_thinking_leaves_its_stream_without_an_end() -> None:
    stage = _stage("hm")
    stage.answers = failure
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        "reason.thinking.started",
        *("llm.generation", "reason.completed", "turn.failed"),
        *("output.message.completed", "session.idled"),
    ]


def test_a_failure_before_anything_opens_nothing() -> None:
    stage = _stage()
    stage.answers = failure
    stage.begin().run()
    assert "output.message.started" not in stage.memory.types()
    assert stage.memory.types()[-3:-1] == ["turn.failed", "output.message.completed"]


def test_a_worker_lost_in_mid_thinking_is_followed_by_a_new_stream() -> None:
    stage = _stage("hm")
    stage.answers = _killed
    with pytest.raises(Killed):
        stage.begin().run()
    stage.answers = answer
    stage.resume().run()
    assert stage.memory.types() == [
        *_START,
        "reason.thinking.started",
        "reason.recovered",
        *_THOUGHT,
        *_ANSWER,
        *_END,
    ]
    (recovered,) = stage.memory.of_type(EventType.REASON_RECOVERED)
    assert recovered.data["accumulated_len"] == 0, "nothing of an answer was lost"
    (opened,) = stage.memory.of_type(EventType.OUTPUT_STARTED)
    assert opened.data["iteration"] == 1


def test_a_worker_lost_before_it_thought_is_followed_too() -> None:
    stage = _stage()
    stage.answers = _killed
    with pytest.raises(Killed):
        stage.begin().run()
    stage.answers, stage.thoughts = answer, lambda: None
    stage.resume().run()
    assert stage.memory.types() == [
        *_START,
        "reason.recovered",
        "output.message.started",
        *_ANSWER,
        *_END,
    ]


@pytest.mark.parametrize("fate", ["lost", "unknown"])
@pytest.mark.parametrize("append", [0, 1])
def test_an_opener_of_unknown_fate_is_in_the_log_once(fate: str, append: int) -> None:
    fates = iter(["stored"] * append + [fate])
    stage = _stage("hm")
    stage.fate = lambda _memory: next(fates, "stored")
    stage.begin().run()
    assert stage.memory.types() == [*_START, *_THOUGHT, *_ANSWER, *_END]


def test_a_message_in_mid_thinking_is_read_by_the_next_step() -> None:
    answers = iter([answer("First."), answer("Both.")])
    stage = _stage("hm")

    def speak() -> ModelAnswer | ModelFailure:
        if len(stage.memory.of_type(EventType.INPUT_MESSAGE)) == 1:
            stage.memory.user_says("and that?")
        return next(answers)

    stage.answers = speak
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        "reason.thinking.started",
        "input.message",
        *_THOUGHT[1:],
        *_ANSWER,
        "reason.started",
        *_THOUGHT,
        *_ANSWER,
        *_END,
    ]

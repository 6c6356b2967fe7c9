"""What is measured of a turn is what its committed events say, each told once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from tests.unit.turn.stage import TURN, Stage, answer, failure
from worker.turn.account import (
    Begun,
    ModelCalled,
    StepEnded,
    ToolCalled,
    TurnAccount,
    TurnEnded,
)
from worker.turn.outcome import ModelAnswer, ModelFailure

_CALL = ToolCall("call_1", "look_up", {})
# Seconds between one event and the next, where a test does not say otherwise.
_STEP = 1.0


@dataclass
class Listener:
    """A witness that keeps what it hears."""

    recalled: list[LoggedEvent] = field(default_factory=list)
    seen: list[LoggedEvent] = field(default_factory=list)

    def recall(self, events: list[LoggedEvent]) -> None:
        self.recalled += events

    def see(self, events: list[LoggedEvent]) -> None:
        self.seen += events


def _each(*outcomes: ModelAnswer | ModelFailure) -> Iterator[ModelAnswer | ModelFailure]:
    yield from outcomes


def _played(*outcomes: ModelAnswer | ModelFailure) -> list[LoggedEvent]:
    """The events of a turn in which the model answers so, a second apart."""
    left = _each(*outcomes)
    stage = Stage(answers=lambda: next(left))
    stage.begin().run()
    return [
        replace(event, ts=event.ts + timedelta(seconds=_STEP * place))
        for place, event in enumerate(stage.memory.events)
    ]


def test_every_event_of_a_turn_is_told_once_by_whoever_committed_it() -> None:
    left, listener = _each(answer("", _CALL), answer("done")), Listener()
    stage = Stage(answers=lambda: next(left), witness=listener)
    stage.begin().run()
    told = [event.sequence for event in listener.seen]
    assert told == [event.sequence for event in stage.memory.events[1:]]
    assert listener.recalled == []


def test_who_takes_over_tells_only_what_it_adds() -> None:
    listener = Listener()
    stage = Stage(answers=lambda: answer("done"), witness=listener)
    stage.begin()
    before = len(listener.seen)
    stage.resume().run()
    assert [event.sequence for event in listener.recalled] == [1, *range(2, 2 + before)]
    told = [event.sequence for event in listener.seen]
    assert told == [event.sequence for event in stage.memory.events[1:]]


def test_a_turn_with_a_tool_call_in_numbers() -> None:
    events = _played(answer("", _CALL), answer("done"))
    at = {event.type: event.ts for event in reversed(events)}
    measures = TurnAccount(TURN, queued_seconds=0.5).see(events)
    kinds = [type(measured) for measured in measures]
    assert kinds == [
        Begun, ModelCalled, StepEnded, ToolCalled, StepEnded, ModelCalled, StepEnded, TurnEnded,
    ]  # fmt: skip
    begun, first, reason, tool, act, _, second, ended = measures
    assert begun == Begun(0.5)
    assert isinstance(first, ModelCalled)
    assert (first.provider, first.model) == ("llmsim", "llmsim-model")
    assert (first.seconds, first.first_token_seconds) == (0.21, 0.02)
    assert (first.finish_reason, first.failure) == ("tool_calls", None)
    assert (first.usage.input_tokens, first.usage.output_tokens) == (10, 2)
    assert isinstance(reason, StepEnded)
    assert (reason.kind, reason.gap_seconds) == ("reason", None)
    assert isinstance(tool, ToolCalled)
    assert (tool.name, tool.status, tool.is_known) == ("look_up", "success", False)
    assert isinstance(act, StepEnded)
    assert (act.kind, act.gap_seconds) == ("act", _STEP)
    assert isinstance(second, StepEnded)
    assert isinstance(ended, TurnEnded)
    assert (ended.outcome, ended.iterations, ended.usage.input_tokens) == ("completed", 2, 20)
    # Neither the model's time nor the tools', of all that passed.
    acting = (act.ended - act.began).total_seconds()
    assert ended.seconds == (at["turn.completed"] - at["turn.started"]).total_seconds()
    assert ended.overhead_seconds == pytest.approx(ended.seconds - 2 * 0.21 - acting)
    called_at = (first.ended - at["turn.started"]).total_seconds() - 0.21
    assert ended.first_token_seconds == pytest.approx(0.5 + called_at + 0.02)


def test_a_failed_turn_says_why() -> None:
    measures = TurnAccount(TURN, queued_seconds=0.0).see(_played(failure("rate_limited")))
    (called,) = [each for each in measures if isinstance(each, ModelCalled)]
    assert called.failure == "rate_limited"
    (ended,) = [each for each in measures if isinstance(each, TurnEnded)]
    assert (ended.outcome, ended.first_token_seconds) == ("failed", None)
    assert ended.code


def test_what_was_before_counts_for_the_whole_and_is_not_told_again() -> None:
    events = _played(answer("", _CALL), answer("done"))
    whole = TurnAccount(TURN, queued_seconds=0.0).see(events)[-1]
    half = len(events) // 2
    account = TurnAccount(TURN, queued_seconds=None)
    account.recall(events[:half])
    measures = account.see(events[half:])
    assert not any(isinstance(each, Begun) for each in measures)
    assert isinstance(whole, TurnEnded)
    assert measures[-1] == replace(whole, first_token_seconds=None)


def test_other_turns_of_the_session_are_not_counted() -> None:
    events = _played(answer("done"))
    other = TurnAccount(type(TURN)(int=7), queued_seconds=0.0)
    assert other.see(events) == []

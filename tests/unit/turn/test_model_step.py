"""Which model is asked, in what order, and with what."""

import threading
from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from common.domain.events import EventType, Usage
from common.domain.model import ModelProfile
from tests.unit.turn.models import FIRST, OK, SECOND, THIRD, Script, World, down, with_models
from tests.unit.turn.stage import CONFIG, SESSION, Stage
from worker.llm.driver import (
    FailureReason,
    LLMFailure,
    Reply,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from worker.turn.config import ModelChoice, ModelMissing
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.reason_events import Stream, kept_thinking


def test_the_request_says_what_the_message_asks_for() -> None:
    profile = ModelProfile(reasons=True, context_tokens=1000)
    controls = {"max_tokens": 5, "temperature": 0.5, "reasoning": {"effort": "low"}}
    world = World(
        {"first": [list(OK)]},
        replace(CONFIG, model=replace(FIRST, profile=profile)),
        controls,
    )
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    (request,) = world.asked
    assert (request.max_tokens, request.temperature, request.effort) == (5, 0.5, "low")
    assert (request.profile, request.cache_key) == (profile, SESSION.hex)
    assert (request.settings, request.system_prompt) == ({"for": "first"}, "Be brief.")
    assert [message.text for message in request.messages] == ["hello"]
    assert answer.asked is not None
    assert (answer.asked.name, answer.model) == ("first", "as-named-by-provider")


@pytest.mark.parametrize(
    "reason",
    [
        FailureReason.UNAVAILABLE,
        FailureReason.RATE_LIMITED,
        FailureReason.USAGE_LIMIT_REACHED,
        FailureReason.QUOTA_EXHAUSTED,
        FailureReason.MODEL_UNAVAILABLE,
        FailureReason.MISCONFIGURED,
    ],
)
def test_a_model_that_is_down_gives_way_to_the_next(reason: FailureReason) -> None:
    scripts: dict[str, list[Script]] = {"first": [down(reason)], "second": [list(OK)]}
    answer = World(scripts, with_models(SECOND, THIRD)).run()
    assert isinstance(answer, ModelAnswer)
    assert answer.asked == SECOND
    assert [(each.reason, each.asked) for each in answer.given_up] == [(reason, FIRST)]


@pytest.mark.parametrize(
    "reason",
    [
        FailureReason.REQUEST_TOO_LARGE,
        FailureReason.INVALID_TOOL_SCHEMA,
        FailureReason.PROCESSING_ERROR,
    ],
)
def test_what_another_model_would_not_do_better_is_not_tried_again(reason: FailureReason) -> None:
    failure = World({"first": [down(reason)]}, with_models(SECOND)).run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.given_up) == (reason, ())


def test_when_all_are_down_it_is_the_chosen_one_s_failure_that_is_told() -> None:
    scripts: dict[str, list[Script]] = {
        "first": [down(FailureReason.RATE_LIMITED)],
        "third": [down(FailureReason.MISCONFIGURED)],
    }
    failure = World(scripts, with_models(ModelMissing("gone"), THIRD)).run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.asked) == ("provider_rate_limited", FIRST)
    assert [each.reason for each in failure.given_up] == [
        "model_unavailable",
        "provider_misconfigured",
    ]


def test_once_something_was_shown_no_other_model_speaks() -> None:
    script: Script = [TextDelta("Hel"), *down()]
    failure = World({"first": [script], "second": [list(OK)]}, with_models(SECOND)).run()
    assert isinstance(failure, ModelFailure)
    assert failure.is_shown
    thinking: Script = [ThinkingDelta("hm"), *down()]
    world = World({"first": [thinking], "second": [list(OK)]}, with_models(SECOND))
    assert isinstance(world.run(is_open=False), ModelFailure)


def test_thinking_that_nobody_saw_does_not_keep_the_next_from_speaking() -> None:
    thinking: Script = [ThinkingDelta("hm"), *down()]
    world = World({"first": [thinking], "second": [list(OK)]}, with_models(SECOND))
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.late_thinking == ""


def _limited(seconds: float) -> Script:
    limited = LLMFailure(
        FailureReason.RATE_LIMITED, "slow down", may_retry=True, retry_after_seconds=seconds
    )
    return [limited]


def test_a_provider_that_wants_a_long_pause_gives_way_at_once() -> None:
    scripts: dict[str, list[Script]] = {"first": [_limited(30)], "second": [list(OK)]}
    answer = World(scripts, with_models(ModelMissing("gone"), SECOND)).run()
    assert isinstance(answer, ModelAnswer)
    assert answer.asked == SECOND
    assert [each.retries for each in answer.given_up] == [0, 0]


def test_a_short_pause_is_waited_for_before_another_model_is_asked() -> None:
    scripts: dict[str, list[Script]] = {
        "first": [_limited(0.01), list(OK)],
        "second": [list(OK)],
    }
    answer = World(scripts, with_models(SECOND)).run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.asked, answer.retries) == (FIRST, 1)


@pytest.mark.parametrize("fallbacks", [(), (ModelMissing("gone"),)])
def test_without_another_model_a_long_pause_is_waited_for(
    fallbacks: tuple[ModelMissing, ...],
) -> None:
    world = World({"first": [_limited(30), list(OK)]}, with_models(*fallbacks))
    stop = _Patient()
    world.lease.stop = stop
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    assert (answer.retries, stop.waited) == (1, [30])


class _Patient(threading.Event):
    """A stop flag that is waited on in no time."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        return False


def test_thinking_is_given_back_to_none_but_whom_it_came_from() -> None:
    def told(first: ModelChoice) -> list[str]:
        world = World({"first": [list(OK)]}, with_models(model=first), said=("one", "two", "three"))
        blocks = [
            {"text": "mine", "provider_type": "one", "provider_id": "provider_1", "replay": {}},
            {"text": "other's", "provider_type": "one", "provider_id": "provider_9", "replay": {}},
            # As the previous release kept them.
            {"text": "nobody's", "provider_type": "one", "replay": {}},
        ]
        private = orjson.dumps({"thinking": blocks}).decode()
        world.memory.events[1] = replace(world.memory.events[1], private_json=private)
        world.run()
        (request,) = world.asked
        return [block.text for message in request.messages for block in message.thinking]

    assert told(FIRST) == ["mine"]
    assert told(replace(FIRST, profile=ModelProfile(context_tokens=10_000))) == []


def test_an_answer_s_thinking_is_kept_with_the_provider_it_came_from() -> None:
    thinking = ThinkingBlock("hm", "one", {"signature": "s"})
    script: Script = [TextDelta("So"), Reply(Usage(), "stop", "m", thinking=(thinking,))]
    answer = World({"first": [script]}, with_models()).run()
    assert isinstance(answer, ModelAnswer)
    narrator = Stage(answers=lambda: answer).narrator()
    narrator.stream = Stream(6, UUID(int=8))
    (private,) = [draft.private for draft in narrator.answered(answer) if draft.private]
    assert kept_thinking(private) == (replace(thinking, provider_id="provider_1"),)


def test_an_open_breaker_costs_no_call_and_gives_way() -> None:
    world = World({"second": [list(OK)]}, with_models(SECOND), closed=True)
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    assert [request.model for request in world.asked] == ["second"]
    assert "circuit breaker" in answer.given_up[0].detail


def test_a_provider_that_cannot_be_reached_at_all_gives_way() -> None:
    gone = LLMFailure(FailureReason.MISCONFIGURED, "its key cannot be read")
    world = World({"second": [list(OK)]}, with_models(SECOND), unreachable={"first": gone})
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.given_up[0].detail == "its key cannot be read"


def test_a_model_that_a_message_names_has_no_fallback() -> None:
    world = World({"wished": [down()]}, with_models(SECOND), {"model_id": "wished"})
    failure = world.run()
    assert isinstance(failure, ModelFailure)
    assert [request.model for request in world.asked] == ["wished"]
    missing = World({}, with_models(SECOND), {"model_id": "no-such"}).run()
    assert isinstance(missing, ModelFailure)
    assert (missing.reason, missing.model) == ("model_unavailable", "no-such")


def test_without_any_model_there_is_none_to_fall_back_from() -> None:
    failure = World({}, with_models(SECOND, model=ModelMissing(""))).run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.model) == ("model_not_configured", None)


_TOO_LARGE = FailureReason.REQUEST_TOO_LARGE


def test_a_question_that_is_too_large_is_shortened_once() -> None:
    said = ("begin " + "x" * 40_000 + " end",)
    world = World({"first": [down(_TOO_LARGE), list(OK)]}, with_models(), said=said)
    assert isinstance(world.run(), ModelAnswer)
    whole, shorter = (request.messages[0].text for request in world.asked)
    assert whole == said[0]
    assert len(shorter) < len(whole) / 2
    assert (shorter[:6], shorter[-4:]) == ("begin ", " end")
    assert world.stored == []
    again = World({"first": [down(_TOO_LARGE), down(_TOO_LARGE)]}, with_models(), said=said)
    failure = again.run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, len(again.asked)) == ("request_too_large", 2)


def test_what_cannot_be_shortened_is_not_asked_again() -> None:
    world = World({"first": [down(_TOO_LARGE)]}, with_models())
    assert isinstance(world.run(), ModelFailure)
    assert len(world.asked) == 1


def test_thinking_and_text_are_streamed_each_under_its_opener() -> None:
    thinking = ThinkingBlock("hm", "one", {"signature": "s"})
    script: Script = [
        ThinkingDelta("hm"),
        TextDelta("So"),
        Reply(Usage(), "stop", "m", thinking=(thinking,)),
    ]
    world = World({"first": [script]}, with_models())
    answer = world.run(is_open=False)
    assert isinstance(answer, ModelAnswer)
    assert [draft.type for draft in world.stored] == [
        EventType.THINKING_STARTED,
        EventType.THINKING_COMPLETED,
        EventType.OUTPUT_STARTED,
    ]
    assert world.stored[0].data["model"] == "first"
    assert [(chunk.opener, chunk.text) for chunk in world.sent] == [(2, b"hm"), (4, b"So")]
    assert answer.thinking == (thinking,)


def test_an_answer_without_text_opens_its_stream_at_the_end() -> None:
    world = World({"first": [[Reply(Usage(), "stop", "m")]]}, with_models())
    answer = world.run(is_open=False)
    assert isinstance(answer, ModelAnswer)
    assert [draft.type for draft in world.stored] == [EventType.OUTPUT_STARTED]


def test_replay_data_that_cannot_be_kept_is_a_failure_of_the_answer() -> None:
    broken = ThinkingBlock("hm", "one", {"signature": object()})
    script: Script = [TextDelta("So"), Reply(Usage(), "stop", "m", thinking=(broken,))]
    failure = World({"first": [script]}, with_models()).run()
    assert isinstance(failure, ModelFailure)
    assert (failure.reason, failure.asked) == ("processing_error", FIRST)


def test_events_tell_of_each_model_that_was_tried() -> None:
    scripts: dict[str, list[Script]] = {"first": [down()], "third": [list(OK)]}
    answer = World(scripts, with_models(ModelMissing("gone"), THIRD)).run()
    assert isinstance(answer, ModelAnswer)
    narrator = Stage(answers=lambda: answer).narrator()
    narrator.stream = Stream(6, UUID(int=8))
    drafts = narrator.answered(answer)
    told = [draft.data["metadata"] for draft in drafts if draft.type == EventType.LLM_GENERATION]
    assert [(each["model"], each["success"]) for each in told] == [
        ("first", False),
        ("gone", False),
        ("as-named-by-provider", True),
    ]
    assert "fallback" not in told[0]
    assert told[1]["fallback"] == {"from": "first", "reason": "provider_unavailable"}
    assert told[2]["fallback"] == {"from": "gone", "reason": "model_unavailable"}
    assert [each["provider"] for each in told] == ["one", None, "three"]
    (completed,) = [draft for draft in drafts if draft.type == EventType.OUTPUT_COMPLETED]
    assert completed.data["metadata"] == {
        "model": "as-named-by-provider",
        "model_id": "model_3",
        "provider_id": "provider_3",
    }
    assert orjson.dumps(completed.data)

"""How a conversation that comes near the model's window is made smaller."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.events import EventType, Usage
from common.domain.model import UNKNOWN_MODEL, ModelProfile
from tests.unit.turn.models import FIRST, OK, SECOND, Script, World, down, with_models
from worker.capabilities.composition import CapabilityGrant, Composition
from worker.llm.driver import FailureReason, Reply, TextDelta
from worker.turn.context_window import entry_of, total_tokens
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.summary import INSTRUCTION, SUMMARY_TOKENS, limit_within

_SMALL = replace(FIRST, profile=ModelProfile(context_tokens=2_000, output_tokens=200))
# Of the window 1,700 tokens are for messages.
_LONG = tuple(f"{number}: " + "x" * 1_400 for number in range(5))
_SUMMARY: Script = [TextDelta("They said x."), Reply(Usage(50, 4), "stop", "m")]
_TOO_LARGE = FailureReason.REQUEST_TOO_LARGE


def _types(world: World) -> list[str]:
    return [draft.type for draft in world.stored]


def _configured(**config: Any) -> Composition:
    return Composition((CapabilityGrant("compaction", config),), (), {}, {})


def test_what_fits_is_sent_as_it_is() -> None:
    world = World({"first": [list(OK)]}, with_models(model=_SMALL), said=_LONG[:3])
    assert isinstance(world.run(), ModelAnswer)
    assert [message.text for message in world.asked[0].messages] == list(_LONG[:3])
    assert world.stored == []


def test_the_older_part_is_summed_up_before_the_model_is_asked() -> None:
    world = World({"first": [_SUMMARY, list(OK)]}, with_models(model=_SMALL), said=_LONG)
    answer = world.run()
    assert isinstance(answer, ModelAnswer)
    assert answer.text == "hi"

    for_summary, for_answer = world.asked
    assert (for_summary.system_prompt, for_summary.tools) == (INSTRUCTION, ())
    assert "User: 0: xx" in for_summary.messages[0].text
    assert "Assistant: 1: xx" in for_summary.messages[0].text
    assert "4: xx" not in for_summary.messages[0].text
    summary, *kept = [message.text for message in for_answer.messages]
    assert summary.endswith("They said x.")
    assert kept == [_LONG[4]]

    compacting, compacted = world.stored
    assert compacting.type == EventType.CONTEXT_COMPACTING
    assert compacting.data == {
        "reason": "proactive_budget",
        "strategy": "summary",
        "messages_before": 5,
    }
    assert compacted.type == EventType.CONTEXT_COMPACTED
    told = {**compacted.data, "duration_ms": 0}
    assert told == {
        "strategy_used": "summary",
        "messages_before": 5,
        "messages_after": 2,
        "duration_ms": 0,
        "through_sequence": 4,
        "summary": "They said x.",
        "usage": {"input_tokens": 50, "output_tokens": 4},
    }
    assert all(draft.context["exec_id"] == "exec_1" for draft in world.stored)
    assert [chunk.text for chunk in world.sent] == [b"hi"], "nobody sees the summary being made"


@pytest.mark.parametrize("script", [down(), [Reply(Usage(), "stop", "m")]])
def test_without_a_summary_the_newest_part_is_sent(script: Script) -> None:
    world = World({"first": [script, list(OK)]}, with_models(model=_SMALL), said=_LONG)
    assert isinstance(world.run(), ModelAnswer)
    assert _types(world) == [EventType.CONTEXT_COMPACTING, EventType.CONTEXT_COMPACTION_FAILED]
    assert [message.text for message in world.asked[1].messages] == list(_LONG[2:])


def test_why_there_is_no_summary_is_told_by_its_reason_and_kept_in_the_provider_s_words() -> None:
    world = World({"first": [down(), list(OK)]}, with_models(model=_SMALL), said=_LONG)
    world.run()
    failed = world.stored[-1]
    assert failed.data == {"reason": "provider_unavailable"}
    assert failed.private == {"error": "provider_unavailable it said"}


@pytest.mark.parametrize(
    ("context", "output", "limit"),
    [(4096, 1024, 1024), (2048, 8192, 512), (2048, None, 512), (200_000, 64_000, 2000)],
)
def test_a_summary_is_asked_for_that_the_model_can_write(
    context: int, output: int | None, limit: int
) -> None:
    profile = ModelProfile(context_tokens=context, output_tokens=output)
    model = replace(FIRST, profile=profile)
    said = tuple("x" * context for _ in range(5))
    world = World({"first": [_SUMMARY, list(OK)]}, with_models(model=model), said=said)
    world.run()
    assert world.asked[0].system_prompt == INSTRUCTION
    assert world.asked[0].max_tokens == limit


def test_of_an_unknown_model_a_summary_of_usual_length_is_asked_for() -> None:
    assert limit_within(UNKNOWN_MODEL, SUMMARY_TOKENS) == SUMMARY_TOKENS


def test_what_a_model_finds_too_large_is_summed_up_and_asked_once_more() -> None:
    scripts: dict[str, list[Script]] = {"first": [down(_TOO_LARGE), _SUMMARY, list(OK)]}
    world = World(scripts, with_models(), said=_LONG)
    assert isinstance(world.run(), ModelAnswer)
    assert _types(world) == [EventType.CONTEXT_COMPACTING, EventType.CONTEXT_COMPACTED]
    assert world.stored[0].data["reason"] == "request_too_large"
    whole, _, smaller = (
        sum(len(message.text) for message in request.messages) for request in world.asked
    )
    assert smaller < whole / 2


def test_when_not_even_the_summary_can_be_had_the_older_part_is_left_out() -> None:
    scripts: dict[str, list[Script]] = {
        "first": [down(_TOO_LARGE), down(_TOO_LARGE), list(OK)],
    }
    world = World(scripts, with_models(), said=_LONG)
    assert isinstance(world.run(), ModelAnswer)
    compacted = world.stored[-1].data
    assert (compacted["strategy_used"], compacted["summary"]) == ("trim", None)
    assert [message.text for message in world.asked[2].messages] == [_LONG[4]]


def test_a_model_that_refuses_again_fails_the_step() -> None:
    scripts: dict[str, list[Script]] = {"first": [down(_TOO_LARGE), _SUMMARY, down(_TOO_LARGE)]}
    failure = World(scripts, with_models(SECOND), said=_LONG).run()
    assert isinstance(failure, ModelFailure)
    assert failure.reason == _TOO_LARGE


def test_trimming_asks_no_model() -> None:
    config = with_models(model=_SMALL)
    world = World({"first": [list(OK)]}, config, said=_LONG)
    world.composition = _configured(strategy="trim")
    assert isinstance(world.run(), ModelAnswer)
    assert world.stored[-1].data["strategy_used"] == "trim"
    assert [message.text for message in world.asked[0].messages] == [_LONG[4]]


def test_when_it_happens_can_be_configured() -> None:
    world = World({"first": [_SUMMARY, list(OK)]}, with_models(model=_SMALL), said=_LONG[:3])
    world.composition = _configured(threshold=0.5)
    assert isinstance(world.run(), ModelAnswer)
    assert _types(world) == [EventType.CONTEXT_COMPACTING, EventType.CONTEXT_COMPACTED]


def test_a_smaller_fallback_is_sent_less() -> None:
    small = replace(_SMALL, id="model_2", name="second")
    scripts: dict[str, list[Script]] = {"first": [down()], "second": [_SUMMARY, list(OK)]}
    world = World(scripts, with_models(small), said=_LONG)
    assert isinstance(world.run(), ModelAnswer)
    assert [len(request.messages) for request in world.asked] == [5, 1, 2]


@given(
    lengths=st.lists(st.integers(1, 9_000), min_size=1, max_size=9).filter(lambda x: len(x) % 2),
    context=st.integers(4_000, 40_000),
)
def test_what_is_sent_always_fits_the_window(lengths: list[int], context: int) -> None:
    model = replace(FIRST, profile=ModelProfile(context_tokens=context, output_tokens=500))
    scripts: dict[str, list[Script]] = {"first": [_SUMMARY, list(OK)]}
    world = World(scripts, with_models(model=model), said=["y" * length for length in lengths])
    if not isinstance(world.run(), ModelAnswer):
        pytest.fail("no answer")
    for request in world.asked:
        sent = [entry_of(0, message) for message in request.messages]
        assert total_tokens(sent) <= context - 500
    assert world.asked[-1].messages[-1].text[-1] == "y"

"""The simulated model in the roles that tests of others need: thinking, failing, botching."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.llm.requests import a_request
from worker.llm.driver import (
    FailureReason,
    LLMFailure,
    Reply,
    Streamed,
    TextDelta,
    ThinkingDelta,
)
from worker.llm.llmsim.driver import SimulatedModel


def _stream(
    settings: Mapping[str, Any], *, attempt: int = 0, step: int = 0
) -> tuple[list[Streamed], LLMFailure | None]:
    request = replace(a_request(settings=settings, step=lambda: step), attempt=attempt)
    parts: list[Streamed] = []
    try:
        parts.extend(SimulatedModel().stream(request, stop=threading.Event()))
    except LLMFailure as failure:
        return parts, failure
    return parts, None


def _answer(settings: Mapping[str, Any], **options: int) -> tuple[str, str, Reply]:
    """Thinking, text and reply."""
    parts, failure = _stream(settings, **options)
    assert failure is None
    *said, reply = parts
    assert isinstance(reply, Reply)
    thinking = "".join(part.text for part in said if isinstance(part, ThinkingDelta))
    return thinking, "".join(part.text for part in said if isinstance(part, TextDelta)), reply


def _script(**turn: Any) -> dict[str, Any]:
    return {"response": {"type": "scripted", "turns": [turn]}}


def test_it_thinks_word_by_word_before_it_speaks_and_signs_it() -> None:
    settings = {"thinking": "Let me think.", "response": {"type": "fixed", "text": "Hi there"}}
    parts, _ = _stream(settings)
    kinds = [type(part) for part in parts]
    assert kinds == [*[ThinkingDelta] * 3, *[TextDelta] * 2, Reply]
    thinking, text, reply = _answer(settings)
    assert (thinking, text) == ("Let me think.", "Hi there")
    (block,) = reply.thinking
    assert (block.text, block.provider_type) == ("Let me think.", "llmsim")
    assert block.replay["signature"]
    assert _answer(settings)[2].thinking == reply.thinking
    assert _answer({**settings, "thinking": "Else"})[2].thinking[0].replay != block.replay


def test_thinking_counts_as_output() -> None:
    plain = _answer({})[2].usage.output_tokens
    assert _answer({"thinking": "x" * 40})[2].usage.output_tokens == plain + 10


def test_a_turn_of_a_script_has_its_own_thinking() -> None:
    turns = [{"text": "a", "thinking": "first"}, {"text": "b"}]
    settings = {"thinking": "always", "response": {"type": "scripted", "turns": turns}}
    assert _answer(settings, step=0)[0] == "first"
    assert _answer(settings, step=1)[0] == "always"


def test_the_finish_reason_is_what_it_is_told_to_be() -> None:
    assert _answer({"finish_reason": "refusal"})[2].finish_reason == "refusal"
    assert _answer(_script(text="a", finish_reason="length"))[2].finish_reason == "length"


@pytest.mark.parametrize(
    ("botched", "raw"), [({"malformed_arguments": True}, '{"half": '), ({"malformed": "no"}, "no")]
)
def test_a_call_may_come_with_broken_arguments(botched: dict[str, Any], raw: str) -> None:
    (call,) = _answer(_script(tool_calls=[{"name": "add", **botched}]))[2].tool_calls
    assert (call.name, call.arguments, call.malformed) == ("add", {}, raw)


def test_arguments_are_whole_when_they_are_not_told_to_be_broken() -> None:
    (call,) = _answer(_script(tool_calls=[{"name": "a", "malformed_arguments": False}]))[
        2
    ].tool_calls
    assert call.malformed is None


@pytest.mark.parametrize("reason", list(FailureReason))
def test_it_fails_for_every_reason(reason: FailureReason) -> None:
    worth_a_retry = reason in (FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE)
    for settings in (
        {"response": {"type": "error", "kind": reason}},
        _script(error=reason),
        _script(error={"kind": reason}),
    ):
        parts, failure = _stream(settings)
        assert parts == []
        assert failure is not None
        assert (failure.reason, failure.may_retry) == (reason, worth_a_retry)
        assert failure.retry_after_seconds is None
        assert failure.detail


def test_it_says_how_long_to_wait_and_why() -> None:
    error = {"kind": "rate_limit", "retry_after_seconds": 2.5, "message": "slower"}
    for settings in ({"response": {"type": "error", **error}}, _script(error=error)):
        _, failure = _stream(settings)
        assert failure is not None
        assert (failure.retry_after_seconds, failure.detail) == (2.5, "slower")


def test_it_fails_so_many_times_without_a_word_and_then_speaks() -> None:
    error = {"kind": "timeout", "fail_times": 2}
    whole = {"response": {"type": "error", "text": "At last.", **error}}
    for settings in (whole, _script(text="At last.", error=error)):
        for attempt in (0, 1):
            parts, failure = _stream(settings, attempt=attempt)
            assert parts == []
            assert failure is not None
            assert failure.reason is FailureReason.UNAVAILABLE
        assert _answer(settings, attempt=2)[1] == "At last."


def test_a_failure_that_never_ends_comes_after_thinking_and_text() -> None:
    settings = _script(text="I was", thinking="hm", error="other")
    parts, failure = _stream(settings, attempt=50)
    assert parts == [ThinkingDelta("hm"), TextDelta("I"), TextDelta(" was")]
    assert failure is not None

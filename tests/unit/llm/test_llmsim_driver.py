import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.turn import ToolCall
from worker.llm.driver import (
    FailureReason,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    ModelMessage,
    Reply,
    TextDelta,
    ToolDeclaration,
)
from worker.llm.llmsim.driver import SimulatedModel
from worker.llm.llmsim.settings import GREETING

_ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}
_MUL = {"name": "multiply", "arguments": {}}
_ASKED = ModelMessage("user", "What is the sum?")
_RESULT = ModelMessage("tool", "3", tool_call_id="call_0_0")


def _request(
    settings: Mapping[str, Any] | None = None,
    *messages: ModelMessage,
    step: int = 0,
    max_tokens: int | None = None,
) -> LLMRequest:
    return LLMRequest(
        model="llmsim-model",
        system_prompt="",
        messages=messages or (_ASKED,),
        step=lambda: step,
        max_tokens=max_tokens,
        settings=settings or {},
    )


def _answer(request: LLMRequest) -> tuple[str, Reply]:
    *deltas, reply = SimulatedModel().stream(request, stop=threading.Event())
    assert isinstance(reply, Reply)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), reply


def _failure(request: LLMRequest) -> tuple[str, LLMFailure]:
    text = ""
    try:
        for part in SimulatedModel().stream(request, stop=threading.Event()):
            assert isinstance(part, TextDelta)
            text += part.text
    except LLMFailure as failure:
        return text, failure
    raise AssertionError("it did not fail")


def _text(response: Mapping[str, Any], *, step: int = 0) -> str:
    return _answer(_request({"response": response}, step=step))[0]


def _call_names(settings: Mapping[str, Any], *messages: ModelMessage, step: int = 0) -> list[str]:
    return [call.name for call in _answer(_request(settings, *messages, step=step))[1].tool_calls]


def test_it_echoes_the_last_user_message_by_default() -> None:
    text, reply = _answer(
        _request(None, _ASKED, ModelMessage("assistant", "Three."), ModelMessage("user", "Thanks"))
    )
    assert text == "Echo: Thanks"
    assert reply.finish_reason == "stop"
    assert reply.model == "llmsim-model"
    assert reply.response_id
    assert reply.tool_calls == ()


def test_without_a_user_message_the_echo_is_empty() -> None:
    assert _answer(_request(None, ModelMessage("assistant", "Hello")))[0] == "Echo: "


def test_each_response_type_gives_its_text() -> None:
    assert _text({"type": "fixed"}) == GREETING
    assert "simulated" in GREETING
    assert _text({"type": "fixed", "text": "Hi"}) == "Hi"
    assert _text({"type": "empty"}) == ""
    sequence = {"type": "sequence", "texts": ["one", "two"]}
    assert [_text(sequence, step=step) for step in range(3)] == ["one", "two", "one"]


@given(st.integers(min_value=1, max_value=3000))
def test_lorem_has_the_wanted_tokens_and_is_always_the_same(target_tokens: int) -> None:
    request = _request({"response": {"type": "lorem", "target_tokens": target_tokens}})
    text, reply = _answer(request)
    assert reply.usage.output_tokens == target_tokens
    assert text == _answer(request)[0]


@given(st.text(), st.none() | st.integers(min_value=0, max_value=20))
def test_the_deltas_make_up_the_text(text: str, max_tokens: int | None) -> None:
    settings = {"response": {"type": "fixed", "text": text}}
    said, reply = _answer(_request(settings, max_tokens=max_tokens))
    if max_tokens is None or len(text) <= max_tokens * 4:
        assert (said, reply.finish_reason) == (text, "stop")
    else:
        assert (said, reply.finish_reason) == (text[: max_tokens * 4], "length")
        assert reply.usage.output_tokens == max(max_tokens, 1)


@given(st.text(min_size=1))
def test_no_delta_is_empty_or_long(text: str) -> None:
    settings = {"response": {"type": "fixed", "text": text}}
    parts = list(SimulatedModel().stream(_request(settings), stop=threading.Event()))
    assert all(0 < len(part.text) <= 32 for part in parts if isinstance(part, TextDelta))


def test_a_text_comes_word_by_word() -> None:
    settings = {"response": {"type": "fixed", "text": "To be, or\nnot"}}
    parts = list(SimulatedModel().stream(_request(settings), stop=threading.Event()))
    assert parts[:-1] == [TextDelta(word) for word in ("To", " be,", " or", "\nnot")]


def test_tokens_are_a_quarter_of_the_characters_of_the_whole_request() -> None:
    alone = LLMRequest(model="m", system_prompt="", messages=())
    assert _answer(alone)[1].usage.input_tokens == 1
    call = ToolCall("id", "abcd", {})
    full = LLMRequest(
        model="m",
        system_prompt="x" * 8,
        messages=(ModelMessage("assistant", "x" * 4, tool_calls=(call,)),),
        tools=(ToolDeclaration("four", "four", {}),),
    )
    # 8 of the prompt, 4 + 4 + 2 of message and call, 4 + 4 + 2 of the tool.
    assert _answer(full)[1].usage.input_tokens == 7


def test_fixed_calls_are_made_unless_the_last_message_is_a_tool_result() -> None:
    settings = {"tool_calls": {"type": "fixed", "tool_calls": [_ADD, _MUL]}}
    text, reply = _answer(_request(settings))
    assert text == "Echo: What is the sum?"
    assert reply.finish_reason == "tool_calls"
    assert [(call.id, call.name) for call in reply.tool_calls] == [
        ("call_0_0", "add"),
        ("call_0_1", "multiply"),
    ]
    assert _answer(_request(settings, _ASKED, _RESULT))[1].finish_reason == "stop"


def test_a_repeated_call_has_the_same_ids_and_another_step_has_others() -> None:
    settings = {"tool_calls": {"type": "fixed", "tool_calls": [_ADD, {**_ADD, "id": "mine"}]}}
    first, again = _answer(_request(settings, step=4)), _answer(_request(settings, step=4))
    assert first == again
    assert [call.id for call in first[1].tool_calls] == ["call_4_0", "mine"]
    assert _answer(_request(settings, step=5))[1].tool_calls[0].id == "call_5_0"


def test_a_call_sequence_follows_the_step_even_after_a_tool_result() -> None:
    settings = {"tool_calls": {"type": "sequence", "steps": [[_ADD], [_MUL], []]}}
    assert _call_names(settings, step=0) == ["add"]
    assert _call_names(settings, _ASKED, _RESULT, step=1) == ["multiply"]
    assert _call_names(settings, _ASKED, _RESULT, step=2) == []
    assert _call_names(settings, step=3) == ["add"]


def test_conditional_calls_look_at_the_last_user_message() -> None:
    rules = [
        {"contains": "SUM", "tool_calls": [_ADD]},
        {"contains": "what", "tool_calls": [_MUL]},
    ]
    settings = {"tool_calls": {"type": "conditional", "rules": rules}}
    assert _call_names(settings) == ["add"]
    assert _call_names(settings, _ASKED, ModelMessage("user", "And what else?")) == ["multiply"]
    assert _call_names(settings, ModelMessage("user", "Hello")) == []
    assert _call_names(settings, _ASKED, _RESULT) == []


def test_a_cut_answer_makes_no_calls() -> None:
    settings = {"tool_calls": {"type": "fixed", "tool_calls": [_ADD]}}
    reply = _answer(_request(settings, max_tokens=1))[1]
    assert (reply.finish_reason, reply.tool_calls) == ("length", ())


def test_a_script_goes_by_the_step_and_may_chain_tool_calls() -> None:
    turns = [{"tool_calls": [_ADD]}, {"text": "Then", "tool_calls": [_MUL]}, {"text": "Done."}]
    settings = {"response": {"type": "scripted", "turns": turns}}
    assert _call_names(settings, step=0) == ["add"]
    assert _call_names(settings, _ASKED, _RESULT, step=1) == ["multiply"]
    assert _text(settings["response"], step=1) == "Then"
    assert _text(settings["response"], step=2) == "Done."


def test_an_exhausted_script_does_as_it_is_told() -> None:
    script = {"type": "scripted", "turns": [{"text": "a"}, {"text": "b"}]}
    assert _text(script, step=7) == "b"
    assert _text({**script, "on_exhausted": "loop"}, step=6) == "a"
    _, failure = _failure(_request({"response": {**script, "on_exhausted": "error"}}, step=2))
    assert failure.reason is FailureReason.PROCESSING_ERROR


@pytest.mark.parametrize(
    ("kind", "reason", "may_retry"),
    [
        ("rate_limit", FailureReason.RATE_LIMITED, True),
        ("timeout", FailureReason.UNAVAILABLE, True),
        ("invalid_response", FailureReason.PROCESSING_ERROR, False),
        ("other", FailureReason.UNAVAILABLE, True),
    ],
)
def test_a_scripted_error_comes_after_the_text_of_its_turn(
    kind: str, reason: FailureReason, *, may_retry: bool
) -> None:
    turns = [{"text": "I was about to", "error": kind}]
    text, failure = _failure(_request({"response": {"type": "scripted", "turns": turns}}))
    assert text == "I was about to"
    assert (failure.reason, failure.may_retry) == (reason, may_retry)
    assert kind in failure.detail


def test_a_plain_error_carries_its_message_and_is_not_retried() -> None:
    text, failure = _failure(_request({"response": {"type": "error", "message": "boom"}}))
    assert text == ""
    assert failure.reason is FailureReason.PROCESSING_ERROR
    assert failure.detail == "boom"
    assert not failure.may_retry


def test_a_model_can_be_unavailable() -> None:
    _, failure = _failure(_request({"response": {"type": "model_not_available"}}))
    assert failure.reason is FailureReason.MODEL_UNAVAILABLE
    assert "llmsim-model" in failure.detail


def test_wrong_settings_are_a_misconfigured_provider() -> None:
    _, failure = _failure(_request({"response": {"type": "shout"}}))
    assert failure.reason is FailureReason.MISCONFIGURED
    assert failure.detail.startswith("llmsim.response.type: ")
    assert not failure.may_retry


def test_the_log_is_not_asked_for_the_step_by_who_does_not_need_it() -> None:
    def never() -> int:
        raise AssertionError("asked")

    request = LLMRequest(model="m", system_prompt="", messages=(_ASKED,), step=never)
    assert _answer(request)[0] == "Echo: What is the sum?"


def test_it_is_a_driver() -> None:
    driver: LLMDriver = SimulatedModel()
    stream = driver.stream(_request(), stop=threading.Event())
    next(stream)
    stream.close()
    assert list(stream) == []

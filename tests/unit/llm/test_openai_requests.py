"""The two formats of OpenAI."""

from typing import Any

import pytest

from common.domain.model import ModelProfile
from tests.unit.llm.requests import ADD, ASKED, CALLED, RESULT, a_request
from worker.llm.driver import Endpoint, LinkedImage, LLMRequest, ModelMessage, ThinkingBlock
from worker.llm.openai_completions_request import completions_request
from worker.llm.openai_responses_request import responses_request

_OWN = Endpoint("p", "openai_completions")
_OTHER = Endpoint("p", "openai_completions", base_url="http://localhost:8000/v1")
_AZURE = Endpoint("p", "azure_openai", base_url="https://me.openai.azure.com")
_ROUTER = Endpoint("p", "openrouter")
_THINKER = ModelProfile(reasons=True)
_CALL_JSON = '{"a": 1, "b": 2}'


def _chat(request: LLMRequest, endpoint: Endpoint = _OTHER) -> dict[str, Any]:
    return completions_request(request, endpoint)


def test_a_plain_question_as_a_response() -> None:
    content = [{"type": "input_text", "text": "What is the sum?"}]
    assert responses_request(a_request()) == {
        "model": "a-model",
        "input": [{"type": "message", "role": "user", "content": content}],
        "stream": True,
        "store": False,
    }


def test_a_plain_question_as_a_chat() -> None:
    assert _chat(a_request()) == {
        "model": "a-model",
        "messages": [{"role": "user", "content": "What is the sum?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_tool_turn_as_a_response() -> None:
    payload = responses_request(
        a_request(ASKED, CALLED, RESULT, system_prompt="Add.", tools=(ADD,), cache_key="k")
    )
    assert payload["instructions"] == "Add."
    assert payload["prompt_cache_key"] == "k"
    assert payload["parallel_tool_calls"] is True
    assert payload["tools"] == [
        {
            "type": "function",
            "name": "add",
            "description": "Adds.",
            "parameters": {"type": "object"},
            "strict": False,
        }
    ]
    assert payload["input"][1:] == [
        {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": _CALL_JSON},
        {"type": "function_call_output", "call_id": "call_1", "output": "3"},
    ]


def test_a_tool_turn_as_a_chat() -> None:
    payload = _chat(a_request(ASKED, CALLED, RESULT, system_prompt="Add.", tools=(ADD,)))
    function = {"name": "add", "arguments": _CALL_JSON}
    assert payload["messages"] == [
        {"role": "system", "content": "Add."},
        {"role": "user", "content": "What is the sum?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "3"},
    ]
    assert payload["tools"] == [
        {
            "type": "function",
            "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}},
        }
    ]
    assert "parallel_tool_calls" not in payload
    assert _chat(a_request(tools=(ADD,), parallel_tool_calls=False))["parallel_tool_calls"] is False


def test_an_empty_answer_is_not_repeated() -> None:
    empty = ModelMessage("assistant", "")
    assert len(responses_request(a_request(ASKED, empty, ASKED))["input"]) == 2
    assert len(_chat(a_request(ASKED, empty, ASKED))["messages"]) == 2


def test_a_picture_may_stand_without_a_text() -> None:
    picture = ModelMessage("user", "", images=(LinkedImage("https://example.com/a.png"),))
    (part,) = responses_request(a_request(picture))["input"][0]["content"]
    assert part["image_url"] == "https://example.com/a.png"
    (part,) = _chat(a_request(picture))["messages"][0]["content"]
    assert part["image_url"] == {"url": "https://example.com/a.png"}


@pytest.mark.parametrize(
    ("endpoint", "is_openai"), [(_OWN, True), (_AZURE, True), (_OTHER, False), (_ROUTER, False)]
)
def test_what_only_openai_knows_is_sent_to_no_other(endpoint: Endpoint, *, is_openai: bool) -> None:
    payload = _chat(a_request(max_tokens=9, cache_key="k"), endpoint)
    assert ("prompt_cache_key" in payload) == is_openai
    assert payload["max_completion_tokens" if is_openai else "max_tokens"] == 9
    assert len({"max_completion_tokens", "max_tokens"} & payload.keys()) == 1


@pytest.mark.parametrize("host", ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_openai_is_known_by_its_address(host: str) -> None:
    endpoint = Endpoint("p", "openai_completions", base_url=host)
    assert "prompt_cache_key" in _chat(a_request(cache_key="k"), endpoint)
    lookalike = Endpoint("p", "openai_completions", base_url="https://notopenai.com/v1")
    assert "prompt_cache_key" not in _chat(a_request(cache_key="k"), lookalike)


def test_limits_and_temperature_are_sent_only_when_asked_for() -> None:
    asked = a_request(max_tokens=9, temperature=0.0)
    assert responses_request(asked)["max_output_tokens"] == 9
    assert responses_request(asked)["temperature"] == 0.0
    assert _chat(asked)["temperature"] == 0.0
    for payload in (responses_request(a_request()), _chat(a_request())):
        assert not {"temperature", "max_tokens", "max_output_tokens"} & payload.keys()


@pytest.mark.parametrize(
    "profile", [_THINKER, ModelProfile(takes_temperature=False)], ids=["thinks", "refuses it"]
)
def test_no_temperature_for_a_model_that_takes_none(profile: ModelProfile) -> None:
    request = a_request(temperature=0.5, profile=profile)
    assert "temperature" not in responses_request(request)
    assert "temperature" not in _chat(request)


def test_an_effort_is_passed_on() -> None:
    request = a_request(effort="high", temperature=0.5)
    payload = responses_request(request)
    assert payload["reasoning"] == {"effort": "high", "summary": "auto"}
    assert payload["include"] == ["reasoning.encrypted_content"]
    assert "temperature" not in payload
    assert _chat(request)["reasoning_effort"] == "high"


def test_a_model_that_is_known_not_to_think_is_not_asked_to() -> None:
    request = a_request(effort="high", profile=ModelProfile(context_tokens=128_000))
    assert "reasoning" not in responses_request(request)
    assert "reasoning_effort" not in _chat(request)


def test_thinking_is_turned_off_only_where_there_is_some() -> None:
    assert "reasoning" not in responses_request(a_request(effort="none"))
    assert "reasoning_effort" not in _chat(a_request(effort="none"))
    off = a_request(effort="none", profile=_THINKER)
    assert responses_request(off)["reasoning"] == {"effort": "none"}
    assert _chat(off)["reasoning_effort"] == "none"


def test_thinking_of_its_own_accord_is_to_come_back_too() -> None:
    payload = responses_request(a_request(profile=_THINKER))
    assert payload["include"] == ["reasoning.encrypted_content"]
    assert "reasoning" not in payload


def test_only_encrypted_thinking_of_its_own_is_replayed() -> None:
    thinking = (
        ThinkingBlock("open", "openai", {}),
        ThinkingBlock("foreign", "anthropic", {"encrypted_content": "x"}),
        ThinkingBlock("a", "openai", {"id": "rs", "encrypted_content": "x", "summary": ["a"]}),
    )
    said = ModelMessage("assistant", "Three.", thinking=thinking)
    items = responses_request(a_request(ASKED, said))["input"][1:]
    assert items == [
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": "x",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Three."}],
        },
    ]

"""Thinking: asked for, heard, and given back unchanged to who alone understands it."""

import pytest

from common.domain.events import Usage
from common.domain.model import ModelProfile
from tests.contract.llm.playback import Answer, Event, Playback
from tests.contract.llm.stage import ASKED, KEY, WEATHER, Heard, a_request, hear
from worker.llm.driver import Endpoint, LLMRequest, ModelMessage, ThinkingBlock

_MODEL = ModelProfile(reasons=True, takes_temperature=False, output_tokens=64_000)


def _anthropic_block(index: int, block: Event, *deltas: Event) -> tuple[Event, ...]:
    return (
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": index},
    )


_ANTHROPIC: tuple[Event, ...] = (
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": [],
            "usage": {
                "input_tokens": 10,
                "output_tokens": 1,
                "cache_read_input_tokens": 500,
                "cache_creation_input_tokens": 40,
            },
        },
    },
    *_anthropic_block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Tokyo is "},
        {"type": "thinking_delta", "thinking": "in Japan."},
        {"type": "signature_delta", "signature": "c2lnbmF0dXJl"},
    ),
    *_anthropic_block(1, {"type": "redacted_thinking", "data": "aGlkZGVu"}),
    *_anthropic_block(
        2, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Let me look."}
    ),
    *_anthropic_block(
        3,
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"city": "To'},
        {"type": "input_json_delta", "partial_json": 'kyo"}'},
    ),
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 77},
    },
    {"type": "message_stop"},
)

_REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [
        {"type": "summary_text", "text": "Tokyo is in Japan."},
        {"type": "summary_text", "text": "I look it up."},
    ],
    "encrypted_content": "Z2VoZWlt",
}
_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city": "Tokyo"}',
    "status": "completed",
}


def _summary(index: int, text: str) -> tuple[Event, ...]:
    place = {"item_id": "rs_1", "output_index": 0, "summary_index": index}
    return (
        {
            "type": "response.reasoning_summary_part.added",
            **place,
            "part": {"type": "summary_text", "text": ""},
        },
        {"type": "response.reasoning_summary_text.delta", **place, "delta": text},
        {"type": "response.reasoning_summary_text.done", **place, "text": text},
    )


_RESPONSES: tuple[Event, ...] = (
    {
        "type": "response.created",
        "response": {"id": "resp_1", "model": "gpt-x", "output": [], "status": "in_progress"},
    },
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "half"},
    },
    *_summary(0, "Tokyo is in Japan."),
    *_summary(1, "I look it up."),
    {"type": "response.output_item.done", "output_index": 0, "item": _REASONING},
    {
        "type": "response.output_item.added",
        "output_index": 1,
        "item": {**_CALL, "arguments": "", "status": "in_progress"},
    },
    {
        "type": "response.function_call_arguments.delta",
        "item_id": "fc_1",
        "output_index": 1,
        "delta": '{"city"',
    },
    {"type": "response.output_item.done", "output_index": 1, "item": _CALL},
    {
        "type": "response.completed",
        "response": {
            "id": "resp_1",
            "model": "gpt-x",
            "status": "completed",
            "output": [_REASONING, _CALL],
            "incomplete_details": None,
            "usage": {
                "input_tokens": 550,
                "input_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 40},
                "output_tokens": 77,
                "output_tokens_details": {"reasoning_tokens": 60},
                "total_tokens": 627,
            },
        },
    },
)


def _chunk(delta: Event, finish_reason: str | None = None) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c_1", "object": "chat.completion.chunk", "model": "r1", "choices": [choice]}


def _completions(field: str) -> tuple[Event, ...]:
    call = {"index": 0, "id": "call_1", "type": "function"}
    usage = {
        "prompt_tokens": 550,
        "completion_tokens": 77,
        "total_tokens": 627,
        "prompt_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 40},
    }
    return (
        {"id": "c_1", "model": "r1", "choices": []},  # as Azure begins
        _chunk({"role": "assistant", "content": None, field: "Tokyo is "}),
        _chunk({field: "in Japan."}),
        _chunk({"content": "Let me look."}),
        _chunk({"tool_calls": [{**call, "function": {"name": "get_weather", "arguments": ""}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": "Tokyo"}'}}]}),
        # Some servers say `stop` although they call.
        _chunk({}, "stop"),
        {**_chunk({}), "choices": [], "usage": usage},
    )


def _endpoint(playback: Playback, provider_type: str) -> Endpoint:
    return Endpoint("provider_test", provider_type, playback.url, KEY)


def _request(*messages: ModelMessage, effort: str = "medium") -> LLMRequest:
    return a_request(*messages, effort=effort, profile=_MODEL, tools=(WEATHER,))


def _call_is_whole(heard: Heard) -> bool:
    (call,) = heard.end.tool_calls
    return (call.name, call.arguments) == ("get_weather", {"city": "Tokyo"})


def _next_step(heard: Heard) -> LLMRequest:
    """The request of the step after the tool call that was heard."""
    (call,) = heard.end.tool_calls
    answer = ModelMessage("assistant", heard.text, tool_calls=(call,), thinking=heard.end.thinking)
    return _request(ASKED, answer, ModelMessage("tool", "sunny", tool_call_id=call.id))


def test_anthropic_thinks_signs_and_gets_it_back(playback: Playback) -> None:
    playback.plays_events(*_ANTHROPIC)
    endpoint = _endpoint(playback, "anthropic")
    heard = hear(endpoint, _request())
    assert heard.thoughts == ["Tokyo is ", "in Japan."]
    assert heard.text == "Let me look."
    assert heard.end.finish_reason == "tool_calls"
    assert _call_is_whole(heard)
    assert heard.end.usage == Usage(550, 77, 500, 40)
    assert (heard.end.response_id, heard.end.model) == ("msg_1", "claude-x")
    asked = playback.received[0].body
    assert asked["thinking"] == {"type": "enabled", "budget_tokens": 10240}
    assert asked["max_tokens"] > 10240
    assert "temperature" not in asked

    hear(endpoint, _next_step(heard))
    answer = playback.received[1].body["messages"][1]
    assert answer["role"] == "assistant"
    assert answer["content"] == [
        {"type": "thinking", "thinking": "Tokyo is in Japan.", "signature": "c2lnbmF0dXJl"},
        {"type": "redacted_thinking", "data": "aGlkZGVu"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Tokyo"}},
    ]


def test_openai_thinks_and_gets_its_reasoning_item_back(playback: Playback) -> None:
    playback.plays_events(*_RESPONSES)
    endpoint = _endpoint(playback, "openai")
    heard = hear(endpoint, _request())
    assert heard.thinking == "Tokyo is in Japan.\n\nI look it up."
    (block,) = heard.end.thinking
    assert block.text == heard.thinking
    assert heard.end.finish_reason == "tool_calls"
    assert _call_is_whole(heard)
    assert heard.end.usage == Usage(550, 77, 500, 40)
    assert (heard.end.response_id, heard.end.model) == ("resp_1", "gpt-x")
    asked = playback.received[0].body
    assert asked["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert asked["include"] == ["reasoning.encrypted_content"]
    assert asked["store"] is False

    hear(endpoint, _next_step(heard))
    kinds = [item["type"] for item in playback.received[1].body["input"]]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output"]
    assert playback.received[1].body["input"][1] == _REASONING


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_compatible_servers_think_aloud(playback: Playback, field: str) -> None:
    playback.plays_events(*_completions(field))
    endpoint = _endpoint(playback, "openai_completions")
    heard = hear(endpoint, _request())
    assert heard.thoughts == ["Tokyo is ", "in Japan."]
    assert heard.text == "Let me look."
    assert heard.end.finish_reason == "tool_calls"
    assert _call_is_whole(heard)
    assert heard.end.usage == Usage(550, 77, 500, 40)
    assert heard.end.thinking == (ThinkingBlock("Tokyo is in Japan.", "openai_completions"),)
    assert playback.received[0].body["reasoning_effort"] == "medium"

    hear(endpoint, _next_step(heard))
    assert "in Japan" not in str(playback.received[1].body)


@pytest.mark.parametrize(
    ("provider_type", "events"), [("anthropic", _ANTHROPIC), ("openai", _RESPONSES)]
)
def test_thinking_of_another_provider_is_not_sent(
    playback: Playback, provider_type: str, events: tuple[Event, ...]
) -> None:
    playback.plays_events(*events)
    replay = {"signature": "x1", "encrypted_content": "x2", "redacted": "x3", "id": "x4"}
    foreign = ThinkingBlock("a foreign thought", "another", replay)
    said = ModelMessage("assistant", "Hello.", thinking=(foreign,))
    request = _request(ASKED, said, ModelMessage("user", "And?"))
    assert hear(_endpoint(playback, provider_type), request).end.finish_reason
    sent = str(playback.received[0].body)
    assert "Hello." in sent
    assert "foreign" not in sent
    assert "x1" not in sent
    assert "x2" not in sent


@pytest.mark.parametrize(
    ("provider_type", "events"),
    [("anthropic", _ANTHROPIC), ("openai", _RESPONSES), ("openai_completions", _completions("x"))],
)
def test_the_key_is_sent_where_the_provider_looks_for_it(
    playback: Playback, provider_type: str, events: tuple[Event, ...]
) -> None:
    playback.plays(Answer(events))
    settings = {"headers": {"x-team": "blue"}}
    endpoint = Endpoint("provider_test", provider_type, playback.url, KEY, settings)
    assert hear(endpoint, _request()).end.finish_reason
    headers = playback.received[0].headers
    assert KEY in (headers.get("x-api-key"), headers.get("authorization", "")[len("Bearer ") :])
    assert headers["x-team"] == "blue"


@pytest.mark.parametrize(
    ("base_path", "settings", "path"),
    [
        (
            "",
            {"api_version": "2025-01-01"},
            "/openai/deployments/a-model/chat/completions?api-version=2025-01-01",
        ),
        ("/openai", {}, "/openai/deployments/a-model/chat/completions?api-version=2024-10-21"),
        ("/openai/v1/", {}, "/openai/v1/chat/completions"),
    ],
)
def test_azure_is_reached_as_it_wants_to_be(
    playback: Playback, base_path: str, settings: dict[str, str], path: str
) -> None:
    playback.plays_events(*_completions("reasoning"))
    endpoint = Endpoint("provider_test", "azure_openai", playback.url + base_path, KEY, settings)
    assert hear(endpoint, _request()).text == "Let me look."
    assert playback.received[0].path == path
    assert playback.received[0].headers["api-key"] == KEY


def test_openrouter_speaks_chat_completions(playback: Playback) -> None:
    playback.plays_events(*_completions("reasoning"))
    heard = hear(_endpoint(playback, "openrouter"), _request())
    assert heard.thinking == "Tokyo is in Japan."
    assert heard.end.thinking[0].provider_type == "openrouter"

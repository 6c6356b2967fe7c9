from typing import Any

import pytest

from common.domain.model import ModelProfile
from common.domain.turn import ToolCall
from tests.unit.llm.requests import ADD, ASKED, CALL, CALLED, MULTIPLY, RESULT, a_request
from worker.llm.anthropic_messages_request import messages_request
from worker.llm.driver import Effort, ModelMessage, ThinkingBlock

_CACHED = {"type": "ephemeral"}
_SIGNED = ThinkingBlock("hm", "anthropic", {"signature": "s"})


def _messages(*messages: ModelMessage) -> list[tuple[str, list[dict[str, Any]]]]:
    payload = messages_request(a_request(*messages))
    return [
        (
            each["role"],
            [
                {key: block[key] for key in block if key != "cache_control"}
                for block in each["content"]
            ],
        )
        for each in payload["messages"]
    ]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_a_plain_question() -> None:
    assert messages_request(a_request()) == {
        "model": "a-model",
        "messages": [
            {"role": "user", "content": [_text("What is the sum?") | {"cache_control": _CACHED}]}
        ],
        "stream": True,
        "max_tokens": 16384,
    }


def test_prompt_last_tool_and_last_block_are_cached_and_nothing_else() -> None:
    payload = messages_request(
        a_request(ASKED, CALLED, RESULT, system_prompt="Add.", tools=(ADD, MULTIPLY))
    )
    assert payload["system"] == [_text("Add.") | {"cache_control": _CACHED}]
    assert ["cache_control" in tool for tool in payload["tools"]] == [False, True]
    marked = ["cache_control" in block for each in payload["messages"] for block in each["content"]]
    assert marked == [False, False, True]
    assert str(payload).count("ephemeral") == 3


def test_neighbours_of_one_role_are_merged_with_results_first() -> None:
    second = ToolCall("call_2", "add", {})
    assert _messages(
        ASKED,
        ModelMessage("user", "Quickly!"),
        ModelMessage("assistant", "Wait.", tool_calls=(CALL, second)),
        ModelMessage("user", "Now?"),
        RESULT,
        ModelMessage("tool", "", tool_call_id="call_2", is_error=True),
        ModelMessage("user", "Well?"),
    ) == [
        ("user", [_text("What is the sum?"), _text("Quickly!")]),
        (
            "assistant",
            [
                _text("Wait."),
                {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1, "b": 2}},
                {"type": "tool_use", "id": "call_2", "name": "add", "input": {}},
            ],
        ),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [_text("3")]},
                {"type": "tool_result", "tool_use_id": "call_2", "is_error": True},
                _text("Now?"),
                _text("Well?"),
            ],
        ),
    ]


def test_empty_texts_are_left_out_with_the_messages_they_leave_empty() -> None:
    blank = ModelMessage("assistant", " \n")
    again = ModelMessage("user", "Hello?")
    assert _messages(ASKED, blank, ModelMessage("user", ""), again) == [
        ("user", [_text("What is the sum?"), _text("Hello?")])
    ]


def test_it_always_begins_with_the_user() -> None:
    roles = [role for role, _ in _messages(ModelMessage("assistant", "3"), ASKED)]
    assert roles == ["user", "assistant", "user"]
    assert [role for role, _ in _messages(ModelMessage("user", " "))] == ["user"]


def test_ids_of_other_providers_are_written_in_characters_that_it_takes() -> None:
    call = ToolCall("functions.add:0", "add", {})
    sent = _messages(
        ASKED,
        ModelMessage("assistant", "", tool_calls=(call,)),
        ModelMessage("tool", "3", tool_call_id="functions.add:0"),
    )
    assert sent[1][1][0]["id"] == sent[2][1][0]["tool_use_id"] == "functions_add_0"


def test_serial_calls_are_asked_for() -> None:
    payload = messages_request(a_request(tools=(ADD,), parallel_tool_calls=False))
    assert payload["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "tool_choice" not in messages_request(a_request(parallel_tool_calls=False))


@pytest.mark.parametrize(
    ("effort", "budget"),
    [("minimal", 1024), ("low", 4096), ("medium", 10240), ("high", 24576), ("xhigh", 49152)],
)
def test_an_effort_is_a_budget_on_top_of_the_answer(effort: Effort, budget: int) -> None:
    payload = messages_request(a_request(effort=effort, max_tokens=500, temperature=0.5))
    assert payload["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert payload["max_tokens"] == 500 + budget
    assert "extra_body" not in payload


def test_budget_and_answer_stay_within_what_the_model_can_write() -> None:
    profile = ModelProfile(reasons=True, output_tokens=8192)
    for wanted in (None, 100, 8192):
        payload = messages_request(a_request(effort="high", max_tokens=wanted, profile=profile))
        assert payload["max_tokens"] == 8192
        assert 1024 <= payload["thinking"]["budget_tokens"] < 8192
    tiny = ModelProfile(reasons=True, output_tokens=1000)
    assert "thinking" not in messages_request(a_request(effort="high", profile=tiny))


@pytest.mark.parametrize("effort", [None, "none"])
def test_without_an_effort_it_does_not_think(effort: Effort | None) -> None:
    payload = messages_request(a_request(effort=effort, temperature=1.7))
    assert "thinking" not in payload
    assert payload["extra_body"] == {"temperature": 1.0}


def test_a_model_that_cannot_think_is_not_asked_to() -> None:
    profile = ModelProfile(output_tokens=4096, takes_temperature=False)
    payload = messages_request(a_request(effort="high", temperature=0.5, profile=profile))
    assert payload["max_tokens"] == 4096
    assert "thinking" not in payload
    assert "extra_body" not in payload


def test_newer_models_are_told_the_effort_itself() -> None:
    request = a_request(effort="high", settings={"thinking": "adaptive"})
    payload = messages_request(request)
    assert payload["thinking"] == {"type": "adaptive"}
    assert payload["output_config"] == {"effort": "high"}


@pytest.mark.parametrize(("thinking", "may_think"), [((), False), ((_SIGNED,), True)])
def test_thinking_does_not_begin_within_a_chain_of_calls(
    thinking: tuple[ThinkingBlock, ...], *, may_think: bool
) -> None:
    # The provider refuses a chain whose first answer has no thinking block.
    called = ModelMessage("assistant", "", tool_calls=(CALL,), thinking=thinking)
    payload = messages_request(a_request(ASKED, called, RESULT, effort="low"))
    assert ("thinking" in payload) == may_think
    asked_again = messages_request(a_request(ASKED, called, RESULT, ASKED, effort="low"))
    assert "thinking" in asked_again


def test_only_signed_thinking_of_its_own_is_replayed_and_never_marked() -> None:
    thinking = (
        ThinkingBlock("unsigned", "anthropic"),
        ThinkingBlock("foreign", "openai", {"signature": "s"}),
        _SIGNED,
        ThinkingBlock("", "anthropic", {"redacted": "r"}),
    )
    payload = messages_request(a_request(ASKED, ModelMessage("assistant", "", thinking=thinking)))
    assert payload["messages"][-1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
    ]

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.turn import ToolCall
from tests.unit.llm.requests import ASKED, a_request
from worker.llm.anthropic_messages_request import messages_request
from worker.llm.driver import Endpoint, ModelMessage, ToolDeclaration
from worker.llm.openai_completions_request import completions_request
from worker.llm.openai_responses_request import responses_request
from worker.llm.tool_names import legal_name

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@given(st.text())
def test_every_name_is_made_legal_and_always_in_the_same_way(name: str) -> None:
    legal = legal_name(name)
    assert _LEGAL.fullmatch(legal)
    assert legal_name(name) == legal_name(legal) == legal


@pytest.mark.parametrize("name", ["add", "get_weather-2", "A" * 64])
def test_a_legal_name_stays(name: str) -> None:
    assert legal_name(name) == name


def test_names_that_look_alike_once_they_are_legal_stay_apart() -> None:
    names = ["files.read", "files_read", "files read", "files/read", "", " ", "x" * 65, "x" * 66]
    assert len({legal_name(name) for name in names}) == len(names)


_BAD = "bad name.<x>"
_MESSAGES = (
    ASKED,
    ModelMessage(
        "assistant", "", tool_calls=(ToolCall("c1", _BAD, {}), ToolCall("c2", "", {"a": 1}))
    ),
    ModelMessage("tool", "There is no such tool.", tool_call_id="c1", is_error=True),
    ModelMessage("tool", "There is no such tool.", tool_call_id="c2", is_error=True),
)
_REQUEST = a_request(*_MESSAGES, tools=(ToolDeclaration("files.read", "", {"type": "object"}),))


def test_requests_to_anthropic_have_legal_names_alone() -> None:
    payload = messages_request(_REQUEST)
    assert [tool["name"] for tool in payload["tools"]] == [legal_name("files.read")]
    used = [block for block in payload["messages"][1]["content"] if block["type"] == "tool_use"]
    results = payload["messages"][2]["content"]
    assert [each["name"] for each in used] == [legal_name(_BAD), legal_name("")]
    assert [each["id"] for each in used] == [each["tool_use_id"] for each in results]


def test_chat_completions_have_legal_names_alone() -> None:
    payload = completions_request(_REQUEST, Endpoint("provider_1", "openai_completions"))
    assert [tool["function"]["name"] for tool in payload["tools"]] == [legal_name("files.read")]
    _, answer, *results = payload["messages"]
    used = answer["tool_calls"]
    assert [each["function"]["name"] for each in used] == [legal_name(_BAD), legal_name("")]
    assert [each["id"] for each in used] == [each["tool_call_id"] for each in results]


def test_responses_have_legal_names_alone() -> None:
    payload = responses_request(_REQUEST)
    assert [tool["name"] for tool in payload["tools"]] == [legal_name("files.read")]
    used = [item for item in payload["input"] if item["type"] == "function_call"]
    results = [item for item in payload["input"] if item["type"] == "function_call_output"]
    assert [each["name"] for each in used] == [legal_name(_BAD), legal_name("")]
    assert [each["call_id"] for each in used] == [each["call_id"] for each in results]

"""Requests for the tests of how they are put into a provider's words."""

from typing import Any

from common.domain.turn import ToolCall
from worker.llm.driver import LLMRequest, ModelMessage, ToolDeclaration

ASKED = ModelMessage("user", "What is the sum?")
CALL = ToolCall("call_1", "add", {"a": 1, "b": 2})
CALLED = ModelMessage("assistant", "", tool_calls=(CALL,))
RESULT = ModelMessage("tool", "3", tool_call_id="call_1")
ADD = ToolDeclaration("add", "Adds.", {"type": "object"})
MULTIPLY = ToolDeclaration("multiply", "Multiplies.", {"type": "object"})


def a_request(*messages: ModelMessage, **options: Any) -> LLMRequest:
    prompt = options.pop("system_prompt", "")
    return LLMRequest("a-model", prompt, messages or (ASKED,), **options)

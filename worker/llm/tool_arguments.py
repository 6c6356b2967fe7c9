"""Reads what a model wrote as a tool call's arguments."""

from __future__ import annotations

import json
from typing import Final

from common.domain.turn import ToolCall

# Enough for the model to see what it did wrong.
LONGEST_MALFORMED: Final = 4096  # characters


def tool_call(call_id: str, name: str, raw: str) -> ToolCall:
    """The call; arguments that are no JSON object are kept as `malformed`, cut.

    Nothing at all is what some models write for a tool without parameters.
    """
    if not raw.strip():
        return ToolCall(call_id, name, {})
    try:
        arguments = json.loads(raw)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return ToolCall(call_id, name, {}, malformed=raw[:LONGEST_MALFORMED])
    return ToolCall(call_id, name, arguments)

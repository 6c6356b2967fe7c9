"""Messages: what was said, as events carry it and as lists show it (contract 3.0).

A message is stored once, inside its event; `GET /messages` is a projection.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from common.domain.ids import Kind, show_id
from common.domain.turn import ToolCall

Part = dict[str, Any]
Phase = Literal["commentary", "final_answer"]


def text_part(text: str) -> Part:
    return {"type": "text", "text": text}


def tool_call_part(call: ToolCall) -> Part:
    return {"type": "tool_call", **call.to_json()}


def agent_message(
    message_id: UUID, text: str, *, calls: tuple[ToolCall, ...] = (), phase: Phase | None = None
) -> dict[str, Any]:
    """The agent's words, the text part first: readers take `content[0].text`.

    Only a message that consists of tool calls has no text part.
    """
    parts = [text_part(text)] if text or not calls else []
    message: dict[str, Any] = {
        "id": show_id(Kind.MESSAGE, message_id),
        "role": "agent",
        "content": parts + [tool_call_part(call) for call in calls],
    }
    if phase is not None:
        message["phase"] = phase
    return message


def text_of(message: dict[str, Any]) -> str:
    """All text parts of a message."""
    return "".join(
        [part["text"] for part in message.get("content", ()) if part.get("type") == "text"]
    )


def calls_of(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """The tool calls an agent message asks for, in its order."""
    return tuple(
        [
            ToolCall.from_json(part)
            for part in message.get("content", ())
            if part.get("type") == "tool_call"
        ]
    )

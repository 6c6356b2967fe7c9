"""What a turn that waits for somebody outside is told: results of calls, and decisions on them.

Whoever answers such a turn - the client, a person, a newer message, a deadline, a cancel -
says so in the drafts made here, so that each looks the same in the log.  Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from common.domain.events import EventDraft, EventType, Json
from common.domain.turn import ToolCall

# What `act.started` says of a call beside its id and name.
CLIENT_SIDE: Final = "client_side"
APPROVAL_REQUIRED: Final = "required"
APPROVAL_REJECTED: Final = "rejected"
# The policy of a tool's definition that wants each call allowed by a person.
REQUIRES_APPROVAL: Final = "requires_approval"

RESULT_LIMIT_BYTES: Final = 100 * 1024

_OVERTAKEN: Final = "A newer user message cancelled this call before it had a result"
_LATE_RESULT: Final = "The client gave no result within the time allowed"
_LATE_DECISION: Final = "Nobody allowed this call within the time allowed, so it was not made"
_REJECTED: Final = "This call was rejected and not made"
_REJECTED_ALWAYS: Final = "Calls of this tool were rejected for this session, so it was not made"
_CANCELLED: Final = "The turn was cancelled before this call had a result"

CallStatus = Literal["success", "error", "timeout", "cancelled"]


class Decision(StrEnum):
    """What a person says of a call; `*_always` holds for the tool and the rest of the session."""

    ALLOW = "allow"
    ALLOW_ALWAYS = "allow_always"
    REJECT = "reject"
    REJECT_ALWAYS = "reject_always"

    @property
    def is_standing(self) -> bool:
        return self in (Decision.ALLOW_ALWAYS, Decision.REJECT_ALWAYS)


ALLOWING: Final = frozenset({Decision.ALLOW, Decision.ALLOW_ALWAYS})


class WaitKind(StrEnum):
    """What a waiting turn waits for."""

    RESULTS = "results"
    DECISIONS = "decisions"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an open turn waits for.

    Attributes:
        asked: all calls that were put to somebody, in the model's order.
        pending: those without an answer.
        context: of the event that asked; answers carry it too.
    """

    turn_id: UUID
    session_id: UUID
    kind: WaitKind
    asked: tuple[ToolCall, ...]
    pending: tuple[ToolCall, ...]
    context: Json
    requested_at: datetime
    deadline: str


def call_completed(
    call: ToolCall,
    context: Mapping[str, Any],
    status: CallStatus,
    *,
    text: str | None = None,
    error: str | None = None,
) -> EventDraft:
    """A call's one result, in the shape that every tool's has."""
    data: Json = {
        "tool_call_id": call.id,
        "tool_name": call.name,
        "success": status == "success",
        "status": status,
    }
    if text is not None:
        data["result"] = [{"type": "text", "text": text}]
    if error is not None:
        data["error"] = error
    return EventDraft(EventType.TOOL_COMPLETED, data, dict(context))


def succeeded(call: ToolCall, context: Mapping[str, Any], result: object) -> EventDraft:
    """The client's result, any JSON value: a text as it is, all else as compact JSON."""
    text = result if isinstance(result, str) else orjson.dumps(result).decode()
    return call_completed(call, context, "success", text=text)


def failed(call: ToolCall, context: Mapping[str, Any], error: str) -> EventDraft:
    """The client's error, which the model is shown."""
    return call_completed(call, context, "error", error=error)


def overtaken(call: ToolCall, context: Mapping[str, Any]) -> EventDraft:
    """The result of a call that a newer user message came before."""
    return call_completed(call, context, "cancelled", error=_OVERTAKEN)


def cancelled(call: ToolCall, context: Mapping[str, Any]) -> EventDraft:
    """The result of a call whose turn was cancelled."""
    return call_completed(call, context, "cancelled", error=_CANCELLED)


def late(call: ToolCall, context: Mapping[str, Any]) -> EventDraft:
    """The result of a call that the client did not answer in time."""
    return call_completed(call, context, "timeout", error=_LATE_RESULT)


def refused(call: ToolCall, context: Mapping[str, Any]) -> EventDraft:
    """The result of a call whose tool was rejected once and for all."""
    return call_completed(call, context, "error", error=_REJECTED_ALWAYS)


def decided(
    call: ToolCall, context: Mapping[str, Any], decision: Decision, *, reason: str | None, by: str
) -> list[EventDraft]:
    """A decision, and the result of a call that was rejected by it."""
    data: Json = {"tool_call_id": call.id, "tool_name": call.name, "decision": decision, "by": by}
    if reason:
        data["reason"] = reason
    resolved = EventDraft(EventType.TOOL_APPROVAL_RESOLVED, data, dict(context))
    if decision in ALLOWING:
        return [resolved]
    error = f"{_REJECTED}: {reason}" if reason else _REJECTED
    return [resolved, call_completed(call, context, "error", error=error)]


def decided_by_deadline(
    call: ToolCall, context: Mapping[str, Any], *, is_allowed: bool
) -> list[EventDraft]:
    """What becomes of a call that nobody decided on in time."""
    decision = Decision.ALLOW if is_allowed else Decision.REJECT
    data: Json = {"tool_call_id": call.id, "tool_name": call.name, "decision": decision}
    data["by"] = "deadline"
    resolved = EventDraft(EventType.TOOL_APPROVAL_RESOLVED, data, dict(context))
    if is_allowed:
        return [resolved]
    return [resolved, call_completed(call, context, "timeout", error=_LATE_DECISION)]

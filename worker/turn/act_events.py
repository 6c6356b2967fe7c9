"""Say in events what an act does: its calls, whom else they need, and their results.  Pure.

Only the payloads; which turn and which step they belong to is the narrator's to add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.domain.events import Json
from common.domain.turn import ToolCall
from common.domain.waiting import APPROVAL_REJECTED, APPROVAL_REQUIRED, CLIENT_SIDE
from worker.capabilities.capability import OUTCOME_UNKNOWN
from worker.turn.outcome import CallResult

INTERRUPTED: Final = OUTCOME_UNKNOWN


@dataclass(frozen=True, slots=True)
class CallKind:
    """Whom a call needs beside the worker.

    Attributes:
        is_client_side: the client makes it.
        is_guarded: a person must allow it first.
        is_refused: its tool was rejected for the rest of the session.
    """

    is_client_side: bool = False
    is_guarded: bool = False
    is_refused: bool = False


ORDINARY: Final = CallKind()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a turn waits for somebody outside, in seconds."""

    results: float = 300.0
    decisions: float = 300.0


DEFAULT_PATIENCE: Final = Patience()


def act_started(calls: tuple[ToolCall, ...], kinds: Mapping[str, CallKind]) -> Json:
    """`act.started`; what kind each call is holds to the act's end, on any worker (I4)."""
    return {"tool_calls": [_summary(call, kinds.get(call.id, ORDINARY)) for call in calls]}


def _summary(call: ToolCall, kind: CallKind) -> Json:
    summary: Json = {"id": call.id, "name": call.name}
    if kind.is_client_side:
        summary["kind"] = CLIENT_SIDE
    if kind.is_refused:
        summary["approval"] = APPROVAL_REJECTED
    elif kind.is_guarded:
        summary["approval"] = APPROVAL_REQUIRED
    return summary


def calls_requested(calls: tuple[ToolCall, ...], *, deadline_seconds: float) -> Json:
    """`tool.call_requested`; the append makes the deadline a time."""
    return {
        "tool_calls": [call.to_json() for call in calls],
        "tool_summaries": [{"id": call.id, "name": call.name} for call in calls],
        "deadline_seconds": deadline_seconds,
    }


def approval_requested(calls: tuple[ToolCall, ...], *, deadline_seconds: float) -> Json:
    """`tool.approval_requested`; the append makes the deadline a time."""
    return {
        "tool_calls": [call.to_json() for call in calls],
        "deadline_seconds": deadline_seconds,
    }


def call_ended(call: ToolCall, result: CallResult) -> Json:
    """`tool.completed`."""
    data: Json = {
        "tool_call_id": call.id,
        "tool_name": call.name,
        "success": result.status == "success",
        "status": result.status,
    }
    if result.text is not None:
        data["result"] = [{"type": "text", "text": result.text}]
    if result.error is not None:
        data["error"] = result.error
    if result.duration_ms is not None:
        data["duration_ms"] = result.duration_ms
    return data


def act_ended(calls: tuple[ToolCall, ...], succeeded: Mapping[str, bool]) -> Json:
    """`act.completed`."""
    good = sum(succeeded.get(call.id, False) for call in calls)
    return {"completed": True, "success_count": good, "error_count": len(calls) - good}

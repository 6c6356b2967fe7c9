"""Read the log as facts: what an event means for the turn that it belongs to.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from common.domain.events import EventType, Usage
from common.domain.ids import Kind, show_id
from common.domain.message import calls_of
from common.domain.waiting import ALLOWING, APPROVAL_REJECTED, APPROVAL_REQUIRED, CLIENT_SIDE
from common.event_codec import LoggedEvent
from worker.turn.machine import apply
from worker.turn.state import (
    ActEnded,
    ActStarted,
    ApprovalRequested,
    ApprovalResolved,
    CallEnded,
    CallsRequested,
    CallStarted,
    Fact,
    MessageArrived,
    NoticeShown,
    ReasonEnded,
    ReasonRecovered,
    ReasonStarted,
    Replied,
    ReplyOpened,
    TurnEnded,
    TurnStarted,
    TurnState,
)


def fact_of(event_type: str, context: Mapping[str, Any], data: Mapping[str, Any]) -> Fact | None:
    """What an event of the turn means; None when it changes nothing."""
    match event_type:
        case EventType.INPUT_MESSAGE:
            return MessageArrived()
        case EventType.TURN_STARTED:
            return TurnStarted()
        case EventType.REASON_STARTED:
            return ReasonStarted()
        case EventType.OUTPUT_STARTED:
            return ReplyOpened()
        case EventType.REASON_RECOVERED:
            return ReasonRecovered()
        case EventType.OUTPUT_COMPLETED:
            # The model's words belong to a step; a notice of ours belongs to none.
            if "exec_id" not in context:
                return NoticeShown()
            return Replied(calls_of(data["message"]), _usage(data))
        case EventType.REASON_COMPLETED:
            return ReasonEnded(None if data["success"] else data["failure"])
        case EventType.ACT_STARTED:
            return _act_started(data["tool_calls"])
        case EventType.TOOL_STARTED:
            return CallStarted(data["tool_call"]["id"], data["may_repeat"])
        case EventType.TOOL_COMPLETED:
            return CallEnded(data["tool_call_id"])
        case EventType.TOOL_CALL_REQUESTED:
            return CallsRequested(_ids(data["tool_calls"]))
        case EventType.TOOL_APPROVAL_REQUESTED:
            return ApprovalRequested(_ids(data["tool_calls"]))
        case EventType.TOOL_APPROVAL_RESOLVED:
            return ApprovalResolved(data["tool_call_id"], data["decision"] in ALLOWING)
        case EventType.ACT_COMPLETED:
            return ActEnded()
        case (
            EventType.TURN_COMPLETED
            | EventType.TURN_FAILED
            | EventType.TURN_CANCELLED
            | EventType.TURN_SEALED
        ):
            return TurnEnded()
        case _:
            return None


def fold(state: TurnState, events: Iterable[LoggedEvent], *, turn_id: UUID) -> TurnState:
    """The state after these events; those of other turns do not count.

    Raises:
        worker.turn.machine.IllegalFact: the log is not one that a turn can have.
    """
    shown = show_id(Kind.TURN, turn_id)
    for event in events:
        if event.type == EventType.INPUT_MESSAGE:
            state = apply(state, MessageArrived())
            continue
        context = event.context
        if context.get("turn_id") != shown:
            continue
        fact = fact_of(event.type, context, event.data)
        if fact is not None:
            state = apply(state, fact)
    return state


def _act_started(calls: Sequence[Mapping[str, Any]]) -> ActStarted:
    """What kind each call is; those of the previous release say nothing of it."""
    return ActStarted(
        client=_ids(call for call in calls if call.get("kind") == CLIENT_SIDE),
        guarded=_ids(call for call in calls if call.get("approval") == APPROVAL_REQUIRED),
        refused=_ids(call for call in calls if call.get("approval") == APPROVAL_REJECTED),
    )


def _ids(calls: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(call["id"] for call in calls)


def _usage(data: Mapping[str, Any]) -> Usage:
    return Usage.from_json(data.get("usage") or {})

"""Cancel a session's open turn: one transaction, the same in every state (I7).

It needs no worker: the raised epoch stops whoever holds the turn from writing, and the
events that a worker would have written at the end are written here (contract 4.3 d).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain import waiting
from common.domain.errors import NotFound
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.domain.message import agent_message
from common.domain.turn import SessionStatus, TurnStatus
from common.event_codec import LoggedEvent
from common.storage import idempotency, log, messages, sessions, turns
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Fence, Head, HeadChange

CANCELLED: Final = "cancelled"
NO_OP: Final = "no_op"

_REASON: Final = "The turn was cancelled by request"
_NOTICE: Final = "This turn was cancelled."


@dataclass(frozen=True, slots=True)
class _Cancellation:
    """A cancelled turn and the events that say so."""

    turn_id: UUID
    events: list[LoggedEvent]


def cancel_turn(
    deps: Deps,
    caller: Caller,
    session_id: UUID,
    key: IdempotencyKey | None,
    *,
    turn_id: UUID | None = None,
) -> str:
    """Cancel what the session is doing; returns `cancelled`, or `no_op` when it is idle.

    With `turn_id` only that turn is cancelled, and nothing when it is over.

    Raises:
        NotFound: there is no such session.
    """
    notice_id = deps.new_id()
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=CANCELLED, status_code=HTTPStatus.OK
            )
            if first is not None:
                _check_exists(tx, caller, session_id)
                return first.resource_id
        done = _cancel(tx, caller.organization_id, session_id, notice_id, turn_id=turn_id)
        if done is None and key is not None:
            idempotency.settle(tx, key, resource_id=NO_OP, status_code=HTTPStatus.OK)
    if done is None:
        return NO_OP
    deps.live.publish(session_id, done.events)
    deps.live.cancel(done.turn_id)
    return CANCELLED


def _cancel(
    tx: Tx, organization_id: UUID, session_id: UUID, notice_id: UUID, *, turn_id: UUID | None
) -> _Cancellation | None:
    head = log.lock(tx, organization_id, session_id)
    if head is None:
        raise NotFound("Session not found")
    if head.open_turn_id is None or turn_id not in (None, head.open_turn_id):
        return None
    change = HeadChange(
        status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None, raises_epoch=True
    )
    drafts = _drafts(tx, head, head.open_turn_id, notice_id)
    _, events = log.append(tx, session_id, drafts, fence=Fence(head.epoch), change=change)
    turns.end(tx, head.open_turn_id, TurnStatus.CANCELLED)
    return _Cancellation(head.open_turn_id, events)


def _drafts(tx: Tx, head: Head, turn_id: UUID, notice_id: UUID) -> list[EventDraft]:
    shown = show_id(Kind.TURN, turn_id)
    context = {"turn_id": shown}
    asked = messages.input_of_turn(tx, turn_id)
    if asked is not None:
        context["input_message_id"] = asked
    calls = messages.unfinished_calls(tx, head.session_id, turn_id)
    notice = {"message": agent_message(notice_id, _NOTICE), "metadata": None}
    return [
        *(waiting.cancelled(call, context) for call in calls),
        EventDraft(EventType.TURN_CANCELLED, {"turn_id": shown, "reason": _REASON}, context),
        EventDraft(EventType.OUTPUT_COMPLETED, notice, context),
        EventDraft(EventType.SESSION_IDLED, {"turn_id": shown}, context),
    ]


def _check_exists(tx: Tx, caller: Caller, session_id: UUID) -> None:
    if not sessions.exists(tx, caller.organization_id, session_id):
        raise NotFound("Session not found")

"""Turns that wait for somebody outside: what for, and the one transaction that answers them.

A turn's row names the event that it waits for; what of that is still open is read from the
log.  Whoever answers holds the head's lock, so the first answer to a call is its only one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from common.domain.events import EventDraft, EventType
from common.domain.turn import SessionStatus, ToolCall
from common.domain.waiting import Waiting, WaitKind
from common.event_codec import LoggedEvent
from common.storage import log, turns
from common.storage.engine import Tx
from common.storage.log import Fence, Head, HeadChange

_KIND_OF: Final = {
    EventType.TOOL_CALL_REQUESTED: WaitKind.RESULTS,
    EventType.TOOL_APPROVAL_REQUESTED: WaitKind.DECISIONS,
}
_ANSWERS: Final = (EventType.TOOL_COMPLETED, EventType.TOOL_APPROVAL_RESOLVED)
# What says what is asked, and everything that answers it.
_TYPES: Final = [str(kind) for kind in (*_KIND_OF, *_ANSWERS)]


# Of an answer it is enough whose it is: results are large.
_OF_SESSIONS: Final = text("""
    SELECT t.id AS turn_id, e.session_id, e.sequence, e.type, e.ts, e.context::text AS context,
        CASE WHEN e.sequence = t.waiting_sequence THEN e.data
            ELSE jsonb_build_object('tool_call_id', e.data -> 'tool_call_id') END::text AS data
    FROM turns t JOIN events e ON e.session_id = t.session_id
        AND e.sequence >= t.waiting_sequence AND e.type = ANY(:types)
    WHERE t.session_id = ANY(CAST(:sessions AS uuid[])) AND t.organization_id = :organization_id
        AND t.status = 'waiting'
    ORDER BY e.session_id, e.sequence
""")

# The head first: its lock is the one that everybody who answers holds.
_OVERDUE: Final = text("""
    SELECT t.id, t.session_id, t.organization_id
    FROM session_heads h JOIN turns t ON t.session_id = h.session_id
    WHERE t.status = 'waiting'
        AND t.waiting_until < clock_timestamp() - make_interval(secs => :grace)
    ORDER BY t.waiting_until LIMIT 1
    FOR UPDATE OF h, t SKIP LOCKED
""")

_DECISIONS: Final = text("""
    SELECT tool_decisions FROM sessions
    WHERE id = :session_id AND organization_id = :organization_id
""")
_REMEMBER: Final = text("""
    UPDATE sessions SET tool_decisions = tool_decisions || CAST(:decisions AS jsonb)
    WHERE id = :session_id AND organization_id = :organization_id
""")


def of_sessions(tx: Tx, organization_id: UUID, session_ids: Iterable[UUID]) -> dict[UUID, Waiting]:
    """What these sessions wait for; those that wait for nothing are left out."""
    rows = tx.execute(
        _OF_SESSIONS,
        {
            "organization_id": organization_id,
            "sessions": [str(session_id) for session_id in session_ids],
            "types": _TYPES,
        },
    )
    found: dict[UUID, list[LoggedEvent]] = {}
    turn_ids: dict[UUID, UUID] = {}
    for row in rows:
        found.setdefault(row.session_id, []).append(log.logged(row.session_id, row))
        turn_ids[row.session_id] = row.turn_id
    return {
        session_id: read_waiting(turn_ids[session_id], events)
        for session_id, events in found.items()
    }


def of_session(tx: Tx, organization_id: UUID, session_id: UUID) -> Waiting | None:
    """What the session waits for; final when the caller holds its head."""
    return of_sessions(tx, organization_id, [session_id]).get(session_id)


def answer(
    tx: Tx, head: Head, waiting: Waiting, drafts: Sequence[EventDraft], *, is_complete: bool
) -> tuple[Head, list[LoggedEvent]]:
    """Store answers; the ones that complete them queue the turn, for the caller to send.

    The caller holds the head.
    """
    change = HeadChange()
    if is_complete:
        change = HeadChange(status=SessionStatus.ACTIVE, raises_epoch=True)
    head, events = log.append(tx, head.session_id, drafts, fence=Fence(head.epoch), change=change)
    if is_complete:
        turns.resume(tx, waiting.turn_id, epoch=head.epoch)
    return head, events


def answer_overdue(
    tx: Tx, draft: Callable[[Waiting], Sequence[EventDraft]], *, grace_seconds: float = 0.0
) -> tuple[Waiting, list[LoggedEvent]] | None:
    """Answer the turn that is longest past its time with `draft`; None when there is none.

    Those that somebody answers at this moment are left to them, and those that are past it
    for no longer than `grace_seconds`.
    """
    row = tx.execute(_OVERDUE, {"grace": grace_seconds}).one_or_none()
    if row is None:
        return None
    head = log.lock(tx, row.organization_id, row.session_id)
    waiting = of_session(tx, row.organization_id, row.session_id)
    if head is None or waiting is None:
        return None
    _, events = answer(tx, head, waiting, draft(waiting), is_complete=True)
    return waiting, events


def standing_decisions(tx: Tx, organization_id: UUID, session_id: UUID) -> dict[str, str]:
    """What was decided for the rest of the session, by tool name."""
    found: dict[str, str] = tx.execute(
        _DECISIONS, {"session_id": session_id, "organization_id": organization_id}
    ).scalar_one()
    return found


def remember_decisions(
    tx: Tx, organization_id: UUID, session_id: UUID, decisions: dict[str, Any]
) -> None:
    """Keep decisions for the rest of the session; the newest one of a tool counts."""
    tx.execute(
        _REMEMBER,
        {
            "session_id": session_id,
            "organization_id": organization_id,
            "decisions": orjson.dumps(decisions).decode(),
        },
    )


def read_waiting(turn_id: UUID, events: Sequence[LoggedEvent]) -> Waiting:
    """What a turn waits for, from the event that asks and everything after it."""
    asking, *answers = events
    asked = tuple(ToolCall.from_json(raw) for raw in asking.data["tool_calls"])
    answered = {event.data["tool_call_id"] for event in answers if event.type in _ANSWERS}
    return Waiting(
        turn_id=turn_id,
        session_id=asking.session_id,
        kind=_KIND_OF[EventType(asking.type)],
        asked=asked,
        pending=tuple(call for call in asked if call.id not in answered),
        context=asking.context,
        requested_at=asking.ts,
        deadline=asking.data["deadline"],
    )

"""Writes what a worker would write, so that the api's views of it can be tested alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventDraft, EventType, Usage
from common.domain.ids import Kind, parse_id, show_id
from common.domain.message import agent_message
from common.domain.turn import SessionStatus, ToolCall, TurnStatus
from common.event_codec import LoggedEvent
from common.storage import log, turns
from common.storage.engine import Database
from common.storage.log import Fence, Head, HeadChange

Json = dict[str, Any]


def head_of(database: Database, session_id: str) -> Head:
    with database.reading() as tx:
        head = log.look(tx, parse_id(Kind.SESSION, session_id))
    assert head is not None
    return head


def open_turn_of(database: Database, session_id: str) -> UUID:
    turn_id = head_of(database, session_id).open_turn_id
    assert turn_id is not None
    return turn_id


def start_turn(database: Database, session_id: str) -> UUID:
    """Claim the open turn and say that it has begun; returns its id."""
    turn_id = open_turn_of(database, session_id)
    with database.transaction() as tx:
        assert turns.claim(tx, turn_id, owner="test", lease_seconds=60) is not None
    shown = show_id(Kind.TURN, turn_id)
    write(
        database,
        session_id,
        EventDraft(EventType.TURN_STARTED, {"turn_id": shown}),
        change=HeadChange(status=SessionStatus.ACTIVE),
    )
    return turn_id


def seal(database: Database, session_id: str) -> UUID:
    """Let the open turn lose two workers and be sealed; returns its id."""
    turn_id = open_turn_of(database, session_id)
    for number in (1, 2):
        with database.transaction() as tx:
            claim = turns.claim(tx, turn_id, owner=f"worker_{number:032x}", lease_seconds=60)
            assert claim is not None
            if number == 1:
                turns.note_crash(
                    tx, turn_id, epoch=claim.epoch, error="KeyError", place="worker.x:3"
                )
        if number == 1:
            lose(database, turn_id)
    data = {"turn_id": show_id(Kind.TURN, turn_id)}
    sealed = EventDraft(EventType.TURN_SEALED, {**data, "reason": "no_progress"})
    change = HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None)
    idled = EventDraft(EventType.SESSION_IDLED, data)
    write(database, session_id, sealed, idled, change=change)
    with database.transaction() as tx:
        turns.end(tx, turn_id, TurnStatus.SEALED)
    return turn_id


def lose(database: Database, turn_id: UUID) -> None:
    """Let the turn's lease run out, and the sweeper take it back."""
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE turns SET lease_until = now() - interval '1 s' WHERE id = :id"),
            {"id": turn_id},
        )
        assert turn_id in turns.requeue_expired(tx, limit=10_000)


def write(
    database: Database,
    session_id: str,
    *drafts: EventDraft,
    change: HeadChange = HeadChange(),  # noqa: B008 - frozen
) -> list[LoggedEvent]:
    """Append in the context of the open turn."""
    head = head_of(database, session_id)
    context: Json = {}
    if head.open_turn_id is not None:
        context["turn_id"] = show_id(Kind.TURN, head.open_turn_id)
    placed = [replace(draft, context=draft.context or context) for draft in drafts]
    with database.transaction() as tx:
        _, events = log.append(tx, head.session_id, placed, fence=Fence(head.epoch), change=change)
    return events


def answer(text: str, *calls: tuple[str, str]) -> EventDraft:
    """An agent's message, with calls as (id, tool name)."""
    asked = tuple(ToolCall(call_id, name, {"q": call_id}) for call_id, name in calls)
    message = agent_message(
        new_id(), text, calls=asked, phase="commentary" if calls else "final_answer"
    )
    return EventDraft(EventType.OUTPUT_COMPLETED, {"message": message})


def tool_result(call_id: str, text: str | None, *, error: str | None = None) -> EventDraft:
    data: Json = {
        "tool_call_id": call_id,
        "tool_name": "look_up",
        "success": error is None,
        "status": "success" if error is None else "error",
    }
    if text is not None:
        data["result"] = [{"type": "text", "text": text}]
    if error is not None:
        data["error"] = error
    return EventDraft(EventType.TOOL_COMPLETED, data)


def let_wait(
    database: Database,
    session_id: str,
    *calls: tuple[str, str],
    kind: EventType = EventType.TOOL_CALL_REQUESTED,
) -> UUID:
    """Ask for these calls as (id, tool name) and let the claimed turn wait; returns its id."""
    head = head_of(database, session_id)
    turn_id = open_turn_of(database, session_id)
    context = {"turn_id": show_id(Kind.TURN, turn_id), "exec_id": "exec_1"}
    asked = [ToolCall(call_id, name, {"q": call_id}).to_json() for call_id, name in calls]
    data = {"tool_calls": asked, "deadline_seconds": 300}
    with database.transaction() as tx:
        head, _ = log.append(
            tx,
            head.session_id,
            [replace(answer("", *calls), context=context), EventDraft(kind, data, context)],
            fence=Fence(head.epoch),
            change=HeadChange(status=SessionStatus.WAITING),
        )
        until = head.last_ts + timedelta(seconds=300)
        turns.suspend(tx, turn_id, sequence=head.last_sequence, until=until)
    return turn_id


def finish_turn(database: Database, session_id: str) -> None:
    """End the open turn well."""
    turn_id = open_turn_of(database, session_id)
    shown = show_id(Kind.TURN, turn_id)
    head = head_of(database, session_id)
    context = {"turn_id": shown}
    with database.transaction() as tx:
        log.append(
            tx,
            head.session_id,
            [
                EventDraft(EventType.TURN_COMPLETED, {"turn_id": shown}, context),
                EventDraft(EventType.SESSION_IDLED, {"turn_id": shown}, context),
            ],
            fence=Fence(head.epoch),
            change=HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, usage=Usage(12, 5)),
        )
        turns.end(tx, turn_id, TurnStatus.COMPLETED)

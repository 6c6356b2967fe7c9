"""The event log of a session: append under the head's lock, read by number.

Every append begins with one statement on `session_heads` that locks, fences and
allocates, so sequence order is commit order and has no holes (I2), and a worker
that lost its session writes nothing (I3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.errors import LeaseLost
from common.domain.events import MESSAGE_TYPES, NO_USAGE, EventDraft, EventType, Usage, stamped
from common.domain.turn import SessionStatus, TurnStatus
from common.event_codec import LoggedEvent, show_time
from common.storage import configs
from common.storage.configs import Kept
from common.storage.engine import Tx
from common.storage.log_statements import (
    APPEND,
    APPEND_AND_END,
    APPEND_AND_KEEP,
    APPEND_INPUT,
    HEAD_COLUMNS,
)
from common.storage.prepared import Prepared
from common.storage.turns import FIRST_RESEND_SECONDS

SLICE: Final = 200


@dataclass(frozen=True, slots=True)
class HeadChange:
    """What an append changes on the head beside the numbers.

    Attributes:
        status: the session's new status, None to keep it.
        open_turn: the turn that is open from now on; only looked at with
            `sets_open_turn`, None meaning that no turn is open.
        raises_epoch: take the session from whoever holds it.
    """

    status: SessionStatus | None = None
    sets_open_turn: bool = False
    open_turn: UUID | None = None
    raises_epoch: bool = False
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class Fence:
    """What must still hold for an append to happen.

    Attributes:
        epoch: the session's epoch that the writer holds.
        last_input: when given, no user message may have arrived after this sequence.
    """

    epoch: int
    last_input: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A session's head as the statement that locked it left it."""

    session_id: UUID
    last_sequence: int
    last_input_sequence: int
    last_ts: datetime
    epoch: int
    status: SessionStatus
    open_turn_id: UUID | None


@dataclass(frozen=True, slots=True)
class End:
    """The turn that ends with an append, and as what."""

    turn_id: UUID
    status: TurnStatus


class NewInput(Exception):
    """A user message came after the writer last looked; nothing was written."""


_LOCK: Final = text(f"""
    SELECT {HEAD_COLUMNS} FROM session_heads h JOIN sessions s ON s.id = h.session_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
    FOR UPDATE OF h
""")

_LOOK: Final = text(f"SELECT {HEAD_COLUMNS} FROM session_heads h WHERE session_id = :session_id")

_HOLD: Final = text(f"""
    SELECT {HEAD_COLUMNS} FROM session_heads h WHERE session_id = :session_id FOR UPDATE
""")

_NO_LIMIT: Final = 2**31 - 1


def append(
    tx: Tx,
    session_id: UUID,
    drafts: Sequence[EventDraft],
    *,
    fence: Fence,
    change: HeadChange = HeadChange(),
    beside: Kept | End | None = None,
) -> tuple[Head, list[LoggedEvent]]:
    """Number and store events, oldest first, and what a turn begins or ends with `beside` them.

    Raises:
        LeaseLost: the epoch is no longer the writer's.
        NewInput: there is a newer user message than the fence allows.
    """
    statement, more = _with(beside)
    row = statement.one(
        tx,
        {
            "session_id": session_id,
            "messages": sum(draft.type in MESSAGE_TYPES for draft in drafts),
            "status": change.status,
            "epochs": int(change.raises_epoch),
            "sets_open_turn": change.sets_open_turn,
            "open_turn": change.open_turn,
            "input_tokens": change.usage.input_tokens,
            "output_tokens": change.usage.output_tokens,
            "cache_read_tokens": change.usage.cache_read_tokens,
            "cache_creation_tokens": change.usage.cache_creation_tokens,
            "compacted": _position_of(EventType.CONTEXT_COMPACTED, drafts),
            "epoch": fence.epoch,
            "last_input": _NO_LIMIT if fence.last_input is None else fence.last_input,
            **_stored(drafts),
            **more,
        },
    )
    if row is None:
        current = look(tx, session_id)
        if current is None or current.epoch != fence.epoch:
            raise LeaseLost
        raise NewInput
    return _head(row), _told(row, drafts)


def _with(beside: Kept | End | None) -> tuple[Prepared, Mapping[str, object]]:
    match beside:
        case None:
            return APPEND, {}
        case Kept():
            return APPEND_AND_KEEP, configs.kept_values(beside)
        case End(turn_id, status):
            return APPEND_AND_END, {"turn_id": turn_id, "ended_as": status}
        case never:
            assert_never(never)


def append_input(
    tx: Tx, organization_id: UUID, session_id: UUID, draft: EventDraft, *, turn_id: UUID
) -> tuple[Head, LoggedEvent] | None:
    """Store a user message, and queue the turn `turn_id` unless the session has an open one.

    None when the session does not exist for this organization.
    """
    row = APPEND_INPUT.one(
        tx,
        {
            "session_id": session_id,
            "organization_id": organization_id,
            "turn_id": turn_id,
            "resend": FIRST_RESEND_SECONDS,
            "type": str(draft.type),
            "context": _json(draft.context),
            "data": _json(draft.data),
            "private": _json(draft.private),
        },
    )
    if row is None:
        return None
    return _head(row), _told(row, [draft])[0]


def lock(tx: Tx, organization_id: UUID, session_id: UUID) -> Head | None:
    """Lock a session's head for the rest of the transaction; None when it does not exist."""
    row = tx.execute(
        _LOCK, {"session_id": session_id, "organization_id": organization_id}
    ).one_or_none()
    return None if row is None else _head(row)


def look(tx: Tx, session_id: UUID) -> Head | None:
    """The head as it is now, unlocked and unscoped; None when it is gone."""
    row = tx.execute(_LOOK, {"session_id": session_id}).one_or_none()
    return None if row is None else _head(row)


def hold(tx: Tx, session_id: UUID) -> Head | None:
    """As `look`, but waits for an append under way and keeps others out.

    So a commit that the connection broke off in has happened by then, or never will.
    """
    row = tx.execute(_HOLD, {"session_id": session_id}).one_or_none()
    return None if row is None else _head(row)


def read_after(
    tx: Tx,
    session_id: UUID,
    after: int,
    *,
    below: int | None = None,
    types: Sequence[str] = (),
    limit: int = SLICE,
) -> list[LoggedEvent]:
    """Events with `after < sequence < below`, oldest first, at most `limit` of them."""
    rows = tx.execute(
        _READ_TYPES if types else _READ,
        {
            "session_id": session_id,
            "after": after,
            "below": _NO_LIMIT if below is None else below,
            "types": list(types),
            "limit": limit,
        },
    )
    return [logged(session_id, row) for row in rows]


def read_all(
    tx: Tx, session_id: UUID, after: int, *, below: int | None = None, types: Sequence[str] = ()
) -> Iterator[LoggedEvent]:
    """As `read_after` without a limit, fetched slice by slice."""
    while True:
        found = read_after(tx, session_id, after, below=below, types=types)
        yield from found
        if len(found) < SLICE:
            return
        after = found[-1].sequence


def read_for_model(
    tx: Tx, session_id: UUID, after: int, *, below: int, limit: int
) -> list[LoggedEvent]:
    """As `read_after`, messages with their private part: for the model, not to be shown."""
    rows = tx.execute(
        _READ_FOR_MODEL,
        {
            "session_id": session_id,
            "after": after,
            "below": below,
            "types": list(MESSAGE_TYPES),
            "limit": limit,
        },
    )
    return [logged_with_private(session_id, row) for row in rows]


def count(tx: Tx, session_id: UUID, event_type: str, *, below: int) -> int:
    """How many events of a type the session has with `sequence < below`."""
    found = tx.execute(_COUNT, {"session_id": session_id, "type": event_type, "below": below})
    return int(found.scalar_one())


_COUNT: Final = text("""
    SELECT count(*) FROM events
    WHERE session_id = :session_id AND sequence < :below AND type = :type
""")

COLUMNS: Final = "sequence, type, ts, context::text AS context, data::text AS data"
_READ: Final = text(f"""
    SELECT {COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence > :after AND sequence < :below
    ORDER BY sequence LIMIT :limit
""")
_READ_TYPES: Final = text(f"""
    SELECT {COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence > :after AND sequence < :below
        AND type = ANY(:types)
    ORDER BY sequence LIMIT :limit
""")
PRIVATE_COLUMNS: Final = f"{COLUMNS}, private::text AS private"
_READ_FOR_MODEL: Final = text(f"""
    SELECT {PRIVATE_COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence > :after AND sequence < :below
        AND type = ANY(:types)
    ORDER BY sequence LIMIT :limit
""")


def logged(session_id: UUID, row: Row[Any]) -> LoggedEvent:
    """A row of `COLUMNS` of a session as an event."""
    return LoggedEvent(session_id, row.sequence, row.type, row.ts, row.context, row.data)


def dated(draft: EventDraft, ts: datetime) -> EventDraft:
    """With the time that a `deadline_seconds` means, where the draft has one."""
    if "deadline_seconds" not in draft.data:
        return draft
    data = dict(draft.data)
    deadline = ts + timedelta(seconds=data.pop("deadline_seconds"))
    return replace(draft, data={**data, "deadline": show_time(deadline)})


def logged_with_private(session_id: UUID, row: Row[Any]) -> LoggedEvent:
    """A row of `PRIVATE_COLUMNS` of a session as an event."""
    return LoggedEvent(
        session_id, row.sequence, row.type, row.ts, row.context, row.data, row.private
    )


def _position_of(kind: EventType, drafts: Sequence[EventDraft]) -> int:
    """Where the last draft of a type stands, counted from 1; 0 for nowhere."""
    return max((place for place, draft in enumerate(drafts, 1) if draft.type is kind), default=0)


def _head(row: Row[Any]) -> Head:
    return Head(
        session_id=row.session_id,
        last_sequence=row.last_sequence,
        last_input_sequence=row.last_input_sequence,
        last_ts=row.last_ts,
        epoch=row.epoch,
        status=SessionStatus(row.status),
        open_turn_id=row.open_turn_id,
    )


def _stored(drafts: Sequence[EventDraft]) -> dict[str, list[str | None]]:
    """The drafts as the statements for several take them."""
    return {
        "types": [str(draft.type) for draft in drafts],
        "contexts": [_json(draft.context) for draft in drafts],
        "datas": [_json(draft.data) for draft in drafts],
        "privates": [_json(draft.private) for draft in drafts],
        "marks": [_mark(draft) for draft in drafts],
    }


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _mark(draft: EventDraft) -> str | None:
    """Which of the things that only the append knows belongs into the data."""
    if "message" in draft.data:
        return "message"
    if draft.type is EventType.SESSION_IDLED:
        return "usage"
    return "deadline" if "deadline_seconds" in draft.data else None


def _told(row: Row[Any], drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
    """The events as they are in the log now."""
    usage = Usage(
        row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_creation_tokens
    )
    ts_text = show_time(row.last_ts)
    first = row.last_sequence - len(drafts) + 1
    return [
        LoggedEvent(
            session_id=row.session_id,
            sequence=first + position,
            type=str(draft.type),
            ts=row.last_ts,
            context_json=orjson.dumps(draft.context).decode(),
            data_json=orjson.dumps(
                stamped(dated(draft, row.last_ts), ts_text=ts_text, session_usage=usage)
            ).decode(),
        )
        for position, draft in enumerate(drafts)
    ]

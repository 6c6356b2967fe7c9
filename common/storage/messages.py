"""Messages: a projection of the log, read over its partial index (design 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.ids import Kind, show_id
from common.domain.message import calls_of
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from common.storage import log
from common.storage.engine import Database, Tx

_IS_MESSAGE: Final = "type IN ('input.message', 'output.message.completed', 'tool.completed')"
# Fewer than the log's slices: a message may hold megabytes.
SLICE: Final = 10


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many messages a session has, and up to where its log went at that moment."""

    total: int
    last_sequence: int


_COUNT: Final = text("""
    SELECT h.message_count, h.last_sequence
    FROM session_heads h JOIN sessions s ON s.id = h.session_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
""")

_FORWARD: Final = text(f"""
    SELECT {log.COLUMNS} FROM events
    WHERE session_id = :session_id AND {_IS_MESSAGE}
        AND sequence > :after AND sequence < :below
    ORDER BY sequence OFFSET :offset LIMIT :limit
""")
_BACKWARD: Final = text(f"""
    SELECT {log.COLUMNS} FROM events
    WHERE session_id = :session_id AND {_IS_MESSAGE}
        AND sequence > :after AND sequence < :below
    ORDER BY sequence DESC LIMIT :limit
""")

_FIND: Final = text(f"""
    SELECT {log.COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence = :sequence
        AND data #>> '{{message,id}}' = :message_id
""")

# What the open turn asked for and got: only the last answer's calls can lack a result.
_CALLS_AND_RESULTS: Final = text(f"""
    SELECT e.type, e.data FROM events e JOIN turns t ON t.id = :turn_id
    WHERE e.session_id = :session_id AND e.sequence >= t.input_sequence AND e.{_IS_MESSAGE}
        AND e.context ->> 'turn_id' = :shown_turn_id
    ORDER BY e.sequence
""")
_INPUT_OF: Final = text("""
    SELECT e.data #>> '{message,id}' FROM events e JOIN turns t ON t.id = :turn_id
    WHERE e.session_id = t.session_id AND e.sequence = t.input_sequence
""")


def count(tx: Tx, organization_id: UUID, session_id: UUID) -> MessageCount | None:
    """The session's counters; None when it does not exist."""
    row = tx.execute(
        _COUNT, {"session_id": session_id, "organization_id": organization_id}
    ).one_or_none()
    return None if row is None else MessageCount(row.message_count, row.last_sequence)


def read_page(
    tx: Tx, session_id: UUID, *, after: int, below: int, offset: int = 0, limit: int
) -> list[LoggedEvent]:
    """The first messages with `after < sequence < below`, less the first `offset` of them."""
    rows = tx.execute(
        _FORWARD,
        {
            "session_id": session_id,
            "after": after,
            "below": below,
            "offset": offset,
            "limit": limit,
        },
    )
    return [log.logged(session_id, row) for row in rows]


def read_last(tx: Tx, session_id: UUID, *, after: int, below: int, limit: int) -> list[LoggedEvent]:
    """The last messages with `after < sequence < below`, oldest first."""
    rows = tx.execute(
        _BACKWARD, {"session_id": session_id, "after": after, "below": below, "limit": limit}
    )
    return [log.logged(session_id, row) for row in reversed(rows.all())]


def read_all(database: Database, session_id: UUID, *, through: int) -> Iterator[LoggedEvent]:
    """Every message up to a sequence, oldest first, slice by slice.

    No connection is held between slices: the reader may be slow.
    """
    after = 0
    while True:
        with database.reading() as tx:
            found = read_page(tx, session_id, after=after, below=through + 1, limit=SLICE)
        yield from found
        if len(found) < SLICE:
            return
        after = found[-1].sequence


def find_stored(
    database: Database,
    organization_id: UUID,
    session_id: UUID,
    *,
    sequence: int,
    message_id: UUID,
) -> LoggedEvent | None:
    """The message at that place, if it is that message; waits for a commit under way.

    The head's lock is what a commit that is still being made holds, so the answer
    is final even when the connection that asked for the commit is lost.
    """
    with database.transaction() as tx:
        if log.lock(tx, organization_id, session_id) is None:
            return None
        return find(tx, session_id, sequence=sequence, message_id=message_id)


def find(tx: Tx, session_id: UUID, *, sequence: int, message_id: UUID) -> LoggedEvent | None:
    """The message at that place of the log, if it is that message."""
    row = tx.execute(
        _FIND,
        {
            "session_id": session_id,
            "sequence": sequence,
            "message_id": show_id(Kind.MESSAGE, message_id),
        },
    ).one_or_none()
    return None if row is None else log.logged(session_id, row)


def unfinished_calls(tx: Tx, session_id: UUID, turn_id: UUID) -> list[ToolCall]:
    """The open turn's tool calls that have no result, in the order they were asked for."""
    rows: list[Row[Any]] = list(
        tx.execute(
            _CALLS_AND_RESULTS,
            {
                "session_id": session_id,
                "turn_id": turn_id,
                "shown_turn_id": show_id(Kind.TURN, turn_id),
            },
        )
    )
    finished = {row.data["tool_call_id"] for row in rows if row.type == "tool.completed"}
    asked = [call for row in rows for call in calls_of(row.data.get("message") or {})]
    return [call for call in asked if call.id not in finished]


def input_of_turn(tx: Tx, turn_id: UUID) -> str | None:
    """The shown id of the message that a turn began with."""
    found: str | None = tx.execute(_INPUT_OF, {"turn_id": turn_id}).scalar_one_or_none()
    return found

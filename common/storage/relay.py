"""What the stream process asks of PostgreSQL: one statement a question, no transaction.

Opening a stream asks `find_session`, for some cursors `event_of_open_text`, and then
`read_slices`; after that a stream costs nothing here as long as the live channel works,
but its share of `find_heads`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from common.domain.events import (
    COMPLETING_TYPES,
    OPENER_TYPES,
    TERMINAL_TYPES,
    EventType,
)
from common.event_codec import LoggedEvent
from common.storage.engine import Database, Tx, is_passing_outage, sqlstate
from common.storage.log import COLUMNS, SLICE, logged

# Of the stored (mostly compressed) size of the events' data; a slice has at least one event.
_SLICE_BYTES: Final = 512 * 1024

T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """PostgreSQL does not answer now; what was asked may be asked again later."""


@dataclass(frozen=True, slots=True)
class NewestTurn:
    """The newest turn.

    Attributes:
        input_sequence: where its first message stands.
        newest_input_sequence: where its last one stands: that is what a caller who has
            just posted wants to see answered, also when it was read by a turn under way.
        ended_seconds_ago: None while the turn is open.
        answer: sequence of the first event after the last message that tells how the
            turn went; only looked up for a turn that ended recently.
    """

    input_sequence: int
    newest_input_sequence: int
    ended_seconds_ago: float | None
    answer: int | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as a stream is opened on it, all of one snapshot.

    Attributes:
        inherited_sequence: the last event that it was forked with, 0 for no fork.
    """

    session_id: UUID
    organization_id: UUID
    last_sequence: int
    has_open_turn: bool
    newest_turn: NewestTurn | None
    inherited_sequence: int = 0


@dataclass(frozen=True, slots=True)
class SessionHead:
    """How far a session's log goes."""

    last_sequence: int
    has_open_turn: bool


@dataclass(frozen=True, slots=True)
class LogSlice:
    """A piece of a log, and where the whole ended when it was read.

    Attributes:
        last_sequence: of the session's head; None when the session is gone.
    """

    events: tuple[LoggedEvent, ...]
    last_sequence: int | None


# What answers a message, for a reader that waits for the answer: contract 4.3.
ANSWER_TYPES: Final = (
    EventType.OUTPUT_COMPLETED,
    EventType.TURN_FAILED,
    EventType.TURN_CANCELLED,
    EventType.TURN_SEALED,
)

_FIND_SESSION: Final = text("""
    SELECT s.id, s.organization_id, coalesce(s.forked_from_sequence, 0) AS inherited,
        h.last_sequence, h.open_turn_id IS NOT NULL AS has_open_turn,
        t.input_sequence, h.last_input_sequence, t.ended_seconds_ago, a.sequence AS answer
    FROM sessions s
    JOIN session_heads h ON h.session_id = s.id
    LEFT JOIN LATERAL (
        SELECT 'turn_' || replace(CAST(id AS text), '-', '') AS shown_id, input_sequence,
            CAST(extract(epoch FROM clock_timestamp() - ended_at) AS float) AS ended_seconds_ago
        FROM turns WHERE session_id = s.id
        ORDER BY input_sequence DESC, created_at DESC LIMIT 1
    ) t ON true
    LEFT JOIN LATERAL (
        SELECT e.sequence FROM events e
        WHERE t.ended_seconds_ago <= :recent AND e.session_id = s.id
            AND e.sequence > h.last_input_sequence AND e.type = ANY(:answers)
            AND e.context->>'turn_id' = t.shown_id
        ORDER BY e.sequence LIMIT 1
    ) a ON true
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
""")

# The newest event that opens or closes a text stream; one is open if that is an opener.
# Thinking that was not streamed closes none.
_STREAM_EDGE: Final = text(f"""
    SELECT {COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence > :above AND sequence <= :at
        AND type = ANY(:edges)
        AND (type <> 'reason.thinking.completed' OR context ->> 'stream_sequence' IS NOT NULL)
    ORDER BY sequence DESC LIMIT 1
""")

# The casts stand outside so that rows beyond the budget are never unpacked.
_READ_SLICES: Final = text("""
    SELECT w.position, h.last_sequence, e.sequence, e.type, e.ts,
        e.context::text AS context, e.data::text AS data
    FROM unnest(CAST(:sessions AS uuid[]), CAST(:afters AS int[]))
        WITH ORDINALITY AS w (session_id, after, position)
    LEFT JOIN (session_heads h JOIN sessions s ON s.id = h.session_id AND s.deleted_at IS NULL)
        ON h.session_id = w.session_id
    LEFT JOIN LATERAL (
        SELECT * FROM (
            SELECT r.*, sum(pg_column_size(r.data)) OVER (ORDER BY r.sequence)
                - pg_column_size(r.data) AS bytes_before
            FROM (
                SELECT sequence, type, ts, context, data FROM events
                WHERE session_id = w.session_id AND sequence > w.after
                ORDER BY sequence LIMIT :limit
            ) r
        ) sized WHERE bytes_before < :budget
    ) e ON h.session_id IS NOT NULL
    ORDER BY w.position, e.sequence
""")

_FIND_HEADS: Final = text("""
    SELECT h.session_id, h.last_sequence, h.open_turn_id IS NOT NULL AS has_open_turn
    FROM session_heads h JOIN sessions s ON s.id = h.session_id
    WHERE h.session_id = ANY(CAST(:sessions AS uuid[])) AND s.deleted_at IS NULL
""")


def find_session(
    tx: Tx, organization_id: UUID, session_id: UUID, *, recent_seconds: float
) -> SessionView | None:
    """The session with its newest turn; None when it does not exist for the organization.

    `recent_seconds` says up to what age of its end a turn's answer is looked up; 0 for
    never.
    """
    row = tx.execute(
        _FIND_SESSION,
        {
            "session_id": session_id,
            "organization_id": organization_id,
            "recent": recent_seconds,
            "answers": list(ANSWER_TYPES),
        },
    ).one_or_none()
    if row is None:
        return None
    turn = None
    if row.input_sequence is not None:
        turn = NewestTurn(
            row.input_sequence, row.last_input_sequence, row.ended_seconds_ago, row.answer
        )
    return SessionView(
        row.id,
        row.organization_id,
        row.last_sequence,
        row.has_open_turn,
        turn,
        inherited_sequence=row.inherited,
    )


def opener_of_open_text(tx: Tx, session_id: UUID, *, at: int, above: int = 0) -> LoggedEvent | None:
    """The opener of the text stream that is open right after sequence `at`, if one is.

    Only events with a sequence beyond `above` are considered; scans no further back
    than to the last end of a message.
    """
    row = tx.execute(
        _STREAM_EDGE,
        {
            "session_id": session_id,
            "at": at,
            "above": above,
            "edges": sorted({*OPENER_TYPES, *TERMINAL_TYPES, *COMPLETING_TYPES}),
        },
    ).one_or_none()
    if row is None or row.type not in OPENER_TYPES:
        return None
    return logged(session_id, row)


def read_slices(tx: Tx, wanted: Sequence[tuple[UUID, int]]) -> list[LogSlice]:
    """For each (session, sequence) the events after it, at most `SLICE` and about 512 KiB.

    One statement for all of them.
    """
    slices: list[list[LoggedEvent]] = [[] for _ in wanted]
    heads: list[int | None] = [None] * len(wanted)
    rows = tx.execute(
        _READ_SLICES,
        {
            "sessions": [str(session_id) for session_id, _ in wanted],
            "afters": [after for _, after in wanted],
            "limit": SLICE,
            "budget": _SLICE_BYTES,
        },
    )
    for row in rows:
        place = row.position - 1
        heads[place] = row.last_sequence
        if row.sequence is not None:
            slices[place].append(logged(wanted[place][0], row))
    return [LogSlice(tuple(events), head) for events, head in zip(slices, heads, strict=True)]


def find_heads(tx: Tx, session_ids: Iterable[UUID]) -> dict[UUID, SessionHead]:
    """The heads of those sessions that exist; one statement."""
    rows = tx.execute(_FIND_HEADS, {"sessions": [str(each) for each in session_ids]})
    return {row.session_id: SessionHead(row.last_sequence, row.has_open_turn) for row in rows}


def ask(database: Database, question: Callable[[Tx], T]) -> T:
    """Run reads on a connection of their own; once more if a pooled one turned out dead.

    Raises:
        DatabaseUnavailable: the database cannot be reached or has no capacity left.
    """
    try:
        return _ask(database, question)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise _unavailable(error) from error
    except SQLAlchemyError as error:
        raise _unavailable(error) from error
    try:
        return _ask(database, question)
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


def _ask(database: Database, question: Callable[[Tx], T]) -> T:
    with database.reading() as tx:
        return question(tx)


def _unavailable(error: SQLAlchemyError) -> Exception:
    if is_passing_outage(error):
        return DatabaseUnavailable(f"{type(error).__name__} {sqlstate(error) or ''}".strip())
    return error

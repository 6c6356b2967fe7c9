"""Dead letters: turns that were sealed, and which of them were tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.situation import TurnView
from common.storage.engine import Tx
from common.storage.situations import TURN_COLUMNS, turn_view
from common.storage.turn_lists import MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Retry:
    """That a dead letter was tried again: as which turn, by whom and when."""

    turn_id: UUID
    principal_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A sealed turn; `input_sequence` is where its first message stands in the log."""

    turn: TurnView
    input_sequence: int
    retry: Retry | None


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """A page of dead letters, newest first."""

    entries: list[DeadLetter]
    total: int


_COLUMNS: Final = f"""
    {TURN_COLUMNS}, t.input_sequence, r.retry_turn_id, r.principal_id, r.created_at AS retried_at
"""
_OURS: Final = """
    FROM turns t JOIN sessions s ON s.id = t.session_id AND s.deleted_at IS NULL
    LEFT JOIN dead_letter_retries r ON r.turn_id = t.id
    WHERE t.organization_id = :organization_id AND t.status = 'sealed'
        AND (CAST(:turn_id AS uuid) IS NULL OR t.id = :turn_id)
"""
# Tried again is settled: such a one can be looked up, and is in no list.
_PAGE: Final = text(f"""
    SELECT {_COLUMNS} {_OURS} AND r.turn_id IS NULL
    ORDER BY t.ended_at DESC, t.id DESC OFFSET :offset LIMIT :limit
""")
_COUNT: Final = text(f"""
    SELECT count(*) FROM (SELECT 1 {_OURS} AND r.turn_id IS NULL LIMIT :most) counted
""")
_FIND: Final = text(f"SELECT {_COLUMNS} {_OURS}")
_HAS_LATER: Final = text("""
    SELECT 1 FROM turns WHERE session_id = :session_id AND input_sequence > :input_sequence LIMIT 1
""")
_NOTE: Final = text("""
    INSERT INTO dead_letter_retries (turn_id, retry_turn_id, principal_id, created_at)
    VALUES (:turn_id, :retry_turn_id, :principal_id, clock_timestamp())
""")


def page(
    tx: Tx, organization_id: UUID, *, turn_id: UUID | None, offset: int, limit: int
) -> DeadLetterPage:
    """Those that were not tried again, the newest first; with `turn_id` that one alone."""
    values = {"organization_id": organization_id, "turn_id": turn_id}
    rows = tx.execute(_PAGE, {**values, "offset": offset, "limit": limit})
    entries = [_entry(row) for row in rows]
    total = tx.execute(_COUNT, {**values, "most": MOST_COUNTED}).scalar_one()
    return DeadLetterPage(entries, total)


def find(tx: Tx, organization_id: UUID, turn_id: UUID) -> DeadLetter | None:
    """One dead letter, tried again or not; None when there is none."""
    values = {"organization_id": organization_id, "turn_id": turn_id}
    row = tx.execute(_FIND, values).one_or_none()
    return None if row is None else _entry(row)


def has_later_turn(tx: Tx, entry: DeadLetter) -> bool:
    """Whether the session went on with a newer message; final when the caller holds the head."""
    values = {"session_id": entry.turn.session_id, "input_sequence": entry.input_sequence}
    return tx.execute(_HAS_LATER, values).first() is not None


def note_retry(tx: Tx, turn_id: UUID, *, retry_turn_id: UUID, principal_id: UUID) -> None:
    """Say that it is tried again; the caller holds the head and has seen that it was not."""
    values = {"turn_id": turn_id, "retry_turn_id": retry_turn_id, "principal_id": principal_id}
    tx.execute(_NOTE, values)


def _entry(row: Row[Any]) -> DeadLetter:
    retry = None
    if row.retry_turn_id is not None:
        retry = Retry(row.retry_turn_id, row.principal_id, row.retried_at)
    return DeadLetter(turn_view(row), row.input_sequence, retry)

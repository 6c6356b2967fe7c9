"""An organization's turns, newest first: for operators, not for turns themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.situation import TurnView
from common.domain.turn import TurnStatus
from common.storage.engine import Tx
from common.storage.situations import TURN_COLUMNS, turn_view

# Nobody pages further, and counting on would read the whole history.
MOST_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class ListedTurn:
    """A turn with what lists show besides.

    Attributes:
        input_sequence: where its first message stands in the session's log.
    """

    turn: TurnView
    priority: int
    input_sequence: int


@dataclass(frozen=True, slots=True)
class TurnPage:
    """A page of turns; `total` goes up to `MOST_COUNTED`."""

    turns: list[ListedTurn]
    total: int


_COLUMNS: Final = f"{TURN_COLUMNS}, t.priority, t.input_sequence"
_OURS: Final = """
    FROM turns t JOIN sessions s ON s.id = t.session_id AND s.deleted_at IS NULL
    WHERE t.organization_id = :organization_id
"""
_MATCHING: Final = f"""{_OURS}
    AND (CAST(:statuses AS text[]) IS NULL OR t.status = ANY(:statuses))
    AND (CAST(:turn_id AS uuid) IS NULL OR t.id = :turn_id)
"""
_PAGE: Final = text(f"SELECT {_COLUMNS} {_MATCHING} ORDER BY t.id DESC OFFSET :offset LIMIT :limit")
_COUNT: Final = text(f"SELECT count(*) FROM (SELECT 1 {_MATCHING} LIMIT :most) counted")
_FIND: Final = text(f"SELECT {_COLUMNS} {_OURS} AND t.id = :turn_id")


def page(
    tx: Tx,
    organization_id: UUID,
    *,
    statuses: Sequence[TurnStatus] | None,
    turn_id: UUID | None,
    offset: int,
    limit: int,
) -> TurnPage:
    """Turns with one of these statuses, None for any; with `turn_id` that one alone."""
    values = {
        "organization_id": organization_id,
        "statuses": None if statuses is None else [str(each) for each in statuses],
        "turn_id": turn_id,
    }
    rows = tx.execute(_PAGE, {**values, "offset": offset, "limit": limit})
    found = [_listed(row) for row in rows]
    return TurnPage(found, tx.execute(_COUNT, {**values, "most": MOST_COUNTED}).scalar_one())


def find(tx: Tx, organization_id: UUID, turn_id: UUID) -> ListedTurn | None:
    """One turn; None when it does not exist."""
    values = {"organization_id": organization_id, "turn_id": turn_id}
    row = tx.execute(_FIND, values).one_or_none()
    return None if row is None else _listed(row)


def _listed(row: Row[Any]) -> ListedTurn:
    return ListedTurn(turn_view(row), row.priority, row.input_sequence)

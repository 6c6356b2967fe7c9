"""How much waits for workers, of whom and for how long: what admission goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.storage.engine import Tx

_MOST_ORGANIZATIONS: Final = 1_000

# A turn that has begun and is queued again is not waiting for the first time.
_LOOK: Final = text("""
    SELECT organization_id, count(*) AS open_turns,
        sum(count(*) FILTER (WHERE status = 'queued')) OVER () AS queued,
        extract(epoch FROM clock_timestamp()
            - min(created_at) FILTER (WHERE status = 'queued' AND started_at IS NULL)
        )::float AS longest_wait
    FROM turns WHERE status IN ('queued', 'running', 'waiting')
    GROUP BY organization_id ORDER BY open_turns DESC LIMIT :most
""")

_WOULD_OPEN: Final = text("""
    SELECT h.open_turn_id IS NULL FROM session_heads h JOIN sessions s ON s.id = h.session_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class OrganizationLoad:
    """One organization's open turns, and how long the oldest has waited to begin."""

    open_turns: int
    longest_wait_seconds: float


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """All queued turns, and the organizations with the most open ones."""

    queued: int
    organizations: dict[UUID, OrganizationLoad]


def look(tx: Tx) -> QueueLoad:
    """Reads every open turn, through their index; not for a request to wait for."""
    rows = tx.execute(_LOOK, {"most": _MOST_ORGANIZATIONS}).all()
    return QueueLoad(
        queued=int(rows[0].queued) if rows else 0,
        organizations={
            row.organization_id: OrganizationLoad(row.open_turns, row.longest_wait or 0.0)
            for row in rows
        },
    )


def would_open(tx: Tx, organization_id: UUID, session_id: UUID) -> bool:
    """Whether a message to the session would open a turn; False when there is no session."""
    found = tx.execute(
        _WOULD_OPEN, {"session_id": session_id, "organization_id": organization_id}
    ).scalar_one_or_none()
    return bool(found)

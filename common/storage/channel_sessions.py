"""Sessions as the Agent Execution API sees them: of one agent, and of one owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.agent import NamedRef
from common.storage.engine import Tx

_OURS: Final = (
    "s.organization_id = :organization_id AND s.agent_id = :agent_id"
    " AND s.owner_principal_id = :principal_id AND s.deleted_at IS NULL"
)
_BELONGS: Final = text(f"SELECT 1 FROM sessions s WHERE s.id = :session_id AND {_OURS}")
_PAGE: Final = text(f"""
    SELECT s.id, h.last_ts FROM sessions s JOIN session_heads h ON h.session_id = s.id
    WHERE {_OURS} AND (CAST(:before AS timestamptz) IS NULL
        OR (h.last_ts, s.id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid)))
    ORDER BY h.last_ts DESC, s.id DESC LIMIT :limit
""")
_TURN: Final = text("""
    SELECT id FROM turns WHERE session_id = :session_id AND input_sequence <= :sequence
    ORDER BY input_sequence DESC, created_at DESC LIMIT 1
""")
_IS_BELOW: Final = text("""
    SELECT 1 FROM sessions s JOIN agents a ON a.id = s.agent_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
        AND a.organization_id = :organization_id AND a.status <> 'deleted'
        AND (CAST(:principal_id AS uuid) IS NULL OR s.owner_principal_id = :principal_id)
        AND (CAST(:only_agent_id AS uuid) IS NULL OR a.id = :only_agent_id)
        AND a.id = (
            SELECT id FROM agents
            WHERE organization_id = :organization_id AND status <> 'deleted'
                AND (id = :agent_id OR slug = :slug)
            ORDER BY id = :agent_id DESC NULLS LAST LIMIT 1)
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last activity of its last session, and that session."""

    last_ts: datetime
    session_id: UUID


def belongs(
    tx: Tx, organization_id: UUID, session_id: UUID, *, agent_id: UUID, principal_id: UUID
) -> bool:
    """Whether the session is one of that agent's and of that owner's."""
    found = tx.execute(
        _BELONGS,
        {
            "organization_id": organization_id,
            "session_id": session_id,
            "agent_id": agent_id,
            "principal_id": principal_id,
        },
    )
    return found.one_or_none() is not None


def is_below(
    tx: Tx,
    organization_id: UUID,
    session_id: UUID,
    *,
    agent: NamedRef,
    principal_id: UUID | None,
    only_agent_id: UUID | None,
) -> bool:
    """As `belongs`, for an agent as a path names it; any owner's when none is given.

    Of other agents than `only_agent_id` nothing belongs, if that is given.
    """
    found = tx.execute(
        _IS_BELOW,
        {
            "organization_id": organization_id,
            "session_id": session_id,
            "agent_id": agent.id,
            "slug": agent.slug,
            "principal_id": principal_id,
            "only_agent_id": only_agent_id,
        },
    )
    return found.one_or_none() is not None


def turn_of(tx: Tx, session_id: UUID, sequence: int) -> UUID | None:
    """The turn that a message opened or steers; the session is the caller's to have checked."""
    found: UUID | None = tx.execute(
        _TURN, {"session_id": session_id, "sequence": sequence}
    ).scalar_one_or_none()
    return found


def find_page(
    tx: Tx,
    organization_id: UUID,
    *,
    agent_id: UUID,
    principal_id: UUID,
    after: Place | None,
    limit: int,
) -> list[Place]:
    """Sessions below a place, most recently active first."""
    rows = tx.execute(
        _PAGE,
        {
            "organization_id": organization_id,
            "agent_id": agent_id,
            "principal_id": principal_id,
            "before": None if after is None else after.last_ts,
            "before_id": None if after is None else after.session_id,
            "limit": limit,
        },
    )
    return [Place(row.last_ts, row.id) for row in rows]

"""What the sessions of an agent or a harness have used, from the counters on their heads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class ResourceStats:
    """Totals over living sessions; a session lasts from its first turn to its last event."""

    session_count: int
    started_session_count: int
    active_session_count: int
    idle_session_count: int
    waiting_for_tool_results_session_count: int
    execution_count: int
    total_input_tokens: int
    total_output_tokens: int
    total_cache_read_tokens: int
    total_cache_creation_tokens: int
    total_session_duration_ms: int
    first_session_at: datetime | None
    last_session_at: datetime | None
    last_execution_at: datetime | None


def _totals(condition: str) -> str:
    # One walk over the sessions by index, and for each a step to its head and its turns.
    return f"""
        SELECT count(*) AS session_count,
            count(*) FILTER (WHERE h.status = 'started') AS started_session_count,
            count(*) FILTER (WHERE h.status = 'active') AS active_session_count,
            count(*) FILTER (WHERE h.status = 'idle') AS idle_session_count,
            count(*) FILTER (WHERE h.status = 'waitingfortoolresults')
                AS waiting_for_tool_results_session_count,
            CAST(coalesce(sum(t.number), 0) AS bigint) AS execution_count,
            CAST(coalesce(sum(h.input_tokens), 0) AS bigint) AS total_input_tokens,
            CAST(coalesce(sum(h.output_tokens), 0) AS bigint) AS total_output_tokens,
            CAST(coalesce(sum(h.cache_read_tokens), 0) AS bigint) AS total_cache_read_tokens,
            CAST(coalesce(sum(h.cache_creation_tokens), 0) AS bigint)
                AS total_cache_creation_tokens,
            CAST(coalesce(sum(extract(epoch FROM h.last_ts - h.started_at) * 1000), 0) AS bigint)
                AS total_session_duration_ms,
            min(s.created_at) AS first_session_at, max(s.created_at) AS last_session_at,
            max(t.newest) AS last_execution_at
        FROM sessions s JOIN session_heads h ON h.session_id = s.id
        LEFT JOIN LATERAL (
            SELECT count(*) AS number, max(created_at) AS newest
            FROM turns WHERE session_id = s.id
        ) t ON true
        WHERE s.organization_id = :organization_id AND {condition} AND s.deleted_at IS NULL
    """


_OF_AGENT: Final = text(_totals("s.agent_id = :id"))
_OF_HARNESS: Final = text(_totals("s.harness_id = :id"))


def of_agent(tx: Tx, organization_id: UUID, agent_id: UUID) -> ResourceStats:
    """What the organization's sessions with this agent have used."""
    row = tx.execute(_OF_AGENT, {"organization_id": organization_id, "id": agent_id}).one()
    return ResourceStats(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def of_harness(tx: Tx, organization_id: UUID, harness_id: UUID) -> ResourceStats:
    """What the organization's sessions with this very harness have used."""
    row = tx.execute(_OF_HARNESS, {"organization_id": organization_id, "id": harness_id}).one()
    return ResourceStats(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

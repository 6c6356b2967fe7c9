"""Versions of agents, always of one organization; written once, never changed.

Writers hold `organizations.lock`, so numbers are given one after the other.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.agent_version import AgentVersion, Change, ChangeKind
from common.storage.engine import Tx

SLICE: Final = 20

_OURS: Final = "organization_id = :organization_id AND agent_id = :agent_id"
_FIND: Final = text(f"SELECT * FROM agent_versions WHERE {_OURS} AND id = :id")
_NEWEST: Final = text(
    f"SELECT * FROM agent_versions WHERE {_OURS} ORDER BY version_number DESC LIMIT 1"
)
_BELOW: Final = text(f"""
    SELECT * FROM agent_versions WHERE {_OURS} AND version_number < :below
    ORDER BY version_number DESC LIMIT :limit
""")

_INSERT: Final = text("""
    WITH newest AS (
        UPDATE agents SET version = :number
        WHERE id = :agent_id AND organization_id = :organization_id
    )
    INSERT INTO agent_versions (id, organization_id, agent_id, version_number, semver_major,
        semver_minor, semver_patch, change_kind, summary, config_hash, authored_config,
        resolved_config, source_version_id, created_by_principal_id, created_at)
    VALUES (:id, :organization_id, :agent_id, :number, :major, :minor, :patch, :kind, :summary,
        :config_hash, CAST(:authored AS jsonb), CAST(:resolved AS jsonb), :source,
        :principal_id, :created_at)
""")

_SET_DEFAULT: Final = text("""
    UPDATE agents SET default_version_id = :version_id, updated_at = clock_timestamp()
    WHERE id = :agent_id AND organization_id = :organization_id
""")

_NO_LIMIT: Final = 2**31 - 1


def find(tx: Tx, organization_id: UUID, agent_id: UUID, version_id: UUID) -> AgentVersion | None:
    """The agent's version with that id; None when the agent has none such."""
    row = tx.execute(
        _FIND, {"organization_id": organization_id, "agent_id": agent_id, "id": version_id}
    ).one_or_none()
    return None if row is None else _version(row)


def newest(tx: Tx, organization_id: UUID, agent_id: UUID) -> AgentVersion | None:
    """The agent's newest version; None for an agent that was never changed since versions are."""
    row = tx.execute(
        _NEWEST, {"organization_id": organization_id, "agent_id": agent_id}
    ).one_or_none()
    return None if row is None else _version(row)


def read_below(
    tx: Tx, organization_id: UUID, agent_id: UUID, below: int | None = None
) -> list[AgentVersion]:
    """The agent's versions below a number, newest first; a slice: each may be megabytes."""
    rows = tx.execute(
        _BELOW,
        {
            "organization_id": organization_id,
            "agent_id": agent_id,
            "below": _NO_LIMIT if below is None else below,
            "limit": SLICE,
        },
    )
    return [_version(row) for row in rows]


def insert(tx: Tx, organization_id: UUID, version: AgentVersion) -> None:
    """Store a version as its agent's newest."""
    major, minor, patch = version.semver
    tx.execute(
        _INSERT,
        {
            "id": version.id,
            "organization_id": organization_id,
            "agent_id": version.agent_id,
            "number": version.number,
            "major": major,
            "minor": minor,
            "patch": patch,
            "kind": version.change.kind,
            "summary": version.change.summary,
            "config_hash": version.config_hash,
            "authored": orjson.dumps(version.authored).decode(),
            "resolved": orjson.dumps(version.resolved).decode(),
            "source": version.change.source,
            "principal_id": version.change.principal_id,
            "created_at": version.created_at,
        },
    )


def set_default(tx: Tx, organization_id: UUID, agent_id: UUID, version_id: UUID | None) -> None:
    """Say which version sessions run on; None for the agent as it is."""
    tx.execute(
        _SET_DEFAULT,
        {"organization_id": organization_id, "agent_id": agent_id, "version_id": version_id},
    )


def _version(row: Row[Any]) -> AgentVersion:
    return AgentVersion(
        id=row.id,
        agent_id=row.agent_id,
        number=row.version_number,
        semver=(row.semver_major, row.semver_minor, row.semver_patch),
        change=Change(
            kind=ChangeKind(row.change_kind),
            summary=row.summary,
            source=row.source_version_id,
            principal_id=row.created_by_principal_id,
        ),
        config_hash=row.config_hash,
        authored=row.authored_config,
        resolved=row.resolved_config,
        created_at=row.created_at,
    )

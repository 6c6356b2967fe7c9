"""Agents, always of one organization.

Writers hold `organizations.lock`, so a look-up before a write still holds at the write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.agent import Agent, AgentConfig, AgentRef, AgentStatus, slug_of
from common.storage.engine import Tx
from common.storage.search import like_patterns, matches_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Which agent a copy was made of, and of which that one's line began."""

    root: UUID
    forked_from: UUID
    version: UUID | None = None


_COLUMNS: Final = """
    a.id, a.organization_id, a.name, a.slug, a.display_name, a.description, a.system_prompt,
    a.harness_id, a.default_model_id, a.status, a.tags, a.capabilities, a.tools,
    a.initial_files, a.mcp_servers, a.network_access, a.max_iterations,
    a.parallel_tool_calls, a.fallback_models, a.root_agent_id, a.forked_from_agent_id,
    a.forked_from_version_id, a.default_version_id, a.version,
    a.created_at, a.updated_at, a.archived_at, a.deleted_at, h.name AS harness_name
"""
_FROM: Final = "FROM agents a JOIN harnesses h ON h.id = a.harness_id"
_OURS: Final = "a.organization_id = :organization_id AND a.status <> 'deleted'"

_FIND: Final = text(f"""
    SELECT {_COLUMNS} {_FROM}
    WHERE {_OURS} AND (a.id = :id OR a.slug = :slug)
    ORDER BY a.id = :id DESC NULLS LAST LIMIT 1
""")

_INSERT: Final = text("""
    INSERT INTO agents (id, organization_id, name, slug, display_name, description,
        system_prompt, harness_id, default_model_id, tags, capabilities, tools, initial_files,
        mcp_servers, network_access, max_iterations, parallel_tool_calls, fallback_models,
        root_agent_id, forked_from_agent_id, forked_from_version_id)
    VALUES (:id, :organization_id, :name, :slug, :display_name, :description, :system_prompt,
        :harness_id, :default_model_id, CAST(:tags AS jsonb), CAST(:capabilities AS jsonb),
        CAST(:tools AS jsonb), CAST(:initial_files AS jsonb), CAST(:mcp_servers AS jsonb),
        CAST(:network_access AS jsonb), :max_iterations, :parallel_tool_calls,
        CAST(:fallback_models AS jsonb), :root, :forked_from,
        :forked_from_version)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
""")

_UPDATE: Final = text("""
    UPDATE agents SET name = :name, slug = :slug, display_name = :display_name,
        description = :description, system_prompt = :system_prompt, harness_id = :harness_id,
        default_model_id = :default_model_id, tags = CAST(:tags AS jsonb),
        capabilities = CAST(:capabilities AS jsonb), tools = CAST(:tools AS jsonb),
        initial_files = CAST(:initial_files AS jsonb),
        mcp_servers = CAST(:mcp_servers AS jsonb),
        network_access = CAST(:network_access AS jsonb), max_iterations = :max_iterations,
        parallel_tool_calls = :parallel_tool_calls,
        fallback_models = CAST(:fallback_models AS jsonb), updated_at = clock_timestamp()
    WHERE id = :id AND organization_id = :organization_id AND status <> 'deleted'
""")

_SET_STATUS: Final = text("""
    UPDATE agents SET status = CAST(:status AS text), updated_at = clock_timestamp(),
        archived_at = CASE WHEN :status = 'active' THEN NULL
            ELSE coalesce(archived_at, clock_timestamp()) END,
        deleted_at = CASE WHEN :status = 'deleted' THEN clock_timestamp() END
    WHERE id = :id AND organization_id = :organization_id AND status <> :status
""")

_HARNESS: Final = text("""
    SELECT id FROM harnesses
    WHERE (organization_id IS NULL OR organization_id = :organization_id)
        AND status = 'active' AND (id = :id OR slug = :slug)
    ORDER BY id = :id DESC NULLS LAST LIMIT 1
""")


def find(tx: Tx, organization_id: UUID, ref: AgentRef) -> Agent | None:
    """The agent with that id, else the one with that name; None when there is none."""
    row = tx.execute(
        _FIND, {"organization_id": organization_id, "id": ref.id, "slug": ref.slug}
    ).one_or_none()
    return None if row is None else _agent(row)


def find_page(
    tx: Tx,
    organization_id: UUID,
    *,
    search: str | None,
    include_archived: bool,
    offset: int,
    limit: int,
) -> tuple[list[Agent], int]:
    """A page of agents, newest first, and how many there are."""
    condition, words = matches_all(
        like_patterns(search),
        of="concat_ws(' ', a.name, a.display_name, a.description)",
    )
    archived = "" if include_archived else "AND a.status = 'active'"
    where = f"WHERE {_OURS} {archived} AND {condition}"
    named = {"organization_id": organization_id, **words}
    rows = tx.execute(
        text(
            f"SELECT {_COLUMNS} {_FROM} {where}"
            " ORDER BY a.created_at DESC, a.id DESC OFFSET :offset LIMIT :limit"
        ),
        {**named, "offset": offset, "limit": limit},
    )
    found = [_agent(row) for row in rows]
    total: int = tx.execute(text(f"SELECT count(*) {_FROM} {where}"), named).scalar_one()
    return found, total


def insert(
    tx: Tx,
    organization_id: UUID,
    agent_id: UUID,
    config: AgentConfig,
    *,
    slug: str,
    lineage: Lineage | None = None,
) -> bool:
    """Store a new agent; False when the id is taken, by whatever organization."""
    row = tx.execute(
        _INSERT,
        {
            **_values(config),
            "id": agent_id,
            "organization_id": organization_id,
            "slug": slug,
            "root": lineage.root if lineage else None,
            "forked_from": lineage.forked_from if lineage else None,
            "forked_from_version": lineage.version if lineage else None,
        },
    ).one_or_none()
    return row is not None


def update(
    tx: Tx, organization_id: UUID, agent_id: UUID, config: AgentConfig, *, slug: str
) -> None:
    """Replace what a caller wrote."""
    tx.execute(
        _UPDATE,
        {
            **_values(config),
            "id": agent_id,
            "organization_id": organization_id,
            "slug": slug,
        },
    )


def set_status(tx: Tx, organization_id: UUID, agent_id: UUID, status: AgentStatus) -> None:
    """Archive, reactivate or delete; nothing happens when it is that already."""
    tx.execute(_SET_STATUS, {"id": agent_id, "organization_id": organization_id, "status": status})


def find_harness(
    tx: Tx, organization_id: UUID, *, harness_id: UUID | None, name: str | None
) -> UUID | None:
    """The id of an active harness, built-in or the organization's own; None for none.

    An id goes before a name.
    """
    found: UUID | None = tx.execute(
        _HARNESS,
        {
            "organization_id": organization_id,
            "id": harness_id,
            "slug": None if name is None or harness_id is not None else slug_of(name),
        },
    ).scalar_one_or_none()
    return found


def _values(config: AgentConfig) -> dict[str, Any]:
    access = config.network_access
    return {
        "name": config.name,
        "display_name": config.display_name,
        "description": config.description,
        "system_prompt": config.system_prompt,
        "harness_id": config.harness_id,
        "default_model_id": config.default_model_id,
        "fallback_models": _json(config.fallback_models),
        "tags": _json(config.tags),
        "capabilities": _json(config.capabilities),
        "tools": _json(config.tools),
        "initial_files": _json(config.initial_files),
        "mcp_servers": _json(config.mcp_servers),
        "network_access": None if access is None else _json(access),
        "max_iterations": config.max_iterations,
        "parallel_tool_calls": config.parallel_tool_calls,
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _agent(row: Row[Any]) -> Agent:
    config = AgentConfig(
        name=row.name,
        system_prompt=row.system_prompt,
        display_name=row.display_name,
        description=row.description,
        harness_id=row.harness_id,
        harness_name=row.harness_name,
        default_model_id=row.default_model_id,
        fallback_models=row.fallback_models,
        tags=row.tags,
        capabilities=row.capabilities,
        tools=row.tools,
        initial_files=row.initial_files,
        mcp_servers=row.mcp_servers,
        network_access=row.network_access,
        max_iterations=row.max_iterations,
        parallel_tool_calls=row.parallel_tool_calls,
    )
    return Agent(
        id=row.id,
        organization_id=row.organization_id,
        slug=row.slug,
        config=config,
        status=AgentStatus(row.status),
        root_agent_id=row.root_agent_id,
        forked_from_agent_id=row.forked_from_agent_id,
        forked_from_version_id=row.forked_from_version_id,
        default_version_id=row.default_version_id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
        deleted_at=row.deleted_at,
    )

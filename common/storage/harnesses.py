"""Harnesses: the built-in ones, and each organization's own.

Writers hold `organizations.lock`, so a look-up before a write still holds at the write.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.agent import NamedRef
from common.domain.harness import MAX_PARENTS, Harness, HarnessConfig, HarnessStatus
from common.storage.engine import Tx
from common.storage.search import like_patterns, matches_all

_VISIBLE: Final = (
    "(h.organization_id = :organization_id OR h.organization_id IS NULL) AND h.status <> 'deleted'"
)
_OWN: Final = "organization_id = :organization_id AND NOT is_built_in AND status <> 'deleted'"

_FIND: Final = text(f"""
    SELECT h.* FROM harnesses h WHERE {_VISIBLE} AND (h.id = :id OR h.slug = :slug)
    ORDER BY h.id = :id DESC NULLS LAST LIMIT 1
""")

_INSERT: Final = text("""
    INSERT INTO harnesses (id, organization_id, name, slug, display_name, description,
        system_prompt, parent_harness_id, default_model_id, tags, capabilities, tools,
        initial_files, mcp_servers, network_access, parallel_tool_calls, embedder_metadata)
    VALUES (:id, :organization_id, :name, :slug, :display_name, :description, :system_prompt,
        :parent_harness_id, :default_model_id, CAST(:tags AS jsonb),
        CAST(:capabilities AS jsonb), CAST(:tools AS jsonb), CAST(:initial_files AS jsonb),
        CAST(:mcp_servers AS jsonb), CAST(:network_access AS jsonb), :parallel_tool_calls,
        CAST(:embedder_metadata AS jsonb))
""")

_UPDATE: Final = text(f"""
    UPDATE harnesses SET name = :name, slug = :slug, display_name = :display_name,
        description = :description, system_prompt = :system_prompt,
        parent_harness_id = :parent_harness_id, default_model_id = :default_model_id,
        tags = CAST(:tags AS jsonb), capabilities = CAST(:capabilities AS jsonb),
        tools = CAST(:tools AS jsonb), initial_files = CAST(:initial_files AS jsonb),
        mcp_servers = CAST(:mcp_servers AS jsonb),
        network_access = CAST(:network_access AS jsonb),
        parallel_tool_calls = :parallel_tool_calls,
        embedder_metadata = CAST(:embedder_metadata AS jsonb), updated_at = clock_timestamp()
    WHERE id = :id AND {_OWN}
""")

_ARCHIVE: Final = text(f"""
    UPDATE harnesses SET status = 'archived', archived_at = clock_timestamp(),
        updated_at = clock_timestamp()
    WHERE id = :id AND {_OWN} AND status = 'active'
""")

# The two ways from a harness, never further than a cycle or the limit lets them go.
_ABOVE: Final = text(f"""
    WITH RECURSIVE line AS (
        SELECT h.id, h.parent_harness_id, 1 AS depth FROM harnesses h
        WHERE h.id = :id AND {_VISIBLE}
        UNION ALL
        SELECT h.id, h.parent_harness_id, line.depth + 1
        FROM line JOIN harnesses h ON h.id = line.parent_harness_id
        WHERE line.depth <= {MAX_PARENTS}
    )
    SELECT id FROM line
""")
_HEIGHT: Final = text(f"""
    WITH RECURSIVE line AS (
        SELECT h.id, 0 AS depth FROM harnesses h WHERE h.id = :id AND {_VISIBLE}
        UNION ALL
        SELECT h.id, line.depth + 1
        FROM line JOIN harnesses h ON h.parent_harness_id = line.id
        WHERE h.organization_id = :organization_id AND line.depth <= {MAX_PARENTS}
    )
    SELECT coalesce(max(depth), 0) FROM line
""")


def find(tx: Tx, organization_id: UUID, ref: NamedRef) -> Harness | None:
    """The harness with that id, else the one with that name; None when there is none."""
    row = tx.execute(
        _FIND, {"organization_id": organization_id, "id": ref.id, "slug": ref.slug}
    ).one_or_none()
    return None if row is None else _harness(row)


def find_all(
    tx: Tx, organization_id: UUID, *, search: str | None, include_archived: bool
) -> list[Harness]:
    """The built-in ones, then the organization's own, newest first."""
    condition, words = matches_all(
        like_patterns(search), of="concat_ws(' ', h.name, h.display_name, h.description)"
    )
    archived = "" if include_archived else "AND h.status = 'active'"
    rows = tx.execute(
        text(
            f"SELECT h.* FROM harnesses h WHERE {_VISIBLE} {archived} AND {condition}"
            " ORDER BY h.is_built_in DESC, h.created_at DESC, h.id DESC"
        ),
        {"organization_id": organization_id, **words},
    )
    return [_harness(row) for row in rows]


def insert(
    tx: Tx, organization_id: UUID, harness_id: UUID, config: HarnessConfig, *, slug: str
) -> None:
    """Store a new harness."""
    values = {"id": harness_id, "organization_id": organization_id, "slug": slug}
    tx.execute(_INSERT, {**_values(config), **values})


def update(
    tx: Tx, organization_id: UUID, harness_id: UUID, config: HarnessConfig, *, slug: str
) -> None:
    """Replace what a caller wrote; nothing happens to a built-in one."""
    values = {"id": harness_id, "organization_id": organization_id, "slug": slug}
    tx.execute(_UPDATE, {**_values(config), **values})


def archive(tx: Tx, organization_id: UUID, harness_id: UUID) -> None:
    """Archive it; nothing happens when it is that already, or built in."""
    tx.execute(_ARCHIVE, {"id": harness_id, "organization_id": organization_id})


def line_of(tx: Tx, organization_id: UUID, harness_id: UUID) -> list[UUID]:
    """The harness and those it stands on, as far as a chain may go and one further."""
    rows = tx.execute(_ABOVE, {"id": harness_id, "organization_id": organization_id})
    return [row.id for row in rows]


def height_of(tx: Tx, organization_id: UUID, harness_id: UUID) -> int:
    """How long the longest chain of harnesses that stand on this one is."""
    found = tx.execute(_HEIGHT, {"id": harness_id, "organization_id": organization_id})
    return int(found.scalar_one())


def _values(config: HarnessConfig) -> dict[str, Any]:
    access = config.network_access
    return {
        "name": config.name,
        "display_name": config.display_name,
        "description": config.description,
        "system_prompt": config.system_prompt,
        "parent_harness_id": config.parent_harness_id,
        "default_model_id": config.default_model_id,
        "tags": _json(config.tags),
        "capabilities": _json(config.capabilities),
        "tools": _json(config.tools),
        "initial_files": _json(config.initial_files),
        "mcp_servers": _json(config.mcp_servers),
        "network_access": None if access is None else _json(access),
        "parallel_tool_calls": config.parallel_tool_calls,
        "embedder_metadata": _json(config.embedder_metadata),
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _harness(row: Row[Any]) -> Harness:
    config = HarnessConfig(
        name=row.name,
        system_prompt=row.system_prompt,
        display_name=row.display_name,
        description=row.description,
        parent_harness_id=row.parent_harness_id,
        default_model_id=row.default_model_id,
        tags=row.tags,
        capabilities=row.capabilities,
        tools=row.tools,
        initial_files=row.initial_files,
        mcp_servers=row.mcp_servers,
        network_access=row.network_access,
        parallel_tool_calls=row.parallel_tool_calls,
        embedder_metadata=row.embedder_metadata,
    )
    return Harness(
        id=row.id,
        slug=row.slug,
        config=config,
        status=HarnessStatus(row.status),
        is_built_in=row.is_built_in,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
        deleted_at=row.deleted_at,
    )

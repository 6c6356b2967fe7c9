"""MCP servers, always of one organization.

Writers hold `organizations.lock`, so a look-up before a write still holds at the write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.mcp_server import (
    AuthMode,
    McpServer,
    McpServerConfig,
    McpServerStatus,
    ProtocolMode,
)
from common.encryption import Envelope
from common.storage.engine import Tx
from common.storage.search import like_patterns, matches_all

_OURS: Final = "organization_id = :organization_id AND status <> 'deleted'"

_FIND: Final = text(f"SELECT * FROM mcp_servers WHERE {_OURS} AND id = :id")

_HOLDER: Final = text(f"SELECT id FROM mcp_servers WHERE {_OURS} AND slug = :slug")

_ACTIVE: Final = text("""
    SELECT * FROM mcp_servers WHERE organization_id = :organization_id AND status = 'active'
    ORDER BY created_at, id LIMIT :limit
""")

_KNOWN: Final = text(f"SELECT id FROM mcp_servers WHERE {_OURS} AND id = ANY(:ids)")

_INSERT: Final = text("""
    INSERT INTO mcp_servers (id, organization_id, name, slug, description, url, auth_mode,
        protocol_mode, timeout_seconds, header_names, headers, api_key)
    VALUES (:id, :organization_id, :name, :slug, :description, :url, :auth_mode,
        :protocol_mode, :timeout_seconds, CAST(:header_names AS jsonb),
        CAST(:headers AS jsonb), CAST(:api_key AS jsonb))
""")

# Another address or another identity may have other tools.
_UPDATE: Final = text(f"""
    UPDATE mcp_servers SET name = :name, slug = :slug, description = :description, url = :url,
        auth_mode = :auth_mode, protocol_mode = :protocol_mode,
        timeout_seconds = :timeout_seconds, status = CAST(:status AS text),
        header_names = CAST(:header_names AS jsonb), headers = CAST(:headers AS jsonb),
        api_key = CAST(:api_key AS jsonb), tools = NULL, tools_fetched_at = NULL,
        updated_at = clock_timestamp(),
        archived_at = CASE WHEN :status = 'archived'
            THEN coalesce(archived_at, clock_timestamp()) END
    WHERE {_OURS} AND id = :id
""")

# Nothing of a deleted server can be called, so nothing of its secrets is kept.
_DELETE: Final = text(f"""
    UPDATE mcp_servers SET status = 'deleted', deleted_at = clock_timestamp(),
        updated_at = clock_timestamp(), headers = NULL, api_key = NULL, tools = NULL
    WHERE {_OURS} AND id = :id
""")

# A change too: workers that have given the server up for a while ask it again.
_FORGET_TOOLS: Final = text(f"""
    UPDATE mcp_servers SET tools = NULL, tools_fetched_at = NULL, updated_at = clock_timestamp()
    WHERE {_OURS} AND id = :id
""")

# Only for the server that was asked: it may have been changed meanwhile.
_KEEP_TOOLS: Final = text(f"""
    UPDATE mcp_servers SET tools = CAST(:tools AS jsonb), tools_fetched_at = clock_timestamp()
    WHERE {_OURS} AND id = :id AND updated_at = :updated_at
""")


def find(tx: Tx, organization_id: UUID, server_id: UUID) -> McpServer | None:
    """The server with that id; None when there is none."""
    row = tx.execute(_FIND, {"organization_id": organization_id, "id": server_id}).one_or_none()
    return None if row is None else _server(row)


def find_page(
    tx: Tx,
    organization_id: UUID,
    *,
    search: str | None,
    include_archived: bool,
    offset: int,
    limit: int,
) -> tuple[list[McpServer], int]:
    """A page of servers, newest first, and how many there are."""
    condition, words = matches_all(
        like_patterns(search), of="concat_ws(' ', name, description, url)"
    )
    archived = "" if include_archived else "AND status <> 'archived'"
    where = f"WHERE {_OURS} {archived} AND {condition}"
    named = {"organization_id": organization_id, **words}
    rows = tx.execute(
        text(
            f"SELECT * FROM mcp_servers {where}"
            " ORDER BY created_at DESC, id DESC OFFSET :offset LIMIT :limit"
        ),
        {**named, "offset": offset, "limit": limit},
    )
    found = [_server(row) for row in rows]
    total: int = tx.execute(text(f"SELECT count(*) FROM mcp_servers {where}"), named).scalar_one()
    return found, total


def find_active(tx: Tx, organization_id: UUID, *, limit: int) -> list[McpServer]:
    """The servers that agents may be granted, oldest first."""
    rows = tx.execute(_ACTIVE, {"organization_id": organization_id, "limit": limit})
    return [_server(row) for row in rows]


def holder_of(tx: Tx, organization_id: UUID, slug: str) -> UUID | None:
    """The id of the server that has the name."""
    found: UUID | None = tx.execute(
        _HOLDER, {"organization_id": organization_id, "slug": slug}
    ).scalar_one_or_none()
    return found


def unknown(tx: Tx, organization_id: UUID, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the ids that no server of the organization has."""
    wanted = frozenset(ids)
    if not wanted:
        return wanted
    rows = tx.execute(_KNOWN, {"organization_id": organization_id, "ids": list(wanted)})
    return wanted - {row.id for row in rows}


def insert(tx: Tx, server: McpServer) -> None:
    """Store a new server; its id is new."""
    tx.execute(_INSERT, _values(server))


def update(tx: Tx, server: McpServer) -> None:
    """Replace what a caller wrote; the list of tools is forgotten."""
    tx.execute(_UPDATE, {**_values(server), "status": server.status})


def delete(tx: Tx, organization_id: UUID, server_id: UUID) -> bool:
    """Take it away, with its secrets; False when there is none."""
    gone = tx.execute(_DELETE, {"organization_id": organization_id, "id": server_id})
    return gone.rowcount == 1


def forget_tools(tx: Tx, organization_id: UUID, server_id: UUID) -> bool:
    """Let the next turn ask for the list of tools anew; False when there is no server."""
    done = tx.execute(_FORGET_TOOLS, {"organization_id": organization_id, "id": server_id})
    return done.rowcount == 1


def keep_tools(tx: Tx, server: McpServer, tools: list[dict[str, Any]]) -> None:
    """Remember what the server listed, unless it was changed since `server` was read."""
    tx.execute(
        _KEEP_TOOLS,
        {
            "organization_id": server.organization_id,
            "id": server.id,
            "updated_at": server.updated_at,
            "tools": _json(tools),
        },
    )


def _values(server: McpServer) -> dict[str, Any]:
    config = server.config
    return {
        "id": server.id,
        "organization_id": server.organization_id,
        "slug": server.slug,
        "name": config.name,
        "description": config.description,
        "url": config.url,
        "auth_mode": config.auth_mode,
        "protocol_mode": config.protocol_mode,
        "timeout_seconds": config.timeout_seconds,
        "header_names": _json(server.header_names),
        "headers": _envelope(server.headers),
        "api_key": _envelope(server.api_key),
    }


def _envelope(envelope: Envelope | None) -> str | None:
    return None if envelope is None else _json(envelope)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _server(row: Row[Any]) -> McpServer:
    config = McpServerConfig(
        name=row.name,
        url=row.url,
        description=row.description,
        auth_mode=AuthMode(row.auth_mode),
        protocol_mode=ProtocolMode(row.protocol_mode),
        timeout_seconds=row.timeout_seconds,
    )
    return McpServer(
        id=row.id,
        organization_id=row.organization_id,
        slug=row.slug,
        config=config,
        status=McpServerStatus(row.status),
        header_names=row.header_names,
        headers=row.headers,
        api_key=row.api_key,
        tools=row.tools,
        tools_fetched_at=row.tools_fetched_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
    )

"""The table of MCP servers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import (
    id_column,
    json_column,
    metadata,
    ref_column,
    text_column,
    time_column,
)

# Written by api; the list of tools by workers.  `headers` and `api_key` are envelopes.
mcp_servers = Table(
    "mcp_servers",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("description", Text),
    Column("url", Text, nullable=False),
    text_column("transport_type", "http"),
    text_column("auth_mode", "none"),
    text_column("protocol_mode", "auto"),
    Column("timeout_seconds", Float, nullable=False, server_default=text("60")),
    text_column("status", "active"),
    json_column("header_names", "[]"),
    Column("headers", JSONB),
    Column("api_key", JSONB),
    Column("tools", JSONB),
    time_column("tools_fetched_at"),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("archived_at"),
    time_column("deleted_at"),
    CheckConstraint(
        "status IN ('active', 'disabled', 'archived', 'deleted')", name="mcp_servers_status"
    ),
    Index(
        "mcp_servers_slug",
        "organization_id",
        "slug",
        unique=True,
        postgresql_where=text("status <> 'deleted'"),
    ),
    Index("mcp_servers_newest", "organization_id", text("created_at DESC"), text("id DESC")),
)

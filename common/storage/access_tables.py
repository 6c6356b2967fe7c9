"""Tables of who may come in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, text

from common.storage.columns import (
    id_column,
    json_column,
    metadata,
    ref_column,
    text_column,
    time_column,
    uuid_column,
)

# Written by api and by `everturn keys`; a revoked key stays, so that its uses can be explained.
api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    uuid_column("principal_id"),
    # The one agent that it can be used for; nullable: it is no agent key.
    ref_column("agent_id", "agents.id", nullable=True),
    text_column("name"),
    # SHA-256 of the key's text, which is kept nowhere.
    Column("digest", Text, nullable=False),
    text_column("prefix"),
    json_column("scopes", '["*"]'),
    time_column("created_at", nullable=False),
    time_column("expires_at"),
    time_column("last_used_at"),
    time_column("revoked_at"),
    CheckConstraint(
        """agent_id IS NULL OR scopes = '["channels:use"]'::jsonb""", name="api_keys_of_agents"
    ),
    Index("api_keys_digest", "digest", unique=True),
    Index(
        "api_keys_of_principal",
        "organization_id",
        "principal_id",
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

"""MCP servers.

Safe with the running version: a table that it does not know.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE mcp_servers (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    url TEXT NOT NULL,
    transport_type TEXT DEFAULT 'http' NOT NULL,
    auth_mode TEXT DEFAULT 'none' NOT NULL,
    protocol_mode TEXT DEFAULT 'auto' NOT NULL,
    timeout_seconds DOUBLE PRECISION DEFAULT 60 NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    header_names JSONB DEFAULT '[]'::jsonb NOT NULL,
    headers JSONB,
    api_key JSONB,
    tools JSONB,
    tools_fetched_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    CONSTRAINT mcp_servers_status
        CHECK (status IN ('active', 'disabled', 'archived', 'deleted'))
);
CREATE UNIQUE INDEX mcp_servers_slug ON mcp_servers (organization_id, slug)
    WHERE status <> 'deleted';
CREATE INDEX mcp_servers_newest ON mcp_servers (organization_id, created_at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(_CHANGES)

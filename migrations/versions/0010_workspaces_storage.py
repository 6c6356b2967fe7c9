"""Workspaces, their files, and the values and secrets of sessions.

Safe with the running version: tables that it does not know, and one index.  Building the index
keeps new sessions waiting for as long as it takes to read `sessions` once; messages and turns
of sessions that there are go on, as they do not write to that table.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE workspaces (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'active' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT workspaces_status CHECK (status IN ('active', 'archived', 'deleted')),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX workspaces_name ON workspaces (organization_id, name) WHERE status <> 'deleted';
CREATE INDEX workspaces_deleted ON workspaces (deleted_at) WHERE status = 'deleted';
CREATE TABLE workspace_usage (
    workspace_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    files INTEGER DEFAULT 0 NOT NULL,
    bytes BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (workspace_id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
) WITH (fillfactor = 50);
CREATE TABLE workspace_files (
    organization_id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    is_directory BOOLEAN DEFAULT false NOT NULL,
    is_readonly BOOLEAN DEFAULT false NOT NULL,
    content BYTEA,
    size_bytes INTEGER DEFAULT 0 NOT NULL,
    content_hash TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (workspace_id, path),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX workspace_files_children ON workspace_files (workspace_id, parent, path);
CREATE TABLE session_values (
    organization_id UUID NOT NULL,
    session_id UUID NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (session_id, key),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE TABLE session_secrets (
    organization_id UUID NOT NULL,
    session_id UUID NOT NULL,
    name TEXT NOT NULL,
    secret JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (session_id, name),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX sessions_of_workspace ON sessions (workspace_id) WHERE deleted_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

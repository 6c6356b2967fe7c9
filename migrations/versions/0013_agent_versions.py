"""Harnesses of organizations, agent versions, and forked sessions.

Safe with the running version: a table it does not know, and columns it does not name, nullable
or with constant defaults.  A harness's default model becomes a text, as an agent's is: the
running version only ever casts it to one, and the table has few rows.  Building the indexes
keeps new sessions waiting for as long as it takes to read `sessions` once.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE harnesses ALTER COLUMN default_model_id TYPE TEXT USING CAST(default_model_id AS text);
ALTER TABLE harnesses ADD COLUMN slug TEXT;
ALTER TABLE harnesses ADD COLUMN parent_harness_id UUID;
ALTER TABLE harnesses ADD COLUMN tags JSONB DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE harnesses ADD COLUMN tools JSONB DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE harnesses ADD COLUMN initial_files JSONB DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE harnesses ADD COLUMN mcp_servers JSONB DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE harnesses ADD COLUMN network_access JSONB;
ALTER TABLE harnesses ADD COLUMN parallel_tool_calls BOOLEAN;
ALTER TABLE harnesses ADD COLUMN embedder_metadata JSONB DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE harnesses ADD COLUMN archived_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE harnesses ADD COLUMN deleted_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE harnesses ADD FOREIGN KEY (parent_harness_id) REFERENCES harnesses (id);
UPDATE harnesses SET slug = lower(name);
CREATE UNIQUE INDEX harnesses_slug ON harnesses (organization_id, slug) WHERE status <> 'deleted';
CREATE TABLE agent_versions (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    version_number INTEGER NOT NULL,
    semver_major INTEGER NOT NULL,
    semver_minor INTEGER NOT NULL,
    semver_patch INTEGER NOT NULL,
    change_kind TEXT NOT NULL,
    summary TEXT,
    config_hash TEXT NOT NULL,
    authored_config JSONB NOT NULL,
    resolved_config JSONB NOT NULL,
    source_version_id UUID,
    created_by_principal_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT agent_versions_change_kind CHECK (change_kind IN ('auto', 'manual', 'patch', 'minor', 'major', 'import', 'rollback', 'fork')),
    CONSTRAINT agent_versions_number UNIQUE (agent_id, version_number),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE
);
ALTER TABLE agents ADD COLUMN default_version_id UUID;
ALTER TABLE agents ADD COLUMN forked_from_version_id UUID;
ALTER TABLE sessions ADD COLUMN parent_session_id UUID;
ALTER TABLE sessions ADD COLUMN forked_from_session_id UUID;
ALTER TABLE sessions ADD COLUMN forked_from_sequence INTEGER;
ALTER TABLE sessions ADD COLUMN is_chat BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX sessions_of_harness ON sessions (organization_id, harness_id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX sessions_chat ON sessions (organization_id, owner_principal_id) WHERE is_chat AND deleted_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

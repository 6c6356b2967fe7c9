"""Organizations, agents, sessions, their events and turns.

Safe with the running version: there is none before it.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE events (
    session_id UUID NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    ts TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    context JSONB NOT NULL,
    data JSONB NOT NULL,
    PRIMARY KEY (session_id, sequence)
);
CREATE INDEX events_messages ON events (session_id, sequence) WHERE type IN ('input.message', 'output.message.completed', 'tool.completed');
CREATE TABLE organizations (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE harnesses (
    id UUID NOT NULL,
    organization_id UUID,
    name TEXT NOT NULL,
    display_name TEXT,
    description TEXT,
    system_prompt TEXT DEFAULT '' NOT NULL,
    capabilities JSONB DEFAULT '[]'::jsonb NOT NULL,
    default_model_id UUID,
    status TEXT DEFAULT 'active' NOT NULL,
    is_built_in BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE TABLE idempotency_keys (
    organization_id UUID NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    resource_id TEXT,
    status_code SMALLINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, method, route, scope, key),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE TABLE models (
    id UUID NOT NULL,
    organization_id UUID,
    model_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE TABLE turn_configs (
    organization_id UUID NOT NULL,
    hash TEXT NOT NULL,
    config JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization_id, hash),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE TABLE agents (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    display_name TEXT,
    description TEXT,
    system_prompt TEXT NOT NULL,
    harness_id UUID NOT NULL,
    default_model_id TEXT,
    status TEXT DEFAULT 'active' NOT NULL,
    tags JSONB DEFAULT '[]'::jsonb NOT NULL,
    capabilities JSONB DEFAULT '[]'::jsonb NOT NULL,
    tools JSONB DEFAULT '[]'::jsonb NOT NULL,
    initial_files JSONB DEFAULT '[]'::jsonb NOT NULL,
    mcp_servers JSONB DEFAULT '{}'::jsonb NOT NULL,
    network_access JSONB,
    max_iterations INTEGER,
    parallel_tool_calls BOOLEAN,
    root_agent_id UUID,
    forked_from_agent_id UUID,
    version INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT agents_status CHECK (status IN ('active', 'archived', 'deleted')),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(harness_id) REFERENCES harnesses (id)
);
CREATE INDEX agents_newest ON agents (organization_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX agents_slug ON agents (organization_id, slug) WHERE status <> 'deleted';
CREATE TABLE sessions (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    agent_id UUID,
    harness_id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    owner_principal_id UUID NOT NULL,
    title TEXT,
    locale TEXT,
    model_id TEXT,
    system_prompt TEXT,
    tags JSONB DEFAULT '[]'::jsonb NOT NULL,
    capabilities JSONB DEFAULT '[]'::jsonb NOT NULL,
    tools JSONB DEFAULT '[]'::jsonb NOT NULL,
    initial_files JSONB DEFAULT '[]'::jsonb NOT NULL,
    mcp_servers JSONB DEFAULT '{}'::jsonb NOT NULL,
    hints JSONB,
    network_access JSONB,
    max_iterations INTEGER,
    parallel_tool_calls BOOLEAN,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(agent_id) REFERENCES agents (id),
    FOREIGN KEY(harness_id) REFERENCES harnesses (id)
);
CREATE INDEX sessions_deleted ON sessions (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX sessions_newest ON sessions (organization_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX sessions_of_agent ON sessions (agent_id, created_at DESC) WHERE deleted_at IS NULL;
CREATE TABLE session_heads (
    session_id UUID NOT NULL,
    status TEXT DEFAULT 'started' NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    last_sequence INTEGER DEFAULT 0 NOT NULL,
    last_input_sequence INTEGER DEFAULT 0 NOT NULL,
    last_ts TIMESTAMP WITH TIME ZONE DEFAULT date_trunc('milliseconds', now()) NOT NULL,
    open_turn_id UUID,
    message_count INTEGER DEFAULT 0 NOT NULL,
    input_tokens BIGINT DEFAULT 0 NOT NULL,
    output_tokens BIGINT DEFAULT 0 NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (session_id),
    CONSTRAINT session_heads_status CHECK (status IN ('started', 'active', 'idle', 'waitingfortoolresults')),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
)
 WITH (fillfactor = 50);
CREATE INDEX session_heads_busy ON session_heads (session_id) WHERE status IN ('active', 'waitingfortoolresults');
CREATE TABLE session_pins (
    session_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (session_id, principal_id),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE TABLE turns (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    status TEXT DEFAULT 'queued' NOT NULL,
    priority SMALLINT DEFAULT 0 NOT NULL,
    input_sequence INTEGER NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    attempt INTEGER DEFAULT 0 NOT NULL,
    reclaims INTEGER DEFAULT 0 NOT NULL,
    handed_over BOOLEAN DEFAULT false NOT NULL,
    sends INTEGER DEFAULT 0 NOT NULL,
    available_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    lease_owner TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT turns_status CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'sealed')),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
)
 WITH (fillfactor = 70);
CREATE INDEX turns_newest ON turns (session_id, input_sequence DESC);
CREATE UNIQUE INDEX turns_open ON turns (session_id) WHERE status IN ('queued', 'running', 'waiting');
CREATE INDEX turns_queued ON turns (available_at) WHERE status = 'queued';
CREATE INDEX turns_running ON turns (lease_until) WHERE status = 'running';
"""

# I2: an event never changes; only a purged session's events go, as a whole.
_IMMUTABLE = """
CREATE FUNCTION events_never_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events never change';
END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION events_never_change();
"""

_ROWS = """
INSERT INTO organizations (id, name)
VALUES ('00000000-0000-0000-0000-000000000001', 'Default');
INSERT INTO harnesses (id, name, display_name, description, system_prompt, is_built_in) VALUES
    ('01933b5a-0000-7000-8000-000000000300', 'base', 'Base',
     'No prompt and no capabilities of its own', '', true),
    ('01933b5a-0000-7000-8000-000000000301', 'generic', 'Generic',
     'For agents and sessions that name no harness', 'You are a helpful assistant.', true);
INSERT INTO models (id, model_id, display_name, provider_type)
VALUES ('01933b5a-0000-7000-8000-000000000400', 'llmsim-model', 'Simulated model', 'llmsim');
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_IMMUTABLE)
    op.execute(_ROWS)

"""Keys that let callers in.

Safe with the running version: a table that it does not name.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE api_keys (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    agent_id UUID,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scopes JSONB DEFAULT '["*"]'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT api_keys_of_agents CHECK (agent_id IS NULL OR scopes = '["channels:use"]'::jsonb),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(agent_id) REFERENCES agents (id)
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
CREATE INDEX api_keys_of_principal ON api_keys (organization_id, principal_id)
    WHERE revoked_at IS NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

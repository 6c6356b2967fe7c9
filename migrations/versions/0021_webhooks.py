"""Webhooks and what they are to be told.

Safe with the running version: tables that it does not know.  Turns that it ends are not told.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE webhooks (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    url TEXT NOT NULL,
    description TEXT,
    events JSONB DEFAULT '[]'::jsonb NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    secret JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    gone_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE INDEX webhooks_of_organization ON webhooks (organization_id, id);
CREATE TABLE webhook_deliveries (
    id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    event TEXT NOT NULL,
    turn_id UUID NOT NULL,
    session_id UUID NOT NULL,
    sequence INTEGER NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    available_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    last_status INTEGER,
    last_error TEXT,
    PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_status CHECK (status IN ('pending', 'delivered', 'dead'))
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (available_at)
    WHERE status = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at)
    WHERE status <> 'pending';
CREATE INDEX webhook_deliveries_of_webhook
    ON webhook_deliveries (webhook_id, created_at DESC, id DESC);
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON webhooks USING (
    coalesce(current_setting('everturn.organization', true), '') = ''
    OR organization_id::text = coalesce(current_setting('everturn.organization', true), ''));
"""


def upgrade() -> None:
    op.execute(_CHANGES)

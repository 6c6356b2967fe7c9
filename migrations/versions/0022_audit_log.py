"""The audit log, which only grows; what is old enough may be deleted by who says how old that is.

Safe with the running version: a table that it does not know.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE audit_log (
    id UUID NOT NULL,
    organization_id UUID,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT,
    on_behalf_of TEXT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    method TEXT,
    route TEXT,
    status INTEGER,
    resources JSONB DEFAULT '[]'::jsonb NOT NULL,
    request_id TEXT,
    address TEXT,
    count INTEGER DEFAULT 1 NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT audit_log_outcome CHECK (outcome IN ('done', 'refused', 'failed'))
);
CREATE INDEX audit_log_of_organization ON audit_log (organization_id, at DESC, id DESC);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept_days INTEGER := nullif(current_setting('everturn.audit_kept_days', true), '');
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF kept_days >= 1 AND OLD.at < clock_timestamp() - make_interval(days => kept_days) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log only grows';
END $$;
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_only_grows();
CREATE TRIGGER audit_log_is_never_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON audit_log USING (
    coalesce(current_setting('everturn.organization', true), '') = ''
    OR organization_id::text = coalesce(current_setting('everturn.organization', true), ''));
"""


def upgrade() -> None:
    op.execute(_CHANGES)

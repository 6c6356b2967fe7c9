"""Webhooks are told in turn, and the same however often they are told it.

Safe with the running version: a column that it does not know, and an index instead of another.
Whoever ends a turn that webhooks are told of waits while that is built.
`told` is JSON and not JSONB: what was signed once is sent again byte for byte.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


_CHANGES = """
ALTER TABLE webhook_deliveries ADD COLUMN told JSON;
CREATE INDEX webhook_deliveries_due_of_webhook ON webhook_deliveries (webhook_id, available_at)
    WHERE status = 'pending';
DROP INDEX webhook_deliveries_due;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

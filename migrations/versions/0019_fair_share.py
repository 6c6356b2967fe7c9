"""Which organizations wait for a worker, and for which of their turns the longest.

Safe with the running version.  Appends to `turns` wait while its index is built: it is of
queued turns alone, but the whole table is read for them, about a second a million turns.
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX turns_fair ON turns (organization_id, created_at) WHERE status = 'queued'
    """)

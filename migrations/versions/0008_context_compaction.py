"""Where a session's newest compaction stands.

Safe with the running version: a column it does not name, with a constant default.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE session_heads ADD COLUMN compacted_sequence INTEGER DEFAULT 0 NOT NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

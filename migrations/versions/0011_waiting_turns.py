"""Waiting turns: what they wait for and until when, and decisions that hold for a session.

Safe with the running version: columns it does not name, nullable or with a constant
default, and an index on rows of a status that it never writes.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE turns ADD COLUMN waiting_sequence INTEGER;
ALTER TABLE turns ADD COLUMN waiting_until TIMESTAMP WITH TIME ZONE;
CREATE INDEX turns_waiting ON turns (waiting_until) WHERE status = 'waiting';
ALTER TABLE sessions ADD COLUMN tool_decisions JSONB DEFAULT '{}'::jsonb NOT NULL;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

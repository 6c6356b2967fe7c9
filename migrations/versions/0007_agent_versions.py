"""Agent versions."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CHANGES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

"""Waiting turns."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHANGES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

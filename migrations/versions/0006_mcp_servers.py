"""Mcp servers."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHANGES = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

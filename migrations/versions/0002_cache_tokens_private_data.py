"""Tokens read from and written to a provider's cache; data that only a provider is shown.

Safe with the running version: columns it does not name, with constant defaults.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE session_heads ADD COLUMN cache_read_tokens BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE session_heads ADD COLUMN cache_creation_tokens BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE events ADD COLUMN private JSONB;
"""


def upgrade() -> None:
    op.execute(_CHANGES)

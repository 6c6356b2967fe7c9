"""What the built-in harness `generic` grants: the time, and the files of the session.

Safe with the running version: it knows both capabilities.  Turns that have begun run on what
they were started with.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_CHANGES = """
UPDATE harnesses SET updated_at = now(), capabilities =
    '[{"ref": "current_time", "config": {}}, {"ref": "session_file_system", "config": {}}]'
WHERE id = '01933b5a-0000-7000-8000-000000000301';
"""


def upgrade() -> None:
    op.execute(_CHANGES)

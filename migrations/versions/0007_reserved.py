"""Changes nothing.

The numbers 0003 to 0007 were given out before there was anything in them, and databases
may stand at 0007.
"""

revision = "0007"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """There is nothing to do."""

"""The second wall between tenants: PostgreSQL shows a transaction its organization's rows alone.

`everturn.organization` says whose, for the length of a transaction; whoever does not say sees
all, as the running version does, so it is safe with it.  FORCE binds the tables' owner too.
Superusers and roles with BYPASSRLS are bound by nothing.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OWNED: Final = (
    "agent_versions",
    "agents",
    "api_keys",
    "idempotency_keys",
    "image_blobs",
    "images",
    "mcp_servers",
    "session_secrets",
    "session_values",
    "sessions",
    "turn_configs",
    "turns",
    "workspace_files",
    "workspace_usage",
    "workspaces",
)
# Rows without an organization are everybody's to see, and nobody's to change.
_SHARED: Final = ("harnesses", "models", "providers")

_SAID: Final = "coalesce(current_setting('everturn.organization', true), '')"
_IS_OWN: Final = f"{_SAID} = '' OR organization_id::text = {_SAID}"


def upgrade() -> None:
    for table in (*_OWNED, *_SHARED):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({_IS_OWN})")
    for table in _SHARED:
        op.execute(
            f"CREATE POLICY shared_rows ON {table} FOR SELECT USING (organization_id IS NULL)"
        )

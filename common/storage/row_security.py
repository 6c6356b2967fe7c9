"""Whether PostgreSQL keeps organizations apart for this role (migration 0018)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from common.storage.engine import Tx

_IS_FREE: Final = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")


def binds(tx: Tx) -> bool:
    """False for superusers and roles with BYPASSRLS, to whom every row is shown."""
    return not tx.execute(_IS_FREE).scalar_one()

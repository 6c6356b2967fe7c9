"""Organizations: whether one exists, and taking turns in changing what it has by name."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.storage.engine import Tx

_EXISTS: Final = text("SELECT 1 FROM organizations WHERE id = :id")
# NO KEY: foreign keys, so sessions and turns, are not held up by it.
_LOCK: Final = text("SELECT 1 FROM organizations WHERE id = :id FOR NO KEY UPDATE")


def exists(tx: Tx, organization_id: UUID) -> bool:
    """Whether there is such an organization."""
    return tx.execute(_EXISTS, {"id": organization_id}).one_or_none() is not None


def lock(tx: Tx, organization_id: UUID) -> None:
    """Let no other transaction that also locks it go on before this one has ended."""
    tx.execute(_LOCK, {"id": organization_id})

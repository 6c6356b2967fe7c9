"""The one chat session of a principal."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.storage.engine import Tx

_FIND: Final = text("""
    SELECT id FROM sessions
    WHERE organization_id = :organization_id AND owner_principal_id = :principal_id
        AND is_chat AND deleted_at IS NULL
""")
_MARK: Final = text("""
    UPDATE sessions SET is_chat = true
    WHERE id = :session_id AND organization_id = :organization_id
""")


def chat_of(tx: Tx, organization_id: UUID, *, principal_id: UUID) -> UUID | None:
    """The principal's chat session; None before there is one."""
    found: UUID | None = tx.execute(
        _FIND, {"organization_id": organization_id, "principal_id": principal_id}
    ).scalar_one_or_none()
    return found


def make_chat(tx: Tx, organization_id: UUID, session_id: UUID) -> None:
    """Make a session its owner's chat session; there must be none yet."""
    tx.execute(_MARK, {"session_id": session_id, "organization_id": organization_id})

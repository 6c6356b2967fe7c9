"""Remove what was deleted, in slices, long after it became invisible."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from common.storage.engine import Tx

_PICK: Final = text("""
    SELECT id FROM sessions WHERE deleted_at IS NOT NULL
    ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_EVENTS: Final = text("""
    DELETE FROM events WHERE session_id = :session_id AND sequence = ANY(ARRAY(
        SELECT sequence FROM events WHERE session_id = :session_id
        ORDER BY sequence LIMIT :limit))
""")
_SESSION: Final = text("DELETE FROM sessions WHERE id = :session_id")


def purge_deleted_session(tx: Tx, *, limit: int) -> bool:
    """Delete at most `limit` events of one deleted session; its rows go with the last ones.

    Returns whether there was a session to purge.
    """
    session_id = tx.execute(_PICK).scalar_one_or_none()
    if session_id is None:
        return False
    removed = tx.execute(_EVENTS, {"session_id": session_id, "limit": limit}).rowcount
    if removed < limit:
        tx.execute(_SESSION, {"session_id": session_id})
    return True

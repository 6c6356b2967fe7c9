"""Remove what was deleted, in slices, long after it became invisible."""

from __future__ import annotations

from typing import Final
from uuid import UUID

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
_WORKSPACE: Final = text("SELECT workspace_id FROM sessions WHERE id = :session_id")
# Whose writers look again under this lock and find it gone.
_LOCK_FILES: Final = text("""
    SELECT 1 FROM workspace_usage WHERE workspace_id = :workspace_id FOR UPDATE
""")
_IS_SHARED: Final = text("""
    SELECT 1 WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = :workspace_id)
        OR EXISTS (
            SELECT 1 FROM sessions WHERE workspace_id = :workspace_id AND deleted_at IS NULL
        )
""")
_FILES: Final = text("""
    DELETE FROM workspace_files WHERE workspace_id = :workspace_id AND path = ANY(ARRAY(
        SELECT path FROM workspace_files WHERE workspace_id = :workspace_id
        ORDER BY path LIMIT :limit))
""")
_USAGE: Final = text("DELETE FROM workspace_usage WHERE workspace_id = :workspace_id")
_PICK_WORKSPACE: Final = text("""
    SELECT id FROM workspaces WHERE status = 'deleted'
    ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_NAMED_WORKSPACE: Final = text("DELETE FROM workspaces WHERE id = :workspace_id")
# A file may have ten megabytes, and a slice must end before the statement's time does.
_FILES_SLICE: Final = 200


def purge_deleted_session(tx: Tx, *, limit: int) -> bool:
    """Delete at most `limit` events of one deleted session; its rows go with the last ones.

    The files of its own workspace go before them, also in slices; those of a shared one stay.

    Returns whether there was a session to purge.
    """
    session_id = tx.execute(_PICK).scalar_one_or_none()
    if session_id is None:
        return False
    removed = tx.execute(_EVENTS, {"session_id": session_id, "limit": limit}).rowcount
    if removed < limit and _purge_own_files(tx, session_id):
        tx.execute(_SESSION, {"session_id": session_id})
    return True


def purge_deleted_workspace(tx: Tx) -> bool:
    """Delete a slice of the files of one deleted shared workspace; its row goes with the last.

    Returns whether there was a workspace to purge.
    """
    workspace_id = tx.execute(_PICK_WORKSPACE).scalar_one_or_none()
    if workspace_id is None:
        return False
    if _purge_files(tx, workspace_id):
        tx.execute(_NAMED_WORKSPACE, {"workspace_id": workspace_id})
    return True


def _purge_own_files(tx: Tx, session_id: UUID) -> bool:
    """Whether nothing is left that was the session's alone."""
    named = {"workspace_id": tx.execute(_WORKSPACE, {"session_id": session_id}).scalar_one()}
    tx.execute(_LOCK_FILES, named)
    if tx.execute(_IS_SHARED, named).first() is not None:
        return True
    return _purge_files(tx, named["workspace_id"])


def _purge_files(tx: Tx, workspace_id: UUID) -> bool:
    """Delete a slice; whether it was the last one."""
    named = {"workspace_id": workspace_id}
    tx.execute(_LOCK_FILES, named)
    removed = tx.execute(_FILES, {**named, "limit": _FILES_SLICE}).rowcount
    if removed == _FILES_SLICE:
        return False
    tx.execute(_USAGE, named)
    return True

"""Workspaces, always of one organization: the shared ones' rows, and which ids are workspaces.

A session's own workspace has no row: it is there for as long as a living session has its id.
Writers of rows hold `organizations.lock`.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.workspace import Workspace, WorkspacePatch, WorkspaceStatus
from common.storage.engine import Tx
from common.storage.search import like_patterns, matches_all

_COLUMNS: Final = """
    w.id, w.organization_id, w.name, w.description, w.status, w.created_at, w.updated_at,
    w.archived_at, w.deleted_at
"""
_OURS: Final = "w.organization_id = :organization_id AND w.status <> 'deleted'"
_SEARCHED: Final = "concat_ws(' ', w.name, w.description)"

_FIND: Final = text(f"SELECT {_COLUMNS} FROM workspaces w WHERE w.id = :id AND {_OURS}")
_HOLD: Final = text(f"SELECT w.status FROM workspaces w WHERE w.id = :id AND {_OURS} FOR SHARE")
_NAMED: Final = text(f"SELECT {_COLUMNS} FROM workspaces w WHERE w.name = :name AND {_OURS}")
_INSERT: Final = text("""
    INSERT INTO workspaces (id, organization_id, name, description)
    VALUES (:id, :organization_id, :name, :description)
""")
_PATCH: Final = text(f"""
    UPDATE workspaces w SET
        name = CASE WHEN :sets_name THEN :name ELSE name END,
        description = CASE WHEN :sets_description THEN :description ELSE description END,
        updated_at = clock_timestamp()
    WHERE w.id = :id AND {_OURS}
""")
_SET_STATUS: Final = text(f"""
    UPDATE workspaces w SET status = CAST(:status AS text), updated_at = clock_timestamp(),
        archived_at = CASE WHEN :status = 'active' THEN NULL
            ELSE coalesce(archived_at, clock_timestamp()) END,
        deleted_at = CASE WHEN :status = 'deleted' THEN clock_timestamp() END
    WHERE w.id = :id AND {_OURS} AND status <> :status
""")
_IS_USED: Final = text("""
    SELECT 1 FROM sessions s
    WHERE s.workspace_id = :id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
    LIMIT 1
""")
_EXISTS: Final = text(f"""
    SELECT 1 WHERE EXISTS (SELECT 1 FROM workspaces w WHERE w.id = :id AND {_OURS})
        OR EXISTS (
            SELECT 1 FROM sessions s WHERE s.workspace_id = :id
                AND s.organization_id = :organization_id AND s.deleted_at IS NULL
        )
""")
_OWNER: Final = text("""
    SELECT s.id FROM sessions s
    WHERE s.workspace_id = :id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.id = :id)
    ORDER BY s.id = :id DESC, s.created_at LIMIT 1
""")
_OF_SESSION: Final = text("""
    SELECT s.workspace_id FROM sessions s
    WHERE s.id = :id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
""")


def find(tx: Tx, organization_id: UUID, workspace_id: UUID) -> Workspace | None:
    """The shared workspace, None when there is none of that id."""
    row = tx.execute(_FIND, _named(organization_id, workspace_id)).one_or_none()
    return None if row is None else _workspace(row)


def find_named(tx: Tx, organization_id: UUID, name: str) -> Workspace | None:
    """The shared workspace of that name."""
    row = tx.execute(_NAMED, {"organization_id": organization_id, "name": name}).one_or_none()
    return None if row is None else _workspace(row)


def find_all(
    tx: Tx, organization_id: UUID, *, search: str | None, include_archived: bool
) -> list[Workspace]:
    """The shared workspaces, newest first."""
    condition, words = matches_all(like_patterns(search), of=_SEARCHED)
    statuses = ["active", "archived"] if include_archived else ["active"]
    rows = tx.execute(
        text(
            f"SELECT {_COLUMNS} FROM workspaces w WHERE {_OURS} AND w.status = ANY(:statuses)"
            f" AND {condition} ORDER BY w.created_at DESC, w.id DESC"
        ),
        {"organization_id": organization_id, "statuses": statuses, **words},
    )
    return [_workspace(row) for row in rows]


def insert(
    tx: Tx, organization_id: UUID, workspace_id: UUID, *, name: str, description: str | None
) -> None:
    """Store a new one; its name is free."""
    named = _named(organization_id, workspace_id)
    tx.execute(_INSERT, {**named, "name": name, "description": description})


def patch(tx: Tx, organization_id: UUID, workspace_id: UUID, changes: WorkspacePatch) -> None:
    """Change name and description where given; the status is `set_status`'s."""
    tx.execute(
        _PATCH,
        {
            **_named(organization_id, workspace_id),
            "sets_name": "name" in changes.given,
            "name": changes.name,
            "sets_description": "description" in changes.given,
            "description": changes.description,
        },
    )


def set_status(tx: Tx, organization_id: UUID, workspace_id: UUID, status: WorkspaceStatus) -> None:
    """Archive, bring back or delete it; nothing happens when it is that already."""
    tx.execute(_SET_STATUS, {**_named(organization_id, workspace_id), "status": status})


def is_used(tx: Tx, organization_id: UUID, workspace_id: UUID) -> bool:
    """Whether a living session works on it."""
    return tx.execute(_IS_USED, _named(organization_id, workspace_id)).first() is not None


def exists(tx: Tx, organization_id: UUID, workspace_id: UUID) -> bool:
    """Whether the id is a workspace: a shared one, or a living session's."""
    return tx.execute(_EXISTS, _named(organization_id, workspace_id)).first() is not None


def hold(tx: Tx, organization_id: UUID, workspace_id: UUID) -> WorkspaceStatus | None:
    """The shared workspace's status, which cannot change before this transaction has ended."""
    found = tx.execute(_HOLD, _named(organization_id, workspace_id)).scalar_one_or_none()
    return None if found is None else WorkspaceStatus(found)


def owner_of(tx: Tx, organization_id: UUID, workspace_id: UUID) -> UUID | None:
    """The session whose own workspace it is; None for a shared one."""
    found: UUID | None = tx.execute(
        _OWNER, _named(organization_id, workspace_id)
    ).scalar_one_or_none()
    return found


def of_session(tx: Tx, organization_id: UUID, session_id: UUID) -> UUID | None:
    """The workspace that a session works on; None when there is no such session."""
    found: UUID | None = tx.execute(
        _OF_SESSION, _named(organization_id, session_id)
    ).scalar_one_or_none()
    return found


def _named(organization_id: UUID, row_id: UUID) -> dict[str, object]:
    return {"organization_id": organization_id, "id": row_id}


def _workspace(row: Row[Any]) -> Workspace:
    return Workspace(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        description=row.description,
        status=WorkspaceStatus(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
        deleted_at=row.deleted_at,
    )

"""Make, change, archive and delete shared workspaces."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.schemas.workspaces import NewWorkspace
from common.domain.errors import Conflict, NotFound
from common.domain.workspace import Workspace, WorkspacePatch, WorkspaceStatus
from common.storage import idempotency, organizations, workspaces
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey


def create_workspace(
    deps: Deps, caller: Caller, given: NewWorkspace, key: IdempotencyKey | None
) -> Workspace:
    """Make one.

    Raises:
        Conflict: another has the name.
        IdempotencyKeyReused: the key came with another body.
    """
    workspace_id = deps.new_id()
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=workspace_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return find_workspace(tx, caller, UUID(first.resource_id))
        organizations.lock(tx, caller.organization_id)
        _check_free(tx, caller, given.name, but=None)
        workspaces.insert(
            tx,
            caller.organization_id,
            workspace_id,
            name=given.name,
            description=given.description,
        )
        return find_workspace(tx, caller, workspace_id)


def update_workspace(
    deps: Deps, caller: Caller, workspace_id: UUID, changes: WorkspacePatch
) -> Workspace:
    """Change what is given.

    Raises:
        NotFound: there is no such workspace.
        Conflict: another has the name.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        find_workspace(tx, caller, workspace_id)
        if "name" in changes.given:
            _check_free(tx, caller, changes.name, but=workspace_id)
        workspaces.patch(tx, caller.organization_id, workspace_id, changes)
        if "status" in changes.given:
            workspaces.set_status(tx, caller.organization_id, workspace_id, changes.status)
        return find_workspace(tx, caller, workspace_id)


def archive_workspace(deps: Deps, caller: Caller, workspace_id: UUID) -> None:
    """Archive it: its files and sessions stay, new sessions cannot have it.  May be repeated.

    Raises:
        NotFound: there is no such workspace.
    """
    status = WorkspaceStatus.ARCHIVED
    changes = replace(WorkspacePatch(given=frozenset({"status"})), status=status)
    update_workspace(deps, caller, workspace_id, changes)


def delete_workspace(
    deps: Deps, caller: Caller, workspace_id: UUID, key: IdempotencyKey | None
) -> None:
    """Delete an archived one with its files for good.

    Raises:
        NotFound: there is no such workspace.
        Conflict: it is not archived, or a session works on it.
    """
    with deps.database.transaction() as tx:
        if key is not None and _is_repeat(tx, key):
            return
        organizations.lock(tx, caller.organization_id)
        if find_workspace(tx, caller, workspace_id).status is not WorkspaceStatus.ARCHIVED:
            raise Conflict("Only an archived workspace can be deleted")
        # First the row, so that no session can be given it any more, then the look.
        deleted = WorkspaceStatus.DELETED
        workspaces.set_status(tx, caller.organization_id, workspace_id, deleted)
        if workspaces.is_used(tx, caller.organization_id, workspace_id):
            raise Conflict("A session works on this workspace; delete the session first")


def find_workspace(tx: Tx, caller: Caller, workspace_id: UUID) -> Workspace:
    """The workspace.

    Raises:
        NotFound: there is none of that id.
    """
    found = workspaces.find(tx, caller.organization_id, workspace_id)
    if found is None:
        raise NotFound("Workspace not found")
    return found


def _is_repeat(tx: Tx, key: IdempotencyKey) -> bool:
    first = idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.NO_CONTENT)
    return first is not None


def _check_free(tx: Tx, caller: Caller, name: str, *, but: UUID | None) -> None:
    holder = workspaces.find_named(tx, caller.organization_id, name)
    if holder is not None and holder.id != but:
        raise Conflict("Another workspace has this name")

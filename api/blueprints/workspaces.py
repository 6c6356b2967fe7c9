"""Shared workspaces: make, find, change, archive, delete.  Their files are in `files`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.workspaces import (
    NewWorkspace,
    NewWorkspaceSchema,
    WorkspaceListQuery,
    WorkspaceListSchema,
    WorkspacePatchSchema,
    WorkspaceSchema,
    show_workspace,
)
from api.use_cases import save_workspace as use
from common.domain.access import Scope
from common.domain.workspace import WorkspacePatch
from common.storage import workspaces

blueprint = APIBlueprint("workspaces", __name__, url_prefix="/v1")


@blueprint.get("/workspaces")
@endpoint(
    Contract(
        summary="List shared workspaces",
        scope=Scope.FILES_READ,
        query=WorkspaceListQuery(),
        returns=WorkspaceListSchema(),
        fails=(404, 503),
    )
)
def list_workspaces(call: Call[None, dict[str, Any]]) -> Answer:
    """List all of them, newest first; archived ones only when asked for."""
    with call.deps.database.reading() as tx:
        found = workspaces.find_all(tx, call.caller.organization_id, **call.query)
    return {"data": [show_workspace(each) for each in found], "total": len(found)}


@blueprint.post("/workspaces")
@endpoint(
    Contract(
        summary="Create a shared workspace",
        scope=Scope.FILES_WRITE,
        status=201,
        takes=NewWorkspaceSchema(),
        needs_body=True,
        returns=WorkspaceSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_workspace(call: Call[NewWorkspace, None]) -> Answer:
    """Create a workspace that sessions can share; its name is the only one."""
    return show_workspace(use.create_workspace(call.deps, call.caller, call.body, call.key))


@blueprint.get("/workspaces/<workspace_id>")
@endpoint(
    Contract(
        summary="Get a workspace",
        scope=Scope.FILES_READ,
        returns=WorkspaceSchema(),
        fails=(404, 503),
    )
)
def get_workspace(call: Call[None, None], workspace_id: UUID) -> Answer:
    """Get a shared workspace; a session's own has files and nothing else to show."""
    with call.deps.database.reading() as tx:
        return show_workspace(use.find_workspace(tx, call.caller, workspace_id))


@blueprint.patch("/workspaces/<workspace_id>")
@endpoint(
    Contract(
        summary="Change a workspace",
        scope=Scope.FILES_WRITE,
        takes=WorkspacePatchSchema(),
        returns=WorkspaceSchema(),
        fails=(404, 409, 503),
    )
)
def update_workspace(call: Call[WorkspacePatch, None], workspace_id: UUID) -> Answer:
    """Change name, description or status; `active` brings an archived one back."""
    return show_workspace(use.update_workspace(call.deps, call.caller, workspace_id, call.body))


@blueprint.delete("/workspaces/<workspace_id>")
@endpoint(
    Contract(summary="Archive a workspace", scope=Scope.FILES_WRITE, status=204, fails=(404, 503))
)
def archive_workspace(call: Call[None, None], workspace_id: UUID) -> Answer:
    """Archive it: files and sessions stay, new sessions cannot have it."""
    use.archive_workspace(call.deps, call.caller, workspace_id)
    return None


@blueprint.post("/workspaces/<workspace_id>/delete")
@endpoint(
    Contract(
        summary="Delete a workspace",
        scope=Scope.FILES_WRITE,
        status=204,
        fails=(404, 409, 422, 503),
    )
)
def delete_workspace(call: Call[None, None], workspace_id: UUID) -> Answer:
    """Delete an archived workspace and its files, if no session works on it."""
    use.delete_workspace(call.deps, call.caller, workspace_id, call.key)
    return None

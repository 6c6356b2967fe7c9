"""Workspaces on the wire (contract 3.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import QueryBoolean, Text
from api.schemas.shared import Body
from common.domain.ids import Kind, show_id
from common.domain.workspace import (
    DESCRIPTION_BYTES,
    NAME_CHARACTERS,
    Workspace,
    WorkspacePatch,
    WorkspaceStatus,
)
from common.event_codec import show_optional_time, show_time

_STATUSES: Final = ("active", "archived")


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """A workspace to make."""

    name: str
    description: str | None


def _check_name(text: str) -> None:
    if not text.strip():
        raise ValidationError("Must not be blank")


class NewWorkspaceSchema(Body):
    """Body of POST /workspaces."""

    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), _check_name])
    description = Text(allow_none=True, load_default=None, max_bytes=DESCRIPTION_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NewWorkspace:
        """Build the command."""
        return NewWorkspace(**data)


class WorkspacePatchSchema(Body):
    """Body of PATCH: what is absent stays; a null description is cleared."""

    name = Text(validate=[validate.Length(max=NAME_CHARACTERS), _check_name])
    description = Text(allow_none=True, max_bytes=DESCRIPTION_BYTES)
    status = Text(validate=validate.OneOf(_STATUSES))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> WorkspacePatch:
        """Build the command."""
        given = dict(data)
        if "status" in given:
            given["status"] = WorkspaceStatus(given["status"])
        return WorkspacePatch(given=frozenset(given), **given)


class WorkspaceListQuery(Schema):
    """Query of GET /workspaces."""

    search = fields.String(load_default=None, validate=validate.Length(max=500))
    include_archived = QueryBoolean(load_default=False)


class WorkspaceSchema(Schema):
    """A shared workspace."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    archived_at = fields.DateTime(required=True, allow_none=True)
    deleted_at = fields.DateTime(required=True, allow_none=True)


class WorkspaceListSchema(Schema):
    """The shared workspaces, newest first."""

    data = fields.List(fields.Nested(WorkspaceSchema()), required=True)
    total = fields.Integer(required=True)


def show_workspace(workspace: Workspace) -> dict[str, Any]:
    """The workspace as responses carry it."""
    return {
        "id": show_id(Kind.WORKSPACE, workspace.id),
        "name": workspace.name,
        "description": workspace.description,
        "status": workspace.status,
        "created_at": show_time(workspace.created_at),
        "updated_at": show_time(workspace.updated_at),
        "archived_at": show_optional_time(workspace.archived_at),
        "deleted_at": show_optional_time(workspace.deleted_at),
    }

"""A workspace: a tree of files that sessions work on, its own one or a shared one with a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

NAME_CHARACTERS: Final = 128
DESCRIPTION_BYTES: Final = 10 * 1024


class WorkspaceStatus(StrEnum):
    """An archived one keeps its files and sessions; a deleted one exists for nobody."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A named workspace.  A session's own one has no row: the session is its name."""

    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    status: WorkspaceStatus
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspacePatch:
    """What may change; `given` names the fields that do."""

    given: frozenset[str]
    name: str = ""
    description: str | None = None
    status: WorkspaceStatus = WorkspaceStatus.ACTIVE

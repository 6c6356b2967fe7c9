"""Change files of a workspace; the session whose files they are hears of it.

One transaction holds the change and the event; subscribers are told after its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.schemas.files import FileContent, NewFile, Transfer
from common.domain.errors import NotFound
from common.domain.events import EventDraft
from common.domain.file import File, FileEntry
from common.domain.ids import Kind, show_id
from common.storage import file_queries, files, idempotency, session_files, workspaces
from common.storage.engine import Tx
from common.storage.files import Place
from common.storage.idempotency import IdempotencyKey
from common.storage.session_files import Writer, written


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a request is about.

    Attributes:
        session_id: the session that they are addressed through, or whose own they are.
    """

    place: Place
    session_id: UUID | None

    @property
    def shown_session(self) -> str:
        """What `session_id` of a file shows, which is never null."""
        if self.session_id is not None:
            return show_id(Kind.SESSION, self.session_id)
        return show_id(Kind.WORKSPACE, self.place.workspace_id)


Change = Callable[[Tx], tuple[FileEntry, EventDraft | None]]


def find_files(
    tx: Tx, caller: Caller, *, workspace_id: UUID | None = None, session_id: UUID | None = None
) -> Files:
    """The files of a workspace, or of a session's.

    Raises:
        NotFound: there is no such workspace or session.
    """
    organization_id = caller.organization_id
    if session_id is not None:
        found = workspaces.of_session(tx, organization_id, session_id)
        if found is None:
            raise NotFound("Session not found")
        return Files(Place(organization_id, found), session_id)
    if workspace_id is None or not workspaces.exists(tx, organization_id, workspace_id):
        raise NotFound("Workspace not found")
    owner = workspaces.owner_of(tx, organization_id, workspace_id)
    return Files(Place(organization_id, workspace_id), owner)


def read_file(deps: Deps, where: Files, path: str) -> File:
    """What is at the path.

    Raises:
        NotFound: nothing is.
    """
    with deps.database.reading() as tx:
        return _read(tx, where, path)


def find_file(deps: Deps, where: Files, path: str) -> FileEntry:
    """What is at the path, without its content.

    Raises:
        NotFound: nothing is.
    """
    place = where.place
    with deps.database.reading() as tx:
        found = file_queries.stat(tx, place.organization_id, place.workspace_id, path)
    if found is None:
        raise NotFound(f"{path} does not exist")
    return found


def create_file(
    deps: Deps, where: Files, path: str, given: NewFile, key: IdempotencyKey | None
) -> File:
    """Make a file or a directory where there is nothing; for errors see `files.create`."""

    def change(tx: Tx) -> tuple[FileEntry, EventDraft | None]:
        if given.content is None:
            return files.create_directory(tx, where.place, path), None
        entry = files.create(tx, where.place, path, given.content, is_readonly=given.is_readonly)
        return entry, written(entry, operation="write", is_new=True, by=_writer(where))

    return _change(deps, where, change, key)


def put_file(deps: Deps, where: Files, path: str, given: FileContent) -> File:
    """Make a file or replace what it holds; for errors see `files.write`."""

    def change(tx: Tx) -> tuple[FileEntry, EventDraft | None]:
        done = files.write(tx, where.place, path, given.content, is_readonly=given.is_readonly)
        if not done.is_changed:
            return done.entry, None
        return done.entry, written(
            done.entry, operation="write", is_new=done.is_new, by=_writer(where)
        )

    return _change(deps, where, change, None)


def delete_file(deps: Deps, where: Files, path: str, *, recursive: bool) -> None:
    """Take a file or a directory away; for errors see `files.delete`."""
    with deps.database.transaction() as tx:
        files.delete(tx, where.place, path, recursive=recursive)


def move_file(deps: Deps, where: Files, given: Transfer, key: IdempotencyKey | None) -> File:
    """Give it another path; for errors see `files.move`."""

    def change(tx: Tx) -> tuple[FileEntry, EventDraft | None]:
        entry = files.move(tx, where.place, given.path, given.to)
        return entry, written(entry, operation="move", is_new=True, by=_writer(where))

    return _change(deps, where, change, key)


def copy_file(deps: Deps, where: Files, given: Transfer, key: IdempotencyKey | None) -> File:
    """Put a copy at another path; for errors see `files.copy`."""

    def change(tx: Tx) -> tuple[FileEntry, EventDraft | None]:
        entry = files.copy(tx, where.place, given.path, given.to)
        return entry, written(entry, operation="copy", is_new=True, by=_writer(where))

    return _change(deps, where, change, key)


def _change(deps: Deps, where: Files, change: Change, key: IdempotencyKey | None) -> File:
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.OK)
            if first is not None:
                return _read(tx, where, first.resource_id)
        entry, draft = change(tx)
        if key is not None:
            idempotency.settle(tx, key, resource_id=entry.path, status_code=HTTPStatus.OK)
        made = _read(tx, where, entry.path)
        drafts = [] if draft is None else [draft]
        events = session_files.announce(tx, _writer(where), drafts)
    if events and where.session_id is not None:
        deps.live.publish(where.session_id, events)
    return made


def _writer(where: Files) -> Writer:
    return Writer(where.place.organization_id, where.session_id)


def _read(tx: Tx, where: Files, path: str) -> File:
    place = where.place
    found = file_queries.read(tx, place.organization_id, place.workspace_id, path)
    if found is None:
        raise NotFound(f"{path} does not exist")
    return found

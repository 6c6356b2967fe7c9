"""Change the files of a workspace; reading is `file_queries`.

Every change begins with the workspace's row of `workspace_usage`: it lets one writer at a time
change a tree, so that what was looked up still holds at the write, and it carries the totals
that the limits are held against.  Who also appends to a session's log does that afterwards:
the workspace is locked before the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.clock import new_id
from common.domain.errors import BadRequest, Conflict, Forbidden, NotFound
from common.domain.file import (
    PATH_BYTES,
    ROOT,
    WORKSPACE_BYTES,
    WORKSPACE_FILES,
    FileEntry,
    ancestors_of,
    hash_of,
    is_below,
    parent_of,
)
from common.storage import file_queries, workspaces
from common.storage.engine import Tx


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace of an organization."""

    organization_id: UUID
    workspace_id: UUID

    @property
    def named(self) -> dict[str, object]:
        return {"organization_id": self.organization_id, "workspace_id": self.workspace_id}


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left behind.

    Attributes:
        is_new: whether there was no such file before.
        is_changed: whether the file is not what it was.
    """

    entry: FileEntry
    is_new: bool
    is_changed: bool = True


_LOCK: Final = text("""
    INSERT INTO workspace_usage (workspace_id, organization_id)
    VALUES (:workspace_id, :organization_id)
    ON CONFLICT (workspace_id) DO UPDATE SET files = workspace_usage.files
""")
_COUNT: Final = text("""
    UPDATE workspace_usage SET files = files + :files, bytes = bytes + :bytes
    WHERE workspace_id = :workspace_id AND organization_id = :organization_id
    RETURNING files, bytes
""")
_HERE: Final = "f.workspace_id = :workspace_id AND f.organization_id = :organization_id"
_AT: Final = text(f"""
    SELECT f.path, f.is_directory FROM workspace_files f WHERE {_HERE} AND f.path = ANY(:paths)
""")
_INSERT: Final = text("""
    INSERT INTO workspace_files (organization_id, workspace_id, path, parent, id, is_directory,
        is_readonly, content, size_bytes, content_hash)
    VALUES (:organization_id, :workspace_id, :path, :parent, :id, :is_directory, :is_readonly,
        :content, :size_bytes, :content_hash)
""")
_UPDATE: Final = text(f"""
    UPDATE workspace_files f SET content = :content, size_bytes = :size_bytes,
        content_hash = :content_hash, is_readonly = :is_readonly,
        updated_at = clock_timestamp()
    WHERE {_HERE} AND f.path = :path
""")
_SUBTREE: Final = "(f.path = :path OR (f.path > :first AND f.path < :end))"
_SURVEY: Final = text(f"""
    SELECT count(*) AS files, coalesce(sum(f.size_bytes), 0) AS bytes,
        max(octet_length(f.path)) AS longest,
        min(f.path) FILTER (WHERE f.is_readonly AND NOT f.is_directory) AS read_only
    FROM workspace_files f WHERE {_HERE} AND {_SUBTREE}
""")
_DELETE: Final = text(f"DELETE FROM workspace_files f WHERE {_HERE} AND {_SUBTREE}")
_NEW_PATH: Final = "CAST(:to AS text) || substr(f.path, char_length(:path) + 1)"
_NEW_PARENT: Final = """CASE WHEN f.path = :path THEN :to_parent
    ELSE CAST(:to AS text) || substr(f.parent, char_length(:path) + 1) END"""
_MOVE: Final = text(f"""
    UPDATE workspace_files f SET path = {_NEW_PATH}, parent = {_NEW_PARENT},
        updated_at = clock_timestamp()
    WHERE {_HERE} AND {_SUBTREE}
""")
_COPY: Final = text(f"""
    INSERT INTO workspace_files (organization_id, workspace_id, path, parent, id, is_directory,
        is_readonly, content, size_bytes, content_hash)
    SELECT f.organization_id, f.workspace_id, {_NEW_PATH}, {_NEW_PARENT}, gen_random_uuid(),
        f.is_directory, false, f.content, f.size_bytes, f.content_hash
    FROM workspace_files f WHERE {_HERE} AND {_SUBTREE}
""")
_COPY_ALL: Final = text(f"""
    INSERT INTO workspace_files (organization_id, workspace_id, path, parent, id, is_directory,
        is_readonly, content, size_bytes, content_hash, created_at, updated_at)
    SELECT f.organization_id, :target, f.path, f.parent, gen_random_uuid(), f.is_directory,
        f.is_readonly, f.content, f.size_bytes, f.content_hash, f.created_at, f.updated_at
    FROM workspace_files f WHERE {_HERE}
    RETURNING size_bytes
""")


def lock(tx: Tx, place: Place) -> None:
    """Let no other writer change the workspace before this transaction has ended.

    Raises:
        NotFound: it is no workspace of the organization, or no longer.
    """
    tx.execute(_LOCK, place.named)
    # Looked at under the lock: what purges a workspace takes the same one.
    if not workspaces.exists(tx, place.organization_id, place.workspace_id):
        raise NotFound("Workspace not found")


def create(tx: Tx, place: Place, path: str, content: bytes, *, is_readonly: bool) -> FileEntry:
    """Make a file where there is nothing; missing directories above it are made too.

    Raises:
        NotFound: there is no such workspace.
        Conflict: something is there, a file is in the way, or the workspace is full.
    """
    lock(tx, place)
    _refuse_root(path)
    if _find(tx, place, path) is not None:
        raise Conflict(f"{path} exists already")
    return _insert(tx, place, path, content, is_readonly=is_readonly)


def create_directory(tx: Tx, place: Place, path: str) -> FileEntry:
    """Make a directory, and those above it that are missing.

    Raises:
        NotFound: there is no such workspace.
        Conflict: something is there, a file is in the way, or the workspace is full.
    """
    lock(tx, place)
    _refuse_root(path)
    if _find(tx, place, path) is not None:
        raise Conflict(f"{path} exists already")
    return _insert(tx, place, path, None, is_readonly=False)


def write(
    tx: Tx, place: Place, path: str, content: bytes, *, is_readonly: bool | None = None
) -> Written:
    """Make the file, or replace what it holds; None leaves it as read-only as it is.

    Raises:
        NotFound: there is no such workspace.
        Conflict: it is a directory, a file is in the way, or the workspace is full.
        Forbidden: it is read-only.
    """
    lock(tx, place)
    _refuse_root(path)
    existing = _find(tx, place, path)
    if existing is None:
        made = _insert(tx, place, path, content, is_readonly=bool(is_readonly))
        return Written(made, is_new=True)
    return replace_content(tx, place, existing, content, is_readonly=is_readonly)


def replace_content(
    tx: Tx, place: Place, existing: FileEntry, content: bytes, *, is_readonly: bool | None = None
) -> Written:
    """Give a file that was looked up under the lock new content.

    Raises:
        Conflict: it is a directory, or the workspace is full.
        Forbidden: it is read-only.
    """
    if existing.is_directory:
        raise Conflict(f"{existing.path} is a directory")
    if existing.is_readonly:
        raise Forbidden(f"{existing.path} is read-only")
    becomes_readonly = bool(is_readonly)
    content_hash = hash_of(content)
    if content_hash == existing.content_hash and not becomes_readonly:
        return Written(existing, is_new=False, is_changed=False)
    tx.execute(
        _UPDATE,
        {
            **place.named,
            "path": existing.path,
            "content": content,
            "size_bytes": len(content),
            "content_hash": content_hash,
            "is_readonly": becomes_readonly,
        },
    )
    _count(tx, place, files=0, size=len(content) - existing.size_bytes)
    return Written(_get(tx, place, existing.path), is_new=False)


def delete(tx: Tx, place: Place, path: str, *, recursive: bool) -> None:
    """Take a file away, or a directory: an empty one, or with `recursive` all it holds.

    Raises:
        NotFound: there is no such workspace, or nothing at the path.
        BadRequest: a directory that is not empty, or the root.
        Forbidden: it is or holds a read-only file.
    """
    lock(tx, place)
    _refuse_root(path)
    existing = _get(tx, place, path)
    subtree = _subtree(place, path)
    survey = tx.execute(_SURVEY, subtree).one()
    if existing.is_directory and survey.files > 1 and not recursive:
        raise BadRequest(f"{path} is not empty; delete it with recursive=true")
    if survey.read_only is not None:
        raise Forbidden(f"{survey.read_only} is read-only")
    tx.execute(_DELETE, subtree)
    _count(tx, place, files=-survey.files, size=-survey.bytes)


def move(tx: Tx, place: Place, path: str, to: str) -> FileEntry:
    """Give a file or a directory with all it holds another path.

    Raises:
        NotFound: there is no such workspace, or nothing at the path.
        BadRequest: into itself, the root, or a path would become too long.
        Conflict: something is at the new path, or a file is in the way.
        Forbidden: it is or holds a read-only file.
    """
    lock(tx, place)
    survey = _check_transfer(tx, place, path, to)
    if survey.read_only is not None:
        raise Forbidden(f"{survey.read_only} is read-only")
    _count(tx, place, files=_make_parents(tx, place, to), size=0)
    tx.execute(_MOVE, {**_subtree(place, path), "to": to, "to_parent": parent_of(to)})
    return _get(tx, place, to)


def copy(tx: Tx, place: Place, path: str, to: str) -> FileEntry:
    """Put a copy of a file, or of a directory with all it holds, at another path.

    The copy of a read-only file may be written to.

    Raises:
        NotFound: there is no such workspace, or nothing at the path.
        BadRequest: into itself, the root, or a path would become too long.
        Conflict: something is at the new path, a file is in the way, or it gets full.
    """
    lock(tx, place)
    survey = _check_transfer(tx, place, path, to)
    made = _make_parents(tx, place, to)
    _count(tx, place, files=made + survey.files, size=survey.bytes)
    tx.execute(_COPY, {**_subtree(place, path), "to": to, "to_parent": parent_of(to)})
    return _get(tx, place, to)


def copy_workspace(
    tx: Tx, organization_id: UUID, source_workspace_id: UUID, target_workspace_id: UUID
) -> None:
    """Copy every file, as of now, into a workspace that is still empty."""
    target = Place(organization_id, target_workspace_id)
    tx.execute(_LOCK, target.named)
    source = Place(organization_id, source_workspace_id)
    rows = tx.execute(_COPY_ALL, {**source.named, "target": target_workspace_id}).all()
    _count(tx, target, files=len(rows), size=sum(row.size_bytes for row in rows))


def _insert(
    tx: Tx, place: Place, path: str, content: bytes | None, *, is_readonly: bool
) -> FileEntry:
    """A file, or without content a directory, where there is nothing."""
    size = 0 if content is None else len(content)
    _count(tx, place, files=_make_parents(tx, place, path) + 1, size=size)
    tx.execute(
        _INSERT,
        {
            **_directory(place, path),
            "is_directory": content is None,
            "is_readonly": is_readonly,
            "content": content,
            "size_bytes": size,
            "content_hash": None if content is None else hash_of(content),
        },
    )
    return _get(tx, place, path)


def _make_parents(tx: Tx, place: Place, path: str) -> int:
    """Make the directories above a path that are missing; how many that were."""
    above = ancestors_of(path)
    if not above:
        return 0
    there = tx.execute(_AT, {**place.named, "paths": above}).all()
    for row in there:
        if not row.is_directory:
            raise Conflict(f"{row.path} is a file, so nothing can be below it")
    missing = sorted(set(above) - {row.path for row in there})
    if missing:
        tx.execute(_INSERT, [_directory(place, each) for each in missing])
    return len(missing)


def _directory(place: Place, path: str) -> dict[str, object]:
    return {
        **place.named,
        "path": path,
        "parent": parent_of(path),
        "id": new_id(),
        "is_directory": True,
        "is_readonly": False,
        "content": None,
        "size_bytes": 0,
        "content_hash": None,
    }


def _check_transfer(tx: Tx, place: Place, path: str, to: str) -> _Survey:
    for each in (path, to):
        _refuse_root(each)
    if is_below(to, path):
        raise BadRequest(f"{path} cannot be put into itself")
    _get(tx, place, path)
    if _find(tx, place, to) is not None:
        raise Conflict(f"{to} exists already")
    row = tx.execute(_SURVEY, _subtree(place, path)).one()
    if row.longest + len(to.encode()) - len(path.encode()) > PATH_BYTES:
        raise BadRequest(f"A path below {to} would be longer than {PATH_BYTES} bytes")
    return _Survey(row.files, row.bytes, row.read_only)


@dataclass(frozen=True, slots=True)
class _Survey:
    """How much a subtree holds, and the first read-only file in it."""

    files: int
    bytes: int
    read_only: str | None


def _count(tx: Tx, place: Place, *, files: int, size: int) -> None:
    """Keep the totals.

    Raises:
        Conflict: the workspace would hold more than it may.
    """
    if not files and not size:
        return
    totals = tx.execute(_COUNT, {**place.named, "files": files, "bytes": size}).one()
    if files > 0 and totals.files > WORKSPACE_FILES:
        raise Conflict(f"A workspace must not have more than {WORKSPACE_FILES} files")
    if size > 0 and totals.bytes > WORKSPACE_BYTES:
        raise Conflict(f"A workspace must not hold more than {WORKSPACE_BYTES} bytes")


def _find(tx: Tx, place: Place, path: str) -> FileEntry | None:
    return file_queries.find(tx, place.organization_id, place.workspace_id, path)


def _get(tx: Tx, place: Place, path: str) -> FileEntry:
    found = _find(tx, place, path)
    if found is None:
        raise NotFound(f"{path} does not exist")
    return found


def _refuse_root(path: str) -> None:
    if path == ROOT:
        raise BadRequest("The root directory cannot be changed itself")


def _subtree(place: Place, path: str) -> dict[str, object]:
    first, end = file_queries.range_of(path)
    return {**place.named, "path": path, "first": first, "end": end}

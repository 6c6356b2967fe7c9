"""Read the files of a workspace: one, a directory's slice by slice, contents for a search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.file import ROOT, File, FileEntry
from common.storage.engine import Database, Tx

SLICE: Final = 500
# Contents of this size are in memory together while they are searched.
_BATCH_BYTES: Final = 4 * 1024 * 1024

_ENTRY: Final = """
    f.id, f.path, f.is_directory, f.is_readonly, f.size_bytes, f.content_hash, f.created_at,
    f.updated_at
"""
_HERE: Final = "f.workspace_id = :workspace_id AND f.organization_id = :organization_id"

_FIND: Final = text(f"SELECT {_ENTRY} FROM workspace_files f WHERE {_HERE} AND f.path = :path")
_READ: Final = text(
    f"SELECT {_ENTRY}, f.content FROM workspace_files f WHERE {_HERE} AND f.path = :path"
)
# The root has no row: it is there as long as its workspace is.
_ROOT: Final = text(f"""
    SELECT CAST(:workspace_id AS uuid) AS id, CAST(:path AS text) AS path, true AS is_directory,
        false AS is_readonly, 0 AS size_bytes, CAST(NULL AS text) AS content_hash,
        made.at AS created_at, greatest(made.at, (
            SELECT max(f.updated_at) FROM workspace_files f WHERE {_HERE} AND f.parent = :path
        )) AS updated_at
    FROM (SELECT coalesce(
        (SELECT created_at FROM workspaces
            WHERE id = :workspace_id AND organization_id = :organization_id),
        (SELECT min(created_at) FROM sessions WHERE workspace_id = :workspace_id
            AND organization_id = :organization_id AND deleted_at IS NULL),
        clock_timestamp()
    ) AS at) made
""")
_CHILDREN: Final = text(f"""
    SELECT {_ENTRY} FROM workspace_files f
    WHERE {_HERE} AND f.parent = :directory AND f.path > :after ORDER BY f.path LIMIT :limit
""")
# Everything below /a is between "/a/" and "/a0": the sign after the slash.
_BELOW: Final = text(f"""
    SELECT {_ENTRY} FROM workspace_files f
    WHERE {_HERE} AND f.path > :after AND f.path > :first AND f.path < :end
    ORDER BY f.path LIMIT :limit
""")
_CONTENTS: Final = text(f"""
    SELECT f.path, f.content FROM workspace_files f
    WHERE {_HERE} AND f.path = ANY(:paths) AND NOT f.is_directory ORDER BY f.path
""")


def find(tx: Tx, organization_id: UUID, workspace_id: UUID, path: str) -> FileEntry | None:
    """What is at the path, without its content."""
    row = tx.execute(_FIND, {**_named(organization_id, workspace_id), "path": path}).one_or_none()
    return None if row is None else entry_of(row)


def stat(tx: Tx, organization_id: UUID, workspace_id: UUID, path: str) -> FileEntry | None:
    """As `find`, and the root too."""
    if path != ROOT:
        return find(tx, organization_id, workspace_id, path)
    return entry_of(
        tx.execute(_ROOT, {**_named(organization_id, workspace_id), "path": path}).one()
    )


def read(tx: Tx, organization_id: UUID, workspace_id: UUID, path: str) -> File | None:
    """What is at the path, with its content."""
    row = tx.execute(_READ, {**_named(organization_id, workspace_id), "path": path}).one_or_none()
    if row is None:
        return None
    return File(entry_of(row), None if row.is_directory else bytes(row.content))


def entries(
    database: Database,
    organization_id: UUID,
    workspace_id: UUID,
    directory: str,
    *,
    recursive: bool,
) -> Iterator[FileEntry]:
    """What the directory holds, by path, read slice by slice (I11)."""
    first, end = range_of(directory)
    statement = _BELOW if recursive else _CHILDREN
    named = {**_named(organization_id, workspace_id), "directory": directory}
    after = ""
    while True:
        with database.reading() as tx:
            rows = tx.execute(
                statement,
                {**named, "first": first, "end": end, "after": after, "limit": SLICE}
                if recursive
                else {**named, "after": after, "limit": SLICE},
            ).all()
        yield from map(entry_of, rows)
        if len(rows) < SLICE:
            return
        after = rows[-1].path


def contents(
    database: Database, organization_id: UUID, workspace_id: UUID, paths: Iterator[FileEntry]
) -> Iterator[tuple[str, bytes]]:
    """Path and content of the files among the entries, a few megabytes at a time."""
    for batch in _batches(paths):
        with database.reading() as tx:
            rows = tx.execute(
                _CONTENTS, {**_named(organization_id, workspace_id), "paths": batch}
            ).all()
        for row in rows:
            yield row.path, bytes(row.content)


def range_of(directory: str) -> tuple[str, str]:
    """The open interval of the paths below a directory."""
    prefix = "" if directory == ROOT else directory
    return f"{prefix}/", f"{prefix}0"


def entry_of(row: Row[Any]) -> FileEntry:
    """A row of the entry's columns."""
    return FileEntry(
        id=row.id,
        path=row.path,
        is_directory=row.is_directory,
        is_readonly=row.is_readonly,
        size_bytes=row.size_bytes,
        content_hash=row.content_hash,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _batches(entries: Iterator[FileEntry]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for entry in entries:
        if entry.is_directory:
            continue
        if batch and size + entry.size_bytes > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(entry.path)
        size += entry.size_bytes
    if batch:
        yield batch


def _named(organization_id: UUID, workspace_id: UUID) -> dict[str, object]:
    return {"organization_id": organization_id, "workspace_id": workspace_id}

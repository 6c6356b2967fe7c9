"""The calls that look at files: results bounded, so that a model is never flooded (I11)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from common.domain.errors import BadRequest, DomainError, NotFound
from common.domain.file import ROOT, File, FileEntry, as_text, file_path, shown
from common.domain.file_pattern import PathGlob, Pattern
from common.domain.text import capped
from common.event_codec import show_time
from common.storage import file_queries, file_search
from common.storage.engine import Database
from worker.capabilities.capability import ToolContext
from worker.capabilities.file_tools import Arguments, place_of

OUTPUT_BYTES: Final = 128 * 1024
_TEXT_BYTES: Final = 48 * 1024
_BINARY_BYTES: Final = 32 * 1024
_ENTRIES: Final = 500
_MATCHES: Final = 200

Json = dict[str, Any]


def tools(database: Database) -> dict[str, Callable[[Arguments, ToolContext], Any]]:
    """Each call by the name of its tool."""
    reader = _Reader(database)
    return {
        "read_file": reader.read,
        "read_many_files": reader.read_many,
        "list_directory": reader.list_directory,
        "grep_files": reader.grep,
        "stat_file": reader.stat,
    }


class _Reader:
    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, arguments: Arguments, context: ToolContext) -> Json:
        found = self._file(arguments["path"], context)
        offset, limit = arguments.get("offset", 1), arguments.get("limit")
        return _show(found, offset=offset, limit=limit, left=_TEXT_BYTES)

    def read_many(self, arguments: Arguments, context: ToolContext) -> list[Json]:
        results: list[Json] = []
        left = _TEXT_BYTES
        for path in dict.fromkeys(arguments["paths"]):
            try:
                result = _show(self._file(path, context), offset=1, limit=None, left=left)
            except DomainError as refused:
                result = {"path": path, "error": refused.message}
            left = max(0, left - len(str(result.get("content", "")).encode()))
            results.append(result)
        return results

    def list_directory(self, arguments: Arguments, context: ToolContext) -> Json:
        path = file_path(arguments.get("path", ROOT))
        place = place_of(context)
        if path != ROOT:
            entry = self._find(path, context)
            if entry is None:
                raise NotFound(f"{path} does not exist")
            if not entry.is_directory:
                raise BadRequest(f"{path} is a file, not a directory")
        held = file_queries.entries(
            self._database.of(place.organization_id),
            place.organization_id,
            place.workspace_id,
            path,
            recursive=False,
        )
        entries = list(islice(held, _ENTRIES + 1))
        listed = [_listed(entry) for entry in entries[:_ENTRIES]]
        result: Json = {"path": path, "entries": listed, "count": len(listed)}
        return result | ({"truncated": True} if len(entries) > _ENTRIES else {})

    def grep(self, arguments: Arguments, context: ToolContext) -> Json:
        glob = PathGlob(arguments["path_pattern"]) if arguments.get("path_pattern") else None
        pattern = Pattern(arguments["pattern"])
        database = self._database.of(context.organization_id)
        found = file_search.search(database, place_of(context), pattern, glob)
        matches = [
            {"path": path, "line_number": line.number, "line": line.text}
            for path, lines in found.matches.items()
            for line in lines
        ]
        result: Json = {
            "pattern": arguments["pattern"],
            "matches": matches[:_MATCHES],
            "match_count": len(matches),
        }
        is_cut = found.is_partial or len(matches) > _MATCHES
        return result | ({"truncated": True} if is_cut else {})

    def stat(self, arguments: Arguments, context: ToolContext) -> Json:
        path = file_path(arguments["path"])
        with self._database.of(context.organization_id).reading() as tx:
            entry = file_queries.stat(tx, context.organization_id, context.workspace_id, path)
        if entry is None:
            return {"path": path, "exists": False}
        created = show_time(entry.created_at)
        return {"path": path, "exists": True, **_listed(entry), "created_at": created}

    def _find(self, path: str, context: ToolContext) -> FileEntry | None:
        with self._database.of(context.organization_id).reading() as tx:
            return file_queries.find(tx, context.organization_id, context.workspace_id, path)

    def _file(self, given: str, context: ToolContext) -> File:
        path = file_path(given)
        with self._database.of(context.organization_id).reading() as tx:
            found = file_queries.read(tx, context.organization_id, context.workspace_id, path)
        if found is None:
            raise NotFound(f"{path} does not exist")
        return found


def _listed(entry: FileEntry) -> Json:
    return {
        "name": entry.name,
        "path": entry.path,
        "is_directory": entry.is_directory,
        "is_readonly": entry.is_readonly,
        "size_bytes": entry.size_bytes,
        "updated_at": show_time(entry.updated_at),
    }


def _show(found: File, *, offset: int, limit: int | None, left: int) -> Json:
    """A file, or the lines of it that were asked for and fit."""
    entry, content = found.entry, found.content
    if content is None:
        raise BadRequest(f"{entry.path} is a directory; use list_directory")
    result: Json = {
        "path": entry.path,
        "encoding": "text",
        "size_bytes": entry.size_bytes,
        "content_hash": entry.content_hash,
    }
    text = as_text(content)
    if text is None:
        if len(content) > min(_BINARY_BYTES, left):
            raise BadRequest(f"{entry.path} is a binary file, too large to be shown")
        encoded, encoding = shown(content)
        return result | {"content": encoded, "encoding": encoding}
    lines = text.splitlines(keepends=True)
    wanted = "".join(lines[offset - 1 : None if limit is None else offset - 1 + limit])
    part = capped(wanted, limit_bytes=left)
    result["content"] = part
    if len(part) < len(wanted):
        # What was cut begins in this line, which is read again from its start.
        whole = part.count("\n")
        result |= {"truncated": True, "next_offset": offset + whole}
    if offset > 1 or limit is not None or len(part) < len(wanted):
        result |= {"offset": offset, "total_lines": len(lines)}
    return result

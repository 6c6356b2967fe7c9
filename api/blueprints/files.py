"""Files: one set of routes, below a workspace and below a session (contract 3.10).

Both name the same store: a session's files are those of the workspace that it works on.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPMethod
from typing import Any, Final, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.downloads import INERT, disposition
from api.endpoint import Answer, Call, Contract, endpoint
from api.lists.files import list_directory
from api.schemas.files import (
    DeletedSchema,
    FileContent,
    FileContentSchema,
    FileInfoListSchema,
    FileOrListSchema,
    FileStatSchema,
    GrepResultListSchema,
    GrepSchema,
    NewFile,
    NewFileSchema,
    RecursiveQuery,
    SessionFileSchema,
    StatSchema,
    Transfer,
    TransferSchema,
    Wanted,
    show_file,
    show_stat,
)
from api.use_cases import change_files
from api.use_cases.change_files import Files, find_files
from common.domain.access import Scope
from common.domain.errors import BadRequest, UnsupportedMedia
from common.domain.file import FILE_BYTES, ROOT, File, as_text
from common.storage import file_search

blueprint = APIBlueprint("files", __name__, url_prefix="/v1")

# A whole file in base64 or as JSON text, in which many signs take more bytes than they have.
BODY_BYTES: Final = 2 * FILE_BYTES + 1024 * 1024

FileView = Callable[..., Answer]
# What an endpoint makes of every view.
_FlaskView = Callable[..., Response]


def list_root(call: Call[None, dict[str, Any]], where: Files) -> Answer:
    """List the root directory, or with `recursive` everything."""
    return list_directory(call.deps, where, ROOT, recursive=call.query["recursive"])


def read_file(call: Call[None, dict[str, Any]], where: Files, file: str) -> Answer:
    """Read a file; of a directory, list what it holds."""
    found = change_files.read_file(call.deps, where, file)
    if found.entry.is_directory:
        return list_directory(call.deps, where, file, recursive=call.query["recursive"])
    return show_file(found, where.shown_session)


def create_file(call: Call[NewFile, None], where: Files, file: str) -> Answer:
    """Create a file or a directory where there is nothing; directories above are made too."""
    made = change_files.create_file(call.deps, where, file, call.body, call.key)
    return show_file(made, where.shown_session)


def put_file(call: Call[FileContent, None], where: Files, file: str) -> Answer:
    """Create a file or replace what it holds."""
    made = change_files.put_file(call.deps, where, file, call.body)
    return show_file(made, where.shown_session)


def delete_file(call: Call[None, dict[str, Any]], where: Files, file: str) -> Answer:
    """Delete a file, an empty directory, or with `recursive` all that a directory holds."""
    change_files.delete_file(call.deps, where, file, recursive=call.query["recursive"])
    return {"deleted": True}


def stat_file(call: Call[str, None], where: Files) -> Answer:
    """Tell what there is to know of a file or directory but its content."""
    return show_stat(change_files.find_file(call.deps, where, call.body))


def move_file(call: Call[Transfer, None], where: Files) -> Answer:
    """Move a file or a directory with all it holds to where there is nothing."""
    moved = change_files.move_file(call.deps, where, call.body, call.key)
    return show_file(moved, where.shown_session)


def copy_file(call: Call[Transfer, None], where: Files) -> Answer:
    """Copy a file or a directory with all it holds to where there is nothing."""
    made = change_files.copy_file(call.deps, where, call.body, call.key)
    return show_file(made, where.shown_session)


def grep_files(call: Call[Wanted, None], where: Files) -> Answer:
    """Find the lines that an RE2 expression matches, in text files alone."""
    found = file_search.search(call.deps.database, where.place, call.body.pattern, call.body.glob)
    data = [
        {
            "path": path,
            "matches": [
                {"path": path, "line_number": line.number, "line": line.text} for line in lines
            ],
        }
        for path, lines in found.matches.items()
    ]
    return {"data": data, "total": len(data), "truncated": found.is_partial}


def download_file(call: Call[None, None], where: Files, file: str) -> Answer:
    """Get a file's bytes."""
    found, content = _content(call, where, file)
    response = Response(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = disposition("attachment", found.entry.name)
    return response


def preview_file(call: Call[None, None], where: Files, file: str) -> Answer:
    """Get a text file to look at, as plain text that no browser runs; binary ones are refused."""
    _, content = _content(call, where, file)
    text = as_text(content)
    if text is None:
        raise UnsupportedMedia("Only text files can be previewed")
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = INERT
    return response


def _content(call: Call[Any, Any], where: Files, path: str) -> tuple[File, bytes]:
    found = change_files.read_file(call.deps, where, path)
    if found.content is None:
        raise BadRequest(f"{path} is a directory")
    return found, found.content


_FAILS: Final = (404, 503)
_WRITE_FAILS: Final = (403, 404, 409, 413, 422, 503)
_READ: Final = {"scope": Scope.FILES_READ, "query": RecursiveQuery(), "fails": _FAILS}

# Method, path below …/fs, view, and what its contract says beside the summary.
_ROUTES: Final[tuple[tuple[HTTPMethod, str, FileView, str, dict[str, Any]], ...]] = (
    (HTTPMethod.GET, "", list_root, "List files", {"returns": FileInfoListSchema(), **_READ}),
    (
        HTTPMethod.GET,
        "/<path:file>",
        read_file,
        "Read a file or list a directory",
        {"returns": FileOrListSchema(), **_READ},
    ),
    (
        HTTPMethod.POST,
        "/<path:file>",
        create_file,
        "Create a file or directory",
        {
            "scope": Scope.FILES_WRITE,
            "status": 201,
            "takes": NewFileSchema(),
            "max_body_bytes": BODY_BYTES,
            "returns": SessionFileSchema(),
            "fails": _WRITE_FAILS,
        },
    ),
    (
        HTTPMethod.PUT,
        "/<path:file>",
        put_file,
        "Write a file",
        {
            "scope": Scope.FILES_WRITE,
            "takes": FileContentSchema(),
            "needs_body": True,
            "max_body_bytes": BODY_BYTES,
            "returns": SessionFileSchema(),
            "fails": _WRITE_FAILS,
        },
    ),
    (
        HTTPMethod.DELETE,
        "/<path:file>",
        delete_file,
        "Delete a file or directory",
        {
            "scope": Scope.FILES_WRITE,
            "query": RecursiveQuery(),
            "returns": DeletedSchema(),
            "fails": (403, *_FAILS),
        },
    ),
    (
        HTTPMethod.POST,
        "/_/stat",
        stat_file,
        "Look at a file",
        {
            "scope": Scope.FILES_READ,
            "only_reads": True,
            "takes": StatSchema(),
            "needs_body": True,
            "returns": FileStatSchema(),
            "fails": (*_FAILS, 422),
        },
    ),
    (
        HTTPMethod.POST,
        "/_/move",
        move_file,
        "Move a file or directory",
        {
            "scope": Scope.FILES_WRITE,
            "takes": TransferSchema(),
            "needs_body": True,
            "returns": SessionFileSchema(),
            "fails": _WRITE_FAILS,
        },
    ),
    (
        HTTPMethod.POST,
        "/_/copy",
        copy_file,
        "Copy a file or directory",
        {
            "scope": Scope.FILES_WRITE,
            "status": 201,
            "takes": TransferSchema(),
            "needs_body": True,
            "returns": SessionFileSchema(),
            "fails": _WRITE_FAILS,
        },
    ),
    (
        HTTPMethod.POST,
        "/_/grep",
        grep_files,
        "Search files",
        {
            "scope": Scope.FILES_READ,
            "only_reads": True,
            "takes": GrepSchema(),
            "needs_body": True,
            "returns": GrepResultListSchema(),
            "fails": (*_FAILS, 422),
        },
    ),
    (
        HTTPMethod.GET,
        "/_/download/<path:file>",
        download_file,
        "Download a file",
        {
            "scope": Scope.FILES_READ,
            "content_type": "application/octet-stream",
            "fails": _FAILS,
        },
    ),
    (
        HTTPMethod.GET,
        "/_/preview/<path:file>",
        preview_file,
        "Preview a text file",
        {"scope": Scope.FILES_READ, "content_type": "text/plain", "fails": (*_FAILS, 415)},
    ),
)


def _below_workspace(view: FileView) -> FileView:
    def below(call: Call[Any, Any], workspace_id: UUID, **arguments: str) -> Answer:
        with call.deps.database.reading() as tx:
            where = find_files(tx, call.caller, workspace_id=workspace_id)
        return view(call, where, **arguments)

    return below


def _below_session(view: FileView) -> FileView:
    def below(call: Call[Any, Any], session_id: UUID, **arguments: str) -> Answer:
        with call.deps.database.reading() as tx:
            where = find_files(tx, call.caller, session_id=session_id)
        return view(call, where, **arguments)

    return below


def _named(view: FileView, below: FileView, owner: str) -> FileView:
    """The view under a name of its own, which is also that of its operation."""
    below.__name__ = view.__name__.replace("_", f"_{owner}_", 1)
    below.__doc__ = view.__doc__
    return below


# The views below a session, for the older spelling below its agent.
SESSION_ROUTES: Final[list[tuple[str, str, Callable[..., Any]]]] = []

for _method, _path, _view, _summary, _terms in _ROUTES:
    _contract = Contract(summary=_summary, **_terms)
    _of_workspace = endpoint(_contract)(_named(_view, _below_workspace(_view), "workspace"))
    _of_session = endpoint(_contract)(_named(_view, _below_session(_view), "session"))
    for _prefix, _made in (
        ("/workspaces/<workspace_id>/fs", _of_workspace),
        ("/sessions/<session_id>/fs", _of_session),
    ):
        blueprint.add_url_rule(
            f"{_prefix}{_path}", _made.__name__, cast(_FlaskView, _made), methods=[_method]
        )
    SESSION_ROUTES.append((_method, f"/fs{_path}", _of_session))

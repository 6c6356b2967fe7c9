"""Tools on the files of the session's workspace.

Reading is pure.  A call that changes files is asked after when its worker was lost (I5): a
write or an edit leaves a `file.written` event of the call in the transaction of the change, so
its absence proves that nothing happened; a deletion shows in what is there.
"""

from __future__ import annotations

from typing import Any, Final

from common.domain.capability_catalog.session_file_system import SESSION_FILE_SYSTEM as INFO
from common.domain.errors import BadRequest, Conflict, NotFound
from common.domain.events import EventDraft
from common.domain.file import File, as_text, decoded, file_path
from common.storage import file_queries, files, session_files
from common.storage.engine import Tx
from common.storage.session_files import written
from worker.capabilities import file_reading
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.file_tools import Arguments, answering, changing, place_of, writer_of
from worker.capabilities.services import Services

# Calls that change files run in the order in which the model made them.
_CHANGES: Final = "session_files"

Changed = tuple[dict[str, Any], EventDraft | None]


def capability(services: Services) -> Capability:
    """The capability."""
    changes = _Changes(services)
    reads = [
        Tool.declared(
            INFO.tool(name),
            side_effect=SideEffect.PURE,
            run=answering(run),
            output_limit_bytes=file_reading.OUTPUT_BYTES,
        )
        for name, run in file_reading.tools(services.database).items()
    ]
    writes = [
        Tool.declared(
            INFO.tool(name),
            side_effect=SideEffect.RECONCILE,
            run=answering(run),
            reconcile=reconcile,
            concurrency_class=_CHANGES,
        )
        for name, run, reconcile in (
            ("write_file", changes.write, changes.find_written),
            ("edit_file", changes.edit, changes.find_written),
            ("delete_file", changes.delete, changes.find_deleted),
        )
    ]
    by_name = {tool.name: tool for tool in (*reads, *writes)}
    tools = tuple(by_name[tool.name] for tool in INFO.tools)
    return Capability(id=INFO.id, tools=tools, system_prompt=INFO.system_prompt)


class _Changes:
    """The calls that change files; for errors see `answering`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def write(self, arguments: Arguments, context: ToolContext) -> Any:
        path = file_path(arguments["path"])
        content = decoded(arguments["content"], arguments.get("encoding", "text"))

        def change(tx: Tx) -> Changed:
            done = files.write(tx, place_of(context), path, content)
            result = {
                "path": path,
                "size_bytes": done.entry.size_bytes,
                "created": done.is_new,
                "content_hash": done.entry.content_hash,
            }
            if not done.is_changed:
                return result, None
            by = writer_of(context)
            return result, written(done.entry, operation="write", is_new=done.is_new, by=by)

        return changing(self._services, context, change)

    def edit(self, arguments: Arguments, context: ToolContext) -> Any:
        path = file_path(arguments["path"])

        def change(tx: Tx) -> Changed:
            place = place_of(context)
            files.lock(tx, place)
            found = file_queries.read(tx, place.organization_id, place.workspace_id, path)
            text = _edited(_text_of(found, path), arguments, found)
            done = files.replace_content(tx, place, _entry(found), decoded(text, "text"))
            result = {
                "path": path,
                "size_bytes": done.entry.size_bytes,
                "content_hash": done.entry.content_hash,
            }
            if not done.is_changed:
                return result, None
            by = writer_of(context)
            return result, written(done.entry, operation="edit", is_new=False, by=by)

        return changing(self._services, context, change)

    def delete(self, arguments: Arguments, context: ToolContext) -> Any:
        path = file_path(arguments["path"])
        recursive = arguments.get("recursive", False)

        def change(tx: Tx) -> Changed:
            files.delete(tx, place_of(context), path, recursive=recursive)
            return {"path": path, "deleted": True}, None

        return changing(self._services, context, change)

    def find_written(self, _arguments: Arguments, context: ToolContext, /) -> ToolOutcome | None:
        """What the call's event says; None when it left none."""
        with self._services.database.of(context.organization_id).reading() as tx:
            data = session_files.find_written(
                tx, context.organization_id, context.session_id, context.tool_call_id
            )
        if data is None:
            return None
        shown = ("path", "size_bytes", "created", "content_hash")
        return ToolSucceeded({name: data[name] for name in shown if name in data})

    def find_deleted(self, arguments: Arguments, context: ToolContext, /) -> ToolOutcome | None:
        """That it is gone; None when it is there still."""
        try:
            path = file_path(arguments["path"])
        except BadRequest as refused:
            return ToolFailed(refused.message)
        with self._services.database.of(context.organization_id).reading() as tx:
            found = file_queries.find(tx, context.organization_id, context.workspace_id, path)
        return None if found is not None else ToolSucceeded({"path": path, "deleted": True})


def _entry(found: File | None) -> Any:
    assert found is not None  # noqa: S101 - _text_of has refused it
    return found.entry


def _text_of(found: File | None, path: str) -> str:
    if found is None:
        raise NotFound(f"{path} does not exist")
    if found.content is None:
        raise Conflict(f"{path} is a directory")
    text = as_text(found.content)
    if text is None:
        raise BadRequest(f"{path} is not a text file")
    return text


def _edited(text: str, arguments: Arguments, found: File | None) -> str:
    path, expected = arguments["path"], arguments.get("expected_hash")
    actual = _entry(found).content_hash
    if expected is not None and expected != actual:
        raise Conflict(f"{path} has changed: its hash is {actual}; read it again")
    for number, edit in enumerate(arguments["edits"], 1):
        occurrences = text.count(edit["old_text"])
        if occurrences != 1:
            raise BadRequest(
                f"Edit {number} of {path}: old_text occurs {occurrences} times, not exactly once"
            )
        text = text.replace(edit["old_text"], edit["new_text"])
    return text

"""Declaration of `session_file_system`."""

from __future__ import annotations

from typing import Any, Final

from common.domain.capability_catalog.entry import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)

MOST_FILES_AT_ONCE: Final = 20
MOST_EDITS: Final = 100

_PATH: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "description": "An absolute path such as /notes/plan.md.",
}


def _tool(name: str, description: str, properties: dict[str, Any], *required: str) -> ToolInfo:
    return ToolInfo(
        name=name,
        display_name=name.replace("_", " ").capitalize(),
        description=description,
        parameters={
            "type": "object",
            "properties": properties,
            "required": list(required),
            "additionalProperties": False,
        },
    )


SESSION_FILE_SYSTEM: Final = CapabilityInfo(
    id="session_file_system",
    name="File System",
    description="Files in the session's workspace: read, write, edit, list, search, delete.",
    status=CapabilityStatus.AVAILABLE,
    icon="folder",
    category="File Operations",
    features=("file_system",),
    risk_level=RiskLevel.MEDIUM,
    tools=(
        _tool(
            "read_file",
            "Read a file. Long files are read in parts: give offset and limit in lines.",
            {
                "path": _PATH,
                "offset": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The first line to read, counted from 1.",
                },
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many lines to read.",
                },
            },
            "path",
        ),
        _tool(
            "read_many_files",
            "Read several files at once; one that cannot be read says why.",
            {
                "paths": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_FILES_AT_ONCE,
                    "items": _PATH,
                }
            },
            "paths",
        ),
        _tool(
            "write_file",
            "Create a file or replace all it holds; missing directories are made.",
            {
                "path": _PATH,
                "content": {"type": "string", "description": "All that the file is to hold."},
                "encoding": {
                    "type": "string",
                    "enum": ["text", "base64"],
                    "description": "How content is written; text when left out.",
                },
            },
            "path",
            "content",
        ),
        _tool(
            "edit_file",
            "Change parts of a text file. Each old_text must occur in it exactly once.",
            {
                "path": _PATH,
                "expected_hash": {
                    "type": "string",
                    "maxLength": 80,
                    "description": "content_hash as last read; a file that changed is refused.",
                },
                "edits": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_EDITS,
                    "description": "Made one after the other.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "old_text": {"type": "string", "minLength": 1},
                            "new_text": {"type": "string"},
                        },
                        "required": ["old_text", "new_text"],
                        "additionalProperties": False,
                    },
                },
            },
            "path",
            "edits",
        ),
        _tool(
            "list_directory",
            "List what a directory holds.",
            {"path": {**_PATH, "description": "An absolute path; / when left out."}},
        ),
        _tool(
            "grep_files",
            "Find lines by a regular expression (RE2) in the text files.",
            {
                "pattern": {"type": "string", "minLength": 1, "maxLength": 1000},
                "path_pattern": {
                    "type": "string",
                    "maxLength": 1000,
                    "description": "A glob for the files to look in, such as *.md or /src/**.",
                },
            },
            "pattern",
        ),
        _tool(
            "delete_file",
            "Delete a file or a directory.",
            {
                "path": _PATH,
                "recursive": {
                    "type": "boolean",
                    "description": "Delete a directory with all it holds.",
                },
            },
            "path",
        ),
        _tool(
            "stat_file",
            "Tell whether a file or directory exists, its size, and when it changed.",
            {"path": _PATH},
            "path",
        ),
    ),
    system_prompt=(
        "You have a workspace of files that outlives this conversation. Paths are absolute and "
        "begin with /. Look with `list_directory`, `read_file`, `read_many_files`, `grep_files` "
        "and `stat_file`; change with `write_file`, `edit_file` and `delete_file`. Read a file "
        "before you edit it. Some files are read-only."
    ),
)

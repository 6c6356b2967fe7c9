"""What a new session's workspace begins with: the files of harness, agent and session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from common.domain.file import decoded, file_path
from common.storage import file_queries, files
from common.storage.engine import Tx
from common.storage.files import Place

InitialFile = Mapping[str, Any]


def merged(*given: Iterable[InitialFile]) -> list[InitialFile]:
    """One file a path: later lists win over earlier ones (harness, agent, session)."""
    by_path = {file_path(each["path"]): each for each in (one for many in given for one in many)}
    return [{**each, "path": path} for path, each in by_path.items()]


def write(tx: Tx, place: Place, given: Iterable[InitialFile]) -> None:
    """Write them, in the transaction of the session; what is there already stays.

    Raises:
        BadRequest: a path or content is malformed.
        Conflict: one stands in the way of another, or they are too many.
        TooLarge: a file is too large.
    """
    for each in given:
        named = place.organization_id, place.workspace_id
        if file_queries.find(tx, *named, each["path"]) is not None:
            continue
        content = decoded(each["content"], each.get("encoding") or "text")
        is_readonly = bool(each.get("is_readonly"))
        files.create(tx, place, each["path"], content, is_readonly=is_readonly)

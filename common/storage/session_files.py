"""What a session hears of changes to its files, and who may still make them.

A change made by a tool stands only if the turn still holds the session: the append is fenced
by the turn's epoch, in the transaction of the change, so that a worker that lost its lease
changes no file either (I3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from common.domain.errors import NotFound
from common.domain.events import EventDraft, EventType
from common.domain.file import FileEntry
from common.event_codec import LoggedEvent
from common.storage import log
from common.storage.engine import Tx
from common.storage.log import Fence

# From the newest on: what is looked for belongs to the turn that is being resumed.
_WRITTEN: Final = text("""
    SELECT e.data FROM events e JOIN sessions s ON s.id = e.session_id
    WHERE e.session_id = :session_id AND s.organization_id = :organization_id
        AND e.type = 'file.written' AND e.context ->> 'tool_call_id' = :tool_call_id
    ORDER BY e.sequence DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes files.

    Attributes:
        session_id: the session that hears of it; None for a shared workspace on its own.
        epoch: the turn's hold on the session; None for a caller of the API.
        context: of the events.
    """

    organization_id: UUID
    session_id: UUID | None = None
    epoch: int | None = None
    context: dict[str, Any] | None = None


def written(entry: FileEntry, *, operation: str, is_new: bool, by: Writer) -> EventDraft:
    """The event that says so: operation `write`, `edit`, `move` or `copy`; no content."""
    data = {
        "path": entry.path,
        "operation": operation,
        "created": is_new,
        "size_bytes": entry.size_bytes,
        "content_hash": entry.content_hash,
    }
    return EventDraft(EventType.FILE_WRITTEN, data, dict(by.context or {}))


def announce(tx: Tx, by: Writer, drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
    """Append to the writer's session, if it has one; the last thing its transaction does.

    Raises:
        NotFound: the session does not exist, or no longer.
        LeaseLost: the turn does not hold the session any more.
    """
    if by.session_id is None or (by.epoch is None and not drafts):
        return []
    epoch = by.epoch
    if epoch is None:
        head = log.lock(tx, by.organization_id, by.session_id)
        if head is None:
            raise NotFound("Session not found")
        epoch = head.epoch
    return log.append(tx, by.session_id, drafts, fence=Fence(epoch))[1]


def find_written(
    tx: Tx, organization_id: UUID, session_id: UUID, tool_call_id: str
) -> dict[str, Any] | None:
    """What the event of a tool call says that changed a file; None when it changed none."""
    data: dict[str, Any] | None = tx.execute(
        _WRITTEN,
        {
            "organization_id": organization_id,
            "session_id": session_id,
            "tool_call_id": tool_call_id,
        },
    ).scalar_one_or_none()
    return data

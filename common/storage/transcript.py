"""The messages of a session as a model is sent them: from the newest back, or from one on.

A turn reads what it sends and no more (I12): it starts at the newest message and stops when
the model's window is full or the point is reached that a summary stands for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from common.domain.events import MESSAGE_TYPES
from common.event_codec import LoggedEvent
from common.storage.engine import Tx
from common.storage.log import PRIVATE_COLUMNS, logged_with_private
from common.storage.prepared import Prepared

# Written out, so that the plan can use the index of messages.
_TYPES: Final = ", ".join(f"'{kind}'" for kind in MESSAGE_TYPES)
# At first so many messages are read.
SLICE: Final = 50
# The newest compaction comes in the same statement: one round trip tells where to stop.
NEWEST: Final = f"""
    (SELECT {PRIVATE_COLUMNS}{{more}} FROM events
     WHERE session_id = :session_id AND type IN ({_TYPES}) {{only}}
     ORDER BY sequence DESC LIMIT :limit)
    UNION ALL
    SELECT {PRIVATE_COLUMNS}{{more}} FROM events
    WHERE session_id = :session_id AND sequence =
        (SELECT compacted_sequence FROM session_heads WHERE session_id = :session_id)
"""
NEWEST_TYPES: Final = {"session_id": "uuid", "limit": "int"}

_NEWEST: Final = Prepared(
    "everturn_newest_messages",
    NEWEST.format(more="", only="AND sequence < :below"),
    below="int",
    **NEWEST_TYPES,
)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest messages of a session.

    Attributes:
        messages: newest first, with their private parts: for the model, not to be shown.
        compaction: what stands for those before it, if anything.
    """

    messages: list[LoggedEvent]
    compaction: LoggedEvent | None


def newest(tx: Tx, session_id: UUID, *, below: int, limit: int) -> Newest:
    """Message events with `sequence < below`."""
    rows = _NEWEST.on(tx, {"session_id": session_id, "below": below, "limit": limit})
    return newest_of(session_id, rows)


def newest_of(session_id: UUID, rows: Iterable[Any]) -> Newest:
    """The rows of `NEWEST`."""
    events = [logged_with_private(session_id, row) for row in rows]
    messages = [event for event in events if event.type in MESSAGE_TYPES]
    compaction = next((event for event in events if event.type not in MESSAGE_TYPES), None)
    return Newest(messages, compaction)

"""The messages of a session as a model is sent them: from the newest back, or from one on.

A turn reads what it sends and no more (I12): it starts at the newest message and stops when
the model's window is full or the point is reached that a summary stands for.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from common.domain.events import MESSAGE_TYPES
from common.event_codec import LoggedEvent
from common.storage.engine import Tx
from common.storage.log import PRIVATE_COLUMNS, logged_with_private
from common.storage.prepared import Prepared

# Written out, so that the plan can use the index of messages.
_TYPES: Final = ", ".join(f"'{kind}'" for kind in MESSAGE_TYPES)
# The newest compaction comes in the same statement: one round trip tells where to stop.
_NEWEST: Final = Prepared(
    "everturn_newest_messages",
    f"""
    (SELECT {PRIVATE_COLUMNS} FROM events
     WHERE session_id = :session_id AND sequence < :below AND type IN ({_TYPES})
     ORDER BY sequence DESC LIMIT :limit)
    UNION ALL
    SELECT {PRIVATE_COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence =
        (SELECT compacted_sequence FROM session_heads WHERE session_id = :session_id)
    """,
    session_id="uuid",
    below="int",
    limit="int",
)


def newest(
    tx: Tx,
    session_id: UUID,
    *,
    below: int,
    limit: int,
) -> tuple[list[LoggedEvent], LoggedEvent | None]:
    """Message events with `sequence < below`, newest first, and the newest compaction, if any.

    With their private parts: for the model, not to be shown.
    """
    rows = _NEWEST.on(tx, {"session_id": session_id, "below": below, "limit": limit})
    events = [logged_with_private(session_id, row) for row in rows]
    messages = [event for event in events if event.type in MESSAGE_TYPES]
    compaction = next((event for event in events if event.type not in MESSAGE_TYPES), None)
    return messages, compaction

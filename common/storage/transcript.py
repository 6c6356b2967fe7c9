"""The messages of a session as a model is sent them: from the newest back, or from one on.

A turn reads what it sends and no more (I12): it starts at the newest message and stops when
the model's window is full or the point is reached that a summary stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from common.domain.events import MESSAGE_TYPES
from common.event_codec import LoggedEvent
from common.storage.engine import Tx
from common.storage.log import PRIVATE_COLUMNS, logged_with_private

# The newest compaction comes in the same statement: one round trip tells where to stop.
_NEWEST: Final = text(f"""
    (SELECT {PRIVATE_COLUMNS} FROM events
     WHERE session_id = :session_id AND sequence < :below AND type = ANY(:types)
     ORDER BY sequence DESC LIMIT :limit)
    UNION ALL
    SELECT {PRIVATE_COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence =
        (SELECT compacted_sequence FROM session_heads WHERE session_id = :session_id)
""")


def newest(
    tx: Tx,
    session_id: UUID,
    *,
    below: int,
    limit: int,
    types: Sequence[str] = MESSAGE_TYPES,
) -> tuple[list[LoggedEvent], LoggedEvent | None]:
    """Message events with `sequence < below`, newest first, and the newest compaction, if any.

    With their private parts: for the model, not to be shown.
    """
    rows = tx.execute(
        _NEWEST, {"session_id": session_id, "below": below, "limit": limit, "types": list(types)}
    )
    events = [logged_with_private(row) for row in rows]
    messages = [event for event in events if event.type in types]
    compaction = next((event for event in events if event.type not in types), None)
    return messages, compaction

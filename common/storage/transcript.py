"""The messages of a session as a model is sent them: from the newest back, or from one on.

A turn reads what it sends and no more (I12): it starts at the newest message and stops when
the model's window is full or the point is reached that a summary stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
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
SLICE: Final = 100
# And never many more than that at once, as they are stored: a message may hold megabytes.
MOST_BYTES: Final = 512 * 1024
# The newest compaction comes in the same statement: one round trip tells where to stop.
NEWEST: Final = f"""
    (SELECT {PRIVATE_COLUMNS}, bytes{{more}} FROM (
        SELECT *, sum(size) OVER (ORDER BY sequence DESC ROWS UNBOUNDED PRECEDING) AS bytes FROM (
            SELECT *, pg_column_size(data) + coalesce(pg_column_size(private), 0) AS size
            FROM events WHERE session_id = :session_id AND type IN ({_TYPES}) {{only}}
            ORDER BY sequence DESC LIMIT :limit
        ) AS newest
     ) AS summed WHERE bytes - size < {MOST_BYTES} ORDER BY sequence DESC)
    UNION ALL
    SELECT {PRIVATE_COLUMNS}, NULL{{more}} FROM events
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
        has_more: whether there may be older ones.
    """

    messages: list[LoggedEvent]
    compaction: LoggedEvent | None
    has_more: bool


def newest(tx: Tx, session_id: UUID, *, below: int, limit: int) -> Newest:
    """Message events with `sequence < below`, so many or as many as are `MOST_BYTES` together."""
    rows = _NEWEST.on(tx, {"session_id": session_id, "below": below, "limit": limit})
    return newest_of(session_id, rows, limit=limit)


def newest_of(session_id: UUID, rows: Sequence[Any], *, limit: int) -> Newest:
    """The rows of `NEWEST`."""
    held = [row for row in rows if row.bytes is not None]
    compaction = next((row for row in rows if row.bytes is None), None)
    return Newest(
        [logged_with_private(session_id, row) for row in held],
        None if compaction is None else logged_with_private(session_id, compaction),
        has_more=len(held) == limit or (bool(held) and held[-1].bytes >= MOST_BYTES),
    )

"""Look-ups in a session's log by everything `GET /events` can ask for.

First the numbers of the events that match, which is cheap, then the events
themselves in slices bounded by their stored size; no answer is held as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from common.domain.events import KNOWN_TYPES, EventType, TypeFilter
from common.event_codec import LoggedEvent
from common.storage import log
from common.storage.engine import Database, Tx
from common.storage.search import contains_pattern

SLICE_EVENTS: Final = 200
# Of stored, possibly compressed, bytes: a slice is a few times as much in memory.
SLICE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events; what is None or empty does not narrow.

    Attributes:
        from_ts: inclusive, as is `to_ts`.
        words: a text that occurs somewhere in the event's data.
    """

    types: TypeFilter = field(default_factory=TypeFilter)
    after_sequence: int = 0
    before_sequence: int | None = None
    from_ts: datetime | None = None
    to_ts: datetime | None = None
    turn_id: str | None = None
    exec_id: str | None = None
    trace_id: str | None = None
    tags: tuple[str, ...] = ()
    tool_name: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands and how many bytes it takes in storage."""

    sequence: int
    stored_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A session's log in numbers.

    Attributes:
        errors: turns that failed or were sealed, and tool calls that failed.
    """

    counts: dict[str, int]
    turns: int
    errors: int
    first_ts: datetime | None
    last_ts: datetime | None


_LAST_SEQUENCE: Final = text("""
    SELECT h.last_sequence FROM session_heads h JOIN sessions s ON s.id = h.session_id
    WHERE s.id = :session_id AND s.organization_id = :organization_id AND s.deleted_at IS NULL
""")

_BODIES: Final = text(f"""
    SELECT {log.COLUMNS} FROM events
    WHERE session_id = :session_id AND sequence = ANY(:sequences)
""")

_SUMMARY: Final = text("""
    SELECT type, count(*) AS number, min(ts) AS first_ts, max(ts) AS last_ts,
        count(*) FILTER (WHERE type IN ('turn.failed', 'turn.sealed')
            OR (type = 'tool.completed' AND data ->> 'success' = 'false')) AS errors
    FROM events WHERE session_id = :session_id GROUP BY type ORDER BY type
""")


def last_sequence(tx: Tx, organization_id: UUID, session_id: UUID) -> int | None:
    """How many events the session has; None when it does not exist."""
    found: int | None = tx.execute(
        _LAST_SEQUENCE, {"session_id": session_id, "organization_id": organization_id}
    ).scalar_one_or_none()
    return found


def find_first(tx: Tx, session_id: UUID, wanted: EventFilter, *, limit: int) -> list[Place]:
    """The places of the first events that match, oldest first."""
    return _find(tx, session_id, wanted, order="sequence", limit=limit)


def find_last(tx: Tx, session_id: UUID, wanted: EventFilter, *, limit: int) -> list[Place]:
    """The places of the last events that match, oldest first."""
    return _find(tx, session_id, wanted, order="sequence DESC", limit=limit)[::-1]


def read(
    database: Database, session_id: UUID, places: Sequence[Place]
) -> Iterator[list[LoggedEvent]]:
    """The events at these places, in their order, slice by slice.

    No connection is held between slices: the reader may be slow.
    """
    for chosen in _slices(places):
        with database.reading() as tx:
            rows = tx.execute(
                _BODIES, {"session_id": session_id, "sequences": [at.sequence for at in chosen]}
            )
            found = {row.sequence: log.logged(session_id, row) for row in rows}
        # Of a session that was just purged nothing is left.
        yield [found[at.sequence] for at in chosen if at.sequence in found]


def summarize(tx: Tx, session_id: UUID) -> Summary:
    """The whole log in numbers; reads all of it, but sends none."""
    rows = list(tx.execute(_SUMMARY, {"session_id": session_id}))
    counts: dict[str, int] = {row.type: row.number for row in rows}
    return Summary(
        counts=counts,
        turns=counts.get(EventType.TURN_STARTED, 0),
        errors=sum(row.errors for row in rows),
        first_ts=min((row.first_ts for row in rows), default=None),
        last_ts=max((row.last_ts for row in rows), default=None),
    )


def _find(tx: Tx, session_id: UUID, wanted: EventFilter, *, order: str, limit: int) -> list[Place]:
    conditions, values = _conditions(wanted)
    where = " AND ".join(["session_id = :session_id", *conditions])
    rows = tx.execute(
        text(
            f"SELECT sequence, pg_column_size(data) AS stored_bytes FROM events"
            f" WHERE {where} ORDER BY {order} LIMIT :limit"
        ),
        {"session_id": session_id, "limit": limit, **values},
    )
    return [Place(row.sequence, row.stored_bytes) for row in rows]


# The conditions that compare with one value, by field of the filter.
_COMPARISONS: Final = {
    "before_sequence": "sequence < :before_sequence",
    "from_ts": "ts >= :from_ts",
    "to_ts": "ts <= :to_ts",
    "turn_id": "context ->> 'turn_id' = :turn_id",
    "exec_id": "context ->> 'exec_id' = :exec_id",
    "trace_id": "context ->> 'trace_id' = :trace_id",
    "tool_name": "(data ->> 'tool_name' = :tool_name OR data #>> '{tool_call,name}' = :tool_name)",
}


def _conditions(wanted: EventFilter) -> tuple[list[str], dict[str, Any]]:
    conditions = ["sequence > :after_sequence"]
    values: dict[str, Any] = {"after_sequence": wanted.after_sequence}
    for name, condition in _COMPARISONS.items():
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(condition)
            values[name] = value
    if wanted.types.types or wanted.types.exclude:
        conditions.append("type = ANY(:types)")
        values["types"] = [known for known in KNOWN_TYPES if wanted.types.admits(known)]
    if wanted.words is not None:
        # As the text would stand inside a JSON string.
        conditions.append("CAST(data AS text) ILIKE :words")
        values["words"] = contains_pattern(orjson.dumps(wanted.words)[1:-1].decode())
    if wanted.tags:
        conditions.append("false")  # no event carries a tag
    return conditions, values


def _slices(places: Sequence[Place]) -> Iterator[list[Place]]:
    chosen: list[Place] = []
    size = 0
    for place in places:
        if chosen and (size + place.stored_bytes > SLICE_BYTES or len(chosen) == SLICE_EVENTS):
            yield chosen
            chosen, size = [], 0
        chosen.append(place)
        size += place.stored_bytes
    if chosen:
        yield chosen

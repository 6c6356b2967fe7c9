"""`GET /events`: which events a query means, written out in slices (contract 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any
from uuid import UUID

from flask import Response

from api.auth import Caller
from api.deps import Deps
from api.endpoint import JSON_TYPE
from api.schemas.events import MOST_EVENTS
from common.domain.cursor import decode_cursor
from common.domain.errors import FieldProblem, InvalidCursor, NotFound
from common.domain.events import TypeFilter
from common.domain.ids import Kind, show_id
from common.storage import event_queries
from common.storage.engine import Tx
from common.storage.event_queries import EventFilter, Place

Query = Mapping[str, Any]


def list_events(deps: Deps, caller: Caller, session_id: UUID, query: Query) -> Response:
    """The events that a query asks for.

    Without a forward cursor a limit means the last ones, with one the first after it;
    `order_desc` turns round what was found, not what is looked for.

    Raises:
        NotFound: there is no such session.
        InvalidCursor: `since_id` or `around` is no event of it.
    """
    with deps.database.reading() as tx:
        total = event_queries.last_sequence(tx, caller.organization_id, session_id)
        if total is None:
            raise NotFound("Session not found")
        places = _find(tx, session_id, query, total)
    if query["order_desc"]:
        places.reverse()
    response = _written(deps, session_id, places, total)
    if not _goes_forward(query) and query["around"] is None:
        response.headers["X-Total-Count"] = str(total)
    return response


def _find(tx: Tx, session_id: UUID, query: Query, total: int) -> list[Place]:
    if query["around"] is not None:
        return _find_around(tx, session_id, query, total)
    wanted = _filter(query, after=_after(session_id, query), before=query["before_sequence"])
    limit = query["limit"] or MOST_EVENTS
    search = event_queries.find_first if _goes_forward(query) else event_queries.find_last
    return search(tx, session_id, wanted, limit=limit)


def _find_around(tx: Tx, session_id: UUID, query: Query, total: int) -> list[Place]:
    middle = _sequence(session_id, query, "around")
    if middle > total:
        raise _unknown("around", "Unknown event id")
    window = query["window"]
    before = _filter(query, after=0, before=middle)
    from_middle = _filter(query, after=middle - 1, before=None)
    earlier = event_queries.find_last(tx, session_id, before, limit=window) if window else []
    return earlier + event_queries.find_first(tx, session_id, from_middle, limit=window + 1)


def _goes_forward(query: Query) -> bool:
    return query["since_id"] is not None or query["after_sequence"] is not None


def _after(session_id: UUID, query: Query) -> int:
    if query["since_id"] is not None:
        return _sequence(session_id, query, "since_id")
    return query["after_sequence"] or 0


def _sequence(session_id: UUID, query: Query, name: str) -> int:
    try:
        return decode_cursor(session_id, query[name]).sequence
    except InvalidCursor as unknown:
        raise _unknown(name, unknown.message) from unknown


def _unknown(name: str, message: str) -> InvalidCursor:
    return InvalidCursor(f"{name}: {message}", problems=(FieldProblem(name, message),))


def _filter(query: Query, *, after: int, before: int | None) -> EventFilter:
    turn_id, exec_id = query["turn_id"], query["exec_id"]
    return EventFilter(
        types=TypeFilter(query["types"], query["excluded"]),
        after_sequence=after,
        before_sequence=before,
        from_ts=query["from_ts"],
        to_ts=query["to_ts"],
        turn_id=turn_id and show_id(Kind.TURN, turn_id),
        exec_id=exec_id and show_id(Kind.EXEC, exec_id),
        trace_id=query["trace_id"],
        tags=query["tags"],
        tool_name=query["tool_name"],
        words=query["q"],
    )


def _written(deps: Deps, session_id: UUID, places: list[Place], total: int) -> Response:
    slices = event_queries.read(deps.database, session_id, places)
    # Read before anything is sent, so that a fault is still an answer.
    first = next(slices, [])
    events = (event.to_bytes() for found in chain([first], slices) for event in found)
    pieces = chain([b'{"data":['], _separated(events), [b'],"total":%d}' % total])
    if len(first) == len(places):
        return Response(b"".join(pieces), content_type=JSON_TYPE)
    return Response(pieces, content_type=JSON_TYPE)


def _separated(values: Iterator[bytes]) -> Iterator[bytes]:
    for position, value in enumerate(values):
        yield value if position == 0 else b"," + value

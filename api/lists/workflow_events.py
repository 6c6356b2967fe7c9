"""`GET /durable/workflows/{id}/events`: a turn's part of its session's log, in slices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import orjson
from flask import Response

from api.deps import Deps
from api.endpoint import JSON_TYPE
from common.domain.events import EventType, TypeFilter
from common.domain.ids import Kind, show_id
from common.domain.turn import TurnStatus
from common.event_codec import LoggedEvent, show_time
from common.storage import event_queries
from common.storage.event_queries import EventFilter
from common.storage.turn_lists import ListedTurn


def list_workflow_events(deps: Deps, listed: ListedTurn, *, after: int, limit: int) -> Response:
    """The turn's events after this sequence, oldest first."""
    turn = listed.turn
    shown = show_id(Kind.TURN, turn.id)
    wanted = EventFilter(turn_id=shown, after_sequence=max(after, listed.input_sequence - 1))
    with deps.database.reading() as tx:
        places = event_queries.find_first(tx, turn.session_id, wanted, limit=limit)
    slices = event_queries.read(deps.database, turn.session_id, places)
    # Read before anything is sent, so that a fault is still an answer.
    first = next(slices, [])
    events = (_written(event, shown) for found in chain([first], slices) for event in found)
    pieces = chain([b'{"data":['], _separated(events), [b"]}"])
    if len(first) == len(places):
        return Response(b"".join(pieces), content_type=JSON_TYPE)
    return Response(pieces, content_type=JSON_TYPE)


def _written(event: LoggedEvent, workflow_id: str) -> bytes:
    return orjson.dumps(
        {
            "id": event.id,
            "workflow_id": workflow_id,
            "sequence_num": event.sequence,
            "event_type": event.type,
            "event_data": orjson.Fragment(event.data_json),
            "created_at": show_time(event.ts),
        }
    )


def _separated(values: Iterator[bytes]) -> Iterator[bytes]:
    for position, value in enumerate(values):
        yield value if position == 0 else b"," + value


def failure_of(deps: Deps, listed: ListedTurn) -> str | None:
    """Why the turn failed, as its own event says; None for one that did not."""
    turn = listed.turn
    if turn.status is not TurnStatus.FAILED:
        return None
    wanted = EventFilter(
        types=TypeFilter((EventType.TURN_FAILED,)),
        turn_id=show_id(Kind.TURN, turn.id),
        after_sequence=listed.input_sequence,
    )
    with deps.database.reading() as tx:
        places = event_queries.find_first(tx, turn.session_id, wanted, limit=1)
    for (event,) in event_queries.read(deps.database, turn.session_id, places):
        data = event.data
        return str(data.get("error_fields", {}).get("reason") or data["error_code"])
    return None

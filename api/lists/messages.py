"""Lists of messages, written out in slices so that none is held as a whole (I11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final
from uuid import UUID

import orjson
from flask import Response

from api.auth import Caller
from api.deps import Deps
from api.endpoint import JSON_TYPE, json_response
from api.schemas.projection import in_call_order, show_line, show_message
from api.schemas.shared import DEFAULT_PAGE, LARGEST_PAGE
from common.domain.errors import NotFound
from common.domain.ids import Kind, show_id
from common.event_codec import LoggedEvent
from common.storage import messages
from common.storage.messages import MessageCount

# This many messages are read before anything is sent, so that a fault is still an answer.
_FIRST: Final = messages.SLICE


def list_all(deps: Deps, caller: Caller, session_id: UUID) -> Response:
    """Every message, the results of an act in the order of its calls."""
    count = _count(deps, caller, session_id)
    events = in_call_order(
        messages.read_all(deps.database, session_id, through=count.last_sequence)
    )
    shown = (orjson.dumps(show_message(event, caller.dialect)) for event in events)
    return _streamed(
        chain([b'{"data":['], _separated(shown), [b'],"total":%d}' % count.total]), JSON_TYPE
    )


def list_page(deps: Deps, caller: Caller, session_id: UUID, query: Mapping[str, Any]) -> Response:
    """A page by key or by offset, in the order of the log: a cursor is a sequence."""
    count = _count(deps, caller, session_id)
    limit = min(query["limit"] or DEFAULT_PAGE, LARGEST_PAGE)
    offset, below = query["offset"] or 0, count.last_sequence + 1
    with deps.database.reading() as tx:
        if query["before_sequence"] is not None:
            below = min(below, query["before_sequence"])
            events = messages.read_last(tx, session_id, after=0, below=below, limit=limit)
        else:
            after = query["after_sequence"] or 0
            events = messages.read_page(
                tx, session_id, after=after, below=below, offset=offset, limit=limit
            )
    return json_response(
        {
            "data": [show_message(event, caller.dialect) for event in events],
            "total": count.total,
            "offset": offset,
            "limit": limit,
        }
    )


def export(deps: Deps, caller: Caller, session_id: UUID) -> Response:
    """Every message as a line of JSON."""
    count = _count(deps, caller, session_id)
    events: Iterable[LoggedEvent] = in_call_order(
        messages.read_all(deps.database, session_id, through=count.last_sequence)
    )
    lines = (show_line(event, caller.dialect) for event in events)
    response = _streamed(lines, "application/x-ndjson")
    name = f"{show_id(Kind.SESSION, session_id)}.jsonl"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _count(deps: Deps, caller: Caller, session_id: UUID) -> MessageCount:
    with deps.database.reading() as tx:
        count = messages.count(tx, caller.organization_id, session_id)
    if count is None:
        raise NotFound("Session not found")
    return count


def _streamed(pieces: Iterator[bytes], content_type: str) -> Response:
    first = list(islice(pieces, 2 * _FIRST))
    if len(first) < 2 * _FIRST:
        return Response(b"".join(first), content_type=content_type)
    return Response(chain([b"".join(first)], pieces), content_type=content_type)


def _separated(values: Iterator[bytes]) -> Iterator[bytes]:
    for position, value in enumerate(values):
        yield value if position == 0 else b"," + value

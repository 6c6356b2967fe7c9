"""Events of a session: look them up, and count them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.endpoint import Answer, Call, Contract, endpoint
from api.errors import Misdirected
from api.lists import events as event_lists
from api.schemas.events import (
    EventListQuery,
    EventListSchema,
    EventSummarySchema,
    StreamQuery,
)
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.event_codec import show_optional_time
from common.storage import event_queries

blueprint = APIBlueprint("events", __name__, url_prefix="/v1")


@blueprint.get("/sessions/<session_id>/events")
@endpoint(
    Contract(
        summary="List events",
        scope=Scope.SESSIONS_READ,
        description="Without a forward cursor `limit` means the last events, with one the"
        " first after it; at most 1000.",
        query=EventListQuery(),
        returns=EventListSchema(),
        fails=(404, 503),
    )
)
def list_events(call: Call[None, dict[str, Any]], session_id: UUID) -> Response:
    """Look events up by cursor, type, time, turn or content."""
    return event_lists.list_events(call.deps, call.caller, session_id, call.query)


@blueprint.get("/sessions/<session_id>/events/summary")
@endpoint(
    Contract(
        summary="Count events",
        scope=Scope.SESSIONS_READ,
        returns=EventSummarySchema(),
        fails=(404, 503),
    )
)
def summarize_events(call: Call[None, None], session_id: UUID) -> Answer:
    """Count the session's events by type."""
    with call.deps.database.reading() as tx:
        total = event_queries.last_sequence(tx, call.caller.organization_id, session_id)
        if total is None:
            raise NotFound("Session not found")
        summary = event_queries.summarize(tx, session_id)
    return {
        "total": sum(summary.counts.values()),
        "by_type": [{"event_type": name, "count": count} for name, count in summary.counts.items()],
        "first_ts": show_optional_time(summary.first_ts),
        "last_ts": show_optional_time(summary.last_ts),
        "turn_count": summary.turns,
        "error_count": summary.errors,
    }


@blueprint.get("/sessions/<session_id>/sse")
@endpoint(
    Contract(
        summary="Stream events",
        scope=Scope.SESSIONS_READ,
        description="Server-sent events from a cursor, or from the newest turn, on. Served by"
        " the stream process.",
        query=StreamQuery(),
        content_type="text/event-stream",
        fails=(404, 429, 503),
    )
)
def stream_events(_call: Call[None, dict[str, Any]], session_id: UUID) -> Answer:  # noqa: ARG001
    """Stream events; this process is never asked when the proxy is set up rightly."""
    raise Misdirected("Event streams are served by the stream process, not by this one")

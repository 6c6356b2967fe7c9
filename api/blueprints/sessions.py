"""Sessions: create, find, change, delete; cancel, pin, export."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.endpoint import Answer, Call, Contract, endpoint
from api.errors import NotBuilt
from api.lists import messages as message_lists
from api.schemas.sessions import (
    CancelSchema,
    ChatSchema,
    ExportQuery,
    ForkSchema,
    NewSessionSchema,
    SessionListQuery,
    SessionListSchema,
    SessionPatchSchema,
    SessionSchema,
    SessionStatsSchema,
    show_counts,
    show_session,
)
from api.schemas.shared import page, page_limit
from api.use_cases.cancel_turn import CANCELLED, cancel_turn
from api.use_cases.create_session import create_session as create
from api.use_cases.delete_session import delete_session as delete
from api.use_cases.fork_session import fork_session
from api.use_cases.open_chat import open_chat
from api.use_cases.pin_session import pin_session, unpin_session
from api.use_cases.update_session import update_session as update
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.domain.session import ForkChanges, SessionConfig, SessionPatch
from common.storage import sessions

blueprint = APIBlueprint("sessions", __name__, url_prefix="/v1")

_TEXT_OF = {True: "Turn cancelled", False: "Nothing to cancel"}


@blueprint.post("/sessions")
@endpoint(
    Contract(
        summary="Create a session",
        scope=Scope.SESSIONS_WRITE,
        status=201,
        takes=NewSessionSchema(),
        returns=SessionSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_session(call: Call[SessionConfig, None]) -> Answer:
    """Create a session, with or without an agent; every field is optional."""
    return show_session(create(call.deps, call.caller, call.body, call.key))


@blueprint.get("/sessions")
@endpoint(
    Contract(
        summary="List sessions",
        scope=Scope.SESSIONS_READ,
        query=SessionListQuery(),
        returns=SessionListSchema(),
        fails=(404, 503),
    )
)
def list_sessions(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of sessions, newest first."""
    return list_page(call)


def list_page(call: Call[None, dict[str, Any]]) -> dict[str, Any]:
    """The page that a query asks for."""
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found, total = sessions.find_page(
            tx,
            call.caller.organization_id,
            principal_id=call.caller.principal_id,
            agent_id=call.query["agent_id"],
            search=call.query["search"],
            offset=offset,
            limit=limit,
        )
    return page([show_session(one) for one in found], total=total, offset=offset, limit=limit)


@blueprint.get("/sessions/stats")
@endpoint(
    Contract(
        summary="Count sessions",
        scope=Scope.SESSIONS_READ,
        returns=SessionStatsSchema(),
        fails=(404, 503),
    )
)
def count_sessions(call: Call[None, None]) -> Answer:
    """Count the organization's sessions by status."""
    with call.deps.database.reading() as tx:
        return show_counts(sessions.count_by_status(tx, call.caller.organization_id))


@blueprint.post("/sessions/chat")
@endpoint(
    Contract(
        summary="Open the caller's chat session",
        scope=Scope.SESSIONS_WRITE,
        description="The one that there is, or a new one.",
        takes=ChatSchema(),
        returns=SessionSchema(),
        fails=(404, 422, 503),
    )
)
def open_chat_session(call: Call[dict[str, Any], None]) -> Answer:
    """Find the caller's chat session, or make it."""
    return show_session(open_chat(call.deps, call.caller, locale=call.body["locale"], key=call.key))


@blueprint.post("/sessions/<session_id>/fork")
@endpoint(
    Contract(
        summary="Fork a session",
        scope=Scope.SESSIONS_WRITE,
        description="A new session with a copy of configuration, events and files, that goes its"
        " own way. `up_to_sequence`, the last event of a turn, leaves out what came later;"
        " files are copied as they are now.",
        status=201,
        takes=ForkSchema(),
        returns=SessionSchema(),
        fails=(404, 409, 422, 503),
    )
)
def fork(call: Call[ForkChanges, None], session_id: UUID) -> Answer:
    """Make a new session with the same past."""
    return show_session(fork_session(call.deps, call.caller, session_id, call.body, call.key))


@blueprint.get("/sessions/<session_id>")
@endpoint(
    Contract(
        summary="Get a session",
        scope=Scope.SESSIONS_READ,
        returns=SessionSchema(),
        fails=(404, 503),
    )
)
def get_session(call: Call[None, None], session_id: UUID) -> Answer:
    """Get one session."""
    with call.deps.database.reading() as tx:
        found = sessions.find(
            tx,
            call.caller.organization_id,
            session_id,
            principal_id=call.caller.principal_id,
        )
    if found is None:
        raise NotFound("Session not found")
    return show_session(found)


@blueprint.patch("/sessions/<session_id>")
@endpoint(
    Contract(
        summary="Change a session",
        scope=Scope.SESSIONS_WRITE,
        takes=SessionPatchSchema(),
        returns=SessionSchema(),
        fails=(404, 503),
    )
)
def update_session(call: Call[SessionPatch, None], session_id: UUID) -> Answer:
    """Change title, locale or tags; what is absent stays."""
    return show_session(update(call.deps, call.caller, session_id, call.body))


@blueprint.delete("/sessions/<session_id>")
@endpoint(
    Contract(summary="Delete a session", scope=Scope.SESSIONS_WRITE, status=204, fails=(404, 503))
)
def delete_session(call: Call[None, None], session_id: UUID) -> Answer:
    """Delete the session and everything under it; a running turn is cancelled."""
    delete(call.deps, call.caller, session_id)
    return None


@blueprint.post("/sessions/<session_id>/cancel")
@endpoint(
    Contract(
        summary="Cancel the running turn",
        scope=Scope.SESSIONS_WRITE,
        returns=CancelSchema(),
        fails=(404, 422, 503),
    )
)
def cancel_session(call: Call[None, None], session_id: UUID) -> Answer:
    """Cancel what the session is doing; nothing happens when it is idle."""
    status = cancel_turn(call.deps, call.caller, session_id, call.key)
    return {"status": status, "message": _TEXT_OF[status == CANCELLED]}


@blueprint.put("/sessions/<session_id>/pin")
@endpoint(
    Contract(summary="Pin a session", scope=Scope.SESSIONS_WRITE, status=204, fails=(404, 503))
)
def pin(call: Call[None, None], session_id: UUID) -> Answer:
    """Pin the session for the caller."""
    pin_session(call.deps, call.caller, session_id)
    return None


@blueprint.delete("/sessions/<session_id>/pin")
@endpoint(
    Contract(summary="Unpin a session", scope=Scope.SESSIONS_WRITE, status=204, fails=(404, 503))
)
def unpin(call: Call[None, None], session_id: UUID) -> Answer:
    """Take the caller's pin away."""
    unpin_session(call.deps, call.caller, session_id)
    return None


@blueprint.get("/sessions/<session_id>/export")
@endpoint(
    Contract(
        summary="Export a session's messages",
        scope=Scope.SESSIONS_READ,
        query=ExportQuery(),
        content_type="application/x-ndjson",
        fails=(404, 501, 503),
    )
)
def export_session(call: Call[None, dict[str, Any]], session_id: UUID) -> Response:
    """Export the messages, one JSON object a line."""
    if call.query["format"] == "atif":
        raise NotBuilt("The atif format is not built yet")
    return message_lists.export(call.deps, call.caller, session_id)

"""Messages of a session: post one, list them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.endpoint import Answer, Call, Contract, endpoint
from api.lists.messages import list_all, list_page
from api.schemas.messages import (
    MessageListQuery,
    MessageListSchema,
    MessageSchema,
    NewMessage,
    NewMessageSchema,
)
from api.schemas.projection import show_message
from api.use_cases.submit_message import submit_message
from common.domain.access import Scope

blueprint = APIBlueprint("messages", __name__, url_prefix="/v1")


@blueprint.post("/sessions/<session_id>/messages")
@endpoint(
    Contract(
        summary="Send a message",
        scope=Scope.SESSIONS_WRITE,
        description="Answers at once; the turn that it starts is seen as events.",
        status=201,
        takes=NewMessageSchema(),
        needs_body=True,
        returns=MessageSchema(),
        fails=(404, 413, 422, 503),
    )
)
def create_message(call: Call[NewMessage, None], session_id: UUID) -> Answer:
    """Store the message and start a turn, or steer the one that runs."""
    event = submit_message(call.deps, call.caller, session_id, call.body, call.key)
    return show_message(event, call.caller.dialect)


@blueprint.get("/sessions/<session_id>/messages")
@endpoint(
    Contract(
        summary="List messages",
        scope=Scope.SESSIONS_READ,
        description="All of them, oldest first; with `limit` a page of at most 100.",
        query=MessageListQuery(),
        returns=MessageListSchema(),
        fails=(404, 503),
    )
)
def list_messages(call: Call[None, dict[str, Any]], session_id: UUID) -> Response:
    """Project the log's messages."""
    is_paged = any(value is not None for value in call.query.values())
    if is_paged:
        return list_page(call.deps, call.caller, session_id, call.query)
    return list_all(call.deps, call.caller, session_id)

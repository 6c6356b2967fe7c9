"""The Agent Execution API: one agent's sessions and nothing else, for applications.

`/channels/{agent}/sessions/{id}/…` is `/sessions/{id}/…`, if the session is that agent's and
the caller's own: with an `End-User` header, that end user's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Final
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from api.auth import Caller
from api.blueprints import events, sessions, waiting
from api.deps import current_deps
from api.endpoint import (
    Answer,
    Call,
    Contract,
    contract_of,
    current_caller,
    endpoint,
    read_argument,
)
from api.errors import NotBuilt
from api.schemas.channels import (
    CardSchema,
    ChannelMessageSchema,
    ChannelPageQuery,
    ChannelSessionListSchema,
    ChannelSessionSchema,
    ChannelSessionViewSchema,
    show_card,
    show_channel_session,
    show_page_token,
)
from api.schemas.messages import NewMessage, NewMessageSchema
from api.schemas.projection import show_message
from api.schemas.shared import LARGEST_PAGE
from api.use_cases.create_session import create_session
from api.use_cases.submit_message import submit_message
from common.domain.access import Scope
from common.domain.agent import Agent, AgentRef
from common.domain.end_user import HEADER, end_user_principal
from common.domain.errors import Conflict, NotFound
from common.domain.ids import Kind, show_id
from common.domain.session import SessionConfig
from common.storage import agents, channel_sessions
from common.storage import sessions as stored_sessions
from common.storage.engine import Tx

blueprint = APIBlueprint("channels", __name__, url_prefix="/v1/channels")

# What is served as below /sessions, once it is clear whose session it is.
_FLAT: Final[tuple[tuple[str, str, Callable[..., Any]], ...]] = (
    ("POST", "/cancel", sessions.cancel_session),
    ("GET", "/events", events.list_events),
    ("GET", "/sse", events.stream_events),
    ("POST", "/tool-approvals", waiting.decide_tool_calls),
)


@blueprint.get("/<channel>")
@endpoint(
    Contract(
        summary="Get an agent's card",
        scope=Scope.CHANNELS_USE,
        description="The channel is the id or the name of an agent.",
        returns=CardSchema(),
        fails=(404, 503),
    )
)
def get_card(call: Call[None, None], channel: AgentRef) -> Answer:
    """Tell an application what the agent is and takes."""
    with call.deps.database.reading() as tx:
        agent = _agent(tx, call.caller, channel)
    return show_card(agent, base=request.path.rstrip("/"))


@blueprint.post("/<channel>/sessions")
@endpoint(
    Contract(
        summary="Create a session of the agent",
        scope=Scope.CHANNELS_USE,
        status=201,
        takes=ChannelSessionSchema(),
        returns=ChannelSessionViewSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_channel_session(call: Call[dict[str, Any], None], channel: AgentRef) -> Answer:
    """Create a session of the agent, the caller's own."""
    caller = _acting(call.caller)
    with call.deps.database.reading() as tx:
        agent = _agent(tx, caller, channel)
    config = SessionConfig(agent_id=agent.id, title=call.body["title"])
    scope = f"{agent.id}/{caller.principal_id}"
    key = None if call.key is None else replace(call.key, scope=scope)
    return show_channel_session(create_session(call.deps, caller, config, key))


@blueprint.get("/<channel>/sessions")
@endpoint(
    Contract(
        summary="List the caller's sessions with the agent",
        scope=Scope.CHANNELS_USE,
        query=ChannelPageQuery(),
        returns=ChannelSessionListSchema(),
        fails=(404, 503),
    )
)
def list_channel_sessions(call: Call[None, dict[str, Any]], channel: AgentRef) -> Answer:
    """List a page of sessions, most recently active first."""
    caller = _acting(call.caller)
    limit = min(call.query["limit"], LARGEST_PAGE)
    with call.deps.database.reading() as tx:
        agent = _agent(tx, caller, channel)
        places = channel_sessions.find_page(
            tx,
            caller.organization_id,
            agent_id=agent.id,
            principal_id=caller.principal_id,
            after=call.query["page_token"],
            limit=limit + 1,
        )
        found = [_find(tx, caller, place.session_id) for place in places[:limit]]
    is_last = len(places) <= limit
    return {
        "data": found,
        "next_page_token": None if is_last else show_page_token(places[limit - 1]),
    }


@blueprint.get("/<channel>/sessions/<session_id>")
@endpoint(
    Contract(
        summary="Get a session of the agent",
        scope=Scope.CHANNELS_USE,
        returns=ChannelSessionViewSchema(),
        fails=(404, 503),
    )
)
def get_channel_session(call: Call[None, None], channel: AgentRef, session_id: UUID) -> Answer:
    """Get one of the caller's sessions, with what it waits for."""
    caller = _acting(call.caller)
    with call.deps.database.reading() as tx:
        _check(tx, caller, channel, session_id)
        return _find(tx, caller, session_id)


@blueprint.post("/<channel>/sessions/<session_id>/messages")
@endpoint(
    Contract(
        summary="Send a message to the agent",
        scope=Scope.CHANNELS_USE,
        description="Starts a turn or steers the one under way; `turn_id` says which.",
        status=201,
        takes=NewMessageSchema(),
        needs_body=True,
        returns=ChannelMessageSchema(),
        fails=(404, 413, 422, 503),
    )
)
def create_channel_message(
    call: Call[NewMessage, None], channel: AgentRef, session_id: UUID
) -> Answer:
    """Store the message and start a turn, or steer the one that runs."""
    caller = _acting(call.caller)
    with call.deps.database.reading() as tx:
        _check(tx, caller, channel, session_id)
    key = None if call.key is None else replace(call.key, scope=str(session_id))
    event = submit_message(call.deps, caller, session_id, call.body, key)
    with call.deps.database.reading() as tx:
        turn_id = channel_sessions.turn_of(tx, session_id, event.sequence)
    shown = None if turn_id is None else show_id(Kind.TURN, turn_id)
    return {**show_message(event, caller.dialect), "turn_id": shown}


@blueprint.post("/<channel>/sessions/<session_id>/question-answers")
@endpoint(
    Contract(
        summary="Answer an agent's questions",
        scope=Scope.CHANNELS_USE,
        takes_text=True,
        fails=(404, 409, 422, 503),
    )
)
def answer_questions(call: Call[bytes, None], channel: AgentRef, session_id: UUID) -> Answer:
    """Refuse: no tool of this release asks the user anything."""
    caller = _acting(call.caller)
    with call.deps.database.reading() as tx:
        _check(tx, caller, channel, session_id)
    raise Conflict("The session has asked no questions")


@blueprint.post("/<channel>/runtime-auth")
@endpoint(
    Contract(
        summary="Mint a runtime token",
        scope=Scope.CHANNELS_USE,
        takes_text=True,
        fails=(404, 501, 503),
    )
)
def create_runtime_token(call: Call[bytes, None], channel: AgentRef) -> Answer:
    """Refuse: tokens come with authentication, which is not built yet."""
    with call.deps.database.reading() as tx:
        _agent(tx, call.caller, channel)
    raise NotBuilt("Runtime tokens are not built yet")


def _below_channel(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def nested(channel: str, session_id: str) -> Response:
        caller = _acting(current_caller())
        ref = read_argument("channel", channel)
        with current_deps().database.reading() as tx:
            _check(tx, caller, ref, read_argument("session_id", session_id))
        return view(session_id=session_id)

    # The document names operations after views.
    nested.__name__ = f"channel_{view.__name__}"
    flat = contract_of(view)
    if flat is None:
        raise AssertionError("only views with a contract are served below a channel")
    vars(nested)["contract"] = replace(flat, scope=Scope.CHANNELS_USE)
    return nested


def _acting(caller: Caller) -> Caller:
    """The caller, or the end user that it speaks for."""
    principal_id = end_user_principal(
        caller.organization_id, caller.principal_id, request.headers.get(HEADER)
    )
    return replace(caller, principal_id=principal_id)


def _agent(tx: Tx, caller: Caller, ref: AgentRef) -> Agent:
    found = agents.find(tx, caller.organization_id, ref)
    if found is None or caller.agent_id not in (None, found.id):
        raise NotFound("Agent not found")
    return found


def _check(tx: Tx, caller: Caller, ref: AgentRef, session_id: UUID) -> None:
    is_theirs = channel_sessions.belongs(
        tx,
        caller.organization_id,
        session_id,
        agent_id=_agent(tx, caller, ref).id,
        principal_id=caller.principal_id,
    )
    if not is_theirs:
        raise NotFound("Session not found")


def _find(tx: Tx, caller: Caller, session_id: UUID) -> dict[str, Any]:
    found = stored_sessions.find(
        tx, caller.organization_id, session_id, principal_id=caller.principal_id
    )
    if found is None:
        raise NotFound("Session not found")
    return show_channel_session(found)


for _method, _path, _view in _FLAT:
    blueprint.add_url_rule(
        f"/<channel>/sessions/<session_id>{_path}",
        f"{_method.lower()}_{_view.__name__}",
        _below_channel(_view),
        methods=[_method],
    )

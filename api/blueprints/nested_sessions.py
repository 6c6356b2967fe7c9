"""The older spelling of every session route, below the session's agent (contract 3.3).

`/agents/{agent}/sessions/{id}/…` is `/sessions/{id}/…`, if the session is that agent's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response

from api.blueprints import diagnosis, events, files, messages, session_storage, sessions, waiting
from api.deps import current_deps
from api.endpoint import Answer, Call, Contract, current_caller, endpoint, read_argument
from api.schemas.sessions import NewSessionSchema, SessionListQuery, SessionSchema, show_session
from api.use_cases.create_session import create_session
from common.domain.access import Scope
from common.domain.agent import Agent, AgentRef
from common.domain.errors import NotFound
from common.domain.session import SessionConfig
from common.storage import agents
from common.storage import sessions as stored_sessions

blueprint = APIBlueprint(
    "nested_sessions", __name__, url_prefix="/v1/agents/<agent>", enable_openapi=False
)

_FLAT: Final[tuple[tuple[str, str, Callable[..., Any]], ...]] = (
    ("GET", "", sessions.get_session),
    ("PATCH", "", sessions.update_session),
    ("DELETE", "", sessions.delete_session),
    ("POST", "/cancel", sessions.cancel_session),
    ("POST", "/fork", sessions.fork),
    ("PUT", "/pin", sessions.pin),
    ("DELETE", "/pin", sessions.unpin),
    ("GET", "/export", sessions.export_session),
    ("POST", "/messages", messages.create_message),
    ("GET", "/messages", messages.list_messages),
    ("GET", "/events", events.list_events),
    ("GET", "/events/summary", events.summarize_events),
    ("GET", "/sse", events.stream_events),
    ("GET", "/diagnosis", diagnosis.diagnose_session),
    ("GET", "/storage/keys", session_storage.list_values),
    ("GET", "/storage/secrets", session_storage.list_secrets),
    ("PUT", "/storage/secrets", session_storage.set_secrets),
    ("POST", "/tool-results", waiting.create_tool_results),
    ("POST", "/tool-approvals", waiting.decide_tool_calls),
    *files.SESSION_ROUTES,
)


@blueprint.post("/sessions")
@endpoint(
    Contract(
        summary="Create a session",
        scope=Scope.SESSIONS_WRITE,
        status=201,
        takes=NewSessionSchema(),
        returns=SessionSchema(),
    )
)
def create(call: Call[SessionConfig, None], agent: AgentRef) -> Answer:
    """Create a session of the agent in the path."""
    owner = _agent(agent)
    config = replace(call.body, agent_id=owner.id, agent_name=None)
    key = None if call.key is None else replace(call.key, scope=str(owner.id))
    return show_session(create_session(call.deps, call.caller, config, key))


@blueprint.get("/sessions")
@endpoint(Contract(summary="List sessions", scope=Scope.SESSIONS_READ, query=SessionListQuery()))
def list_of_agent(call: Call[None, dict[str, Any]], agent: AgentRef) -> Answer:
    """List the sessions of the agent in the path."""
    query = {**call.query, "agent_id": _agent(agent).id}
    return sessions.list_page(replace(call, query=query))


def _below_agent(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def nested(agent: str, session_id: str, **arguments: str) -> Response:
        owner = _agent(read_argument("agent", agent))
        with current_deps().database.reading() as tx:
            actual = stored_sessions.agent_of(
                tx, current_caller().organization_id, read_argument("session_id", session_id)
            )
        if actual != owner.id:
            raise NotFound("Session not found")
        return view(session_id=session_id, **arguments)

    return nested


def _agent(ref: AgentRef) -> Agent:
    with current_deps().database.reading() as tx:
        found = agents.find(tx, current_caller().organization_id, ref)
    if found is None:
        raise NotFound("Agent not found")
    return found


for _method, _path, _view in _FLAT:
    blueprint.add_url_rule(
        f"/sessions/<session_id>{_path}",
        f"{_method.lower()}_{_view.__name__}",
        _below_agent(_view),
        methods=[_method],
    )

"""Create a session: its row, its head and the first event of its log, in one transaction."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.use_cases.granted_servers import check_granted
from common.domain.agent import Agent, AgentRef, AgentStatus, agent_ref
from common.domain.errors import Conflict, NotFound
from common.domain.events import EventDraft, EventType
from common.domain.ids import GENERIC_HARNESS, Kind, show_id
from common.domain.session import Session, SessionConfig
from common.domain.workspace import WorkspaceStatus
from common.event_codec import LoggedEvent
from common.storage import (
    agents,
    harness_chain,
    idempotency,
    initial_files,
    log,
    sessions,
    workspaces,
)
from common.storage.engine import Tx
from common.storage.files import Place
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Fence


def create_session(
    deps: Deps, caller: Caller, config: SessionConfig, key: IdempotencyKey | None
) -> Session:
    """Create a session and return it.

    Raises:
        NotFound: the agent, harness or workspace that it names does not exist.
        Conflict: the agent or the workspace is archived, or initial files exclude each other.
        IdempotencyKeyReused: the key came with another body.
    """
    session_id, first, event = deps.new_id(), None, None
    with deps.database.transaction() as tx:
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=session_id.hex, status_code=HTTPStatus.CREATED
            )
        if first is not None:
            session_id = UUID(first.resource_id)
        else:
            event = insert_session(tx, caller, session_id, config)
        session = sessions.find(
            tx, caller.organization_id, session_id, principal_id=caller.principal_id
        )
        if session is None:
            raise NotFound("Session not found")
    if event is not None:
        deps.live.publish(session_id, [event])
    return session


def insert_session(tx: Tx, caller: Caller, session_id: UUID, config: SessionConfig) -> LoggedEvent:
    """Make the session with what it begins with; its first event, to be published."""
    organization_id = caller.organization_id
    agent = _agent(tx, organization_id, config)
    harness_id = _harness(tx, organization_id, config, agent)
    check_granted(tx, organization_id, config.capabilities)
    workspace_id = _workspace(tx, organization_id, session_id, config)
    sessions.insert(
        tx,
        organization_id,
        session_id,
        config,
        agent_id=agent.id if agent else None,
        harness_id=harness_id,
        workspace_id=workspace_id,
        principal_id=caller.principal_id,
    )
    given = initial_files.merged(
        harness_chain.of_harness(tx, organization_id, harness_id).initial_files,
        agent.config.initial_files if agent else (),
        config.initial_files,
    )
    initial_files.write(tx, Place(organization_id, workspace_id), given)
    data = {"harness_id": show_id(Kind.HARNESS, harness_id)}
    if agent is not None:
        data["agent_id"] = show_id(Kind.AGENT, agent.id)
    if config.model_id is not None:
        data["model_id"] = config.model_id
    started = EventDraft(EventType.SESSION_STARTED, data)
    _, events = log.append(tx, session_id, [started], fence=Fence(epoch=0))
    return events[0]


def _agent(tx: Tx, organization_id: UUID, config: SessionConfig) -> Agent | None:
    if config.agent_id is not None:
        ref = AgentRef(config.agent_id, None, "")
    elif config.agent_name is not None:
        ref = agent_ref(config.agent_name)
    else:
        return None
    agent = agents.find(tx, organization_id, ref)
    if agent is None:
        raise NotFound("Agent not found")
    if agent.status is AgentStatus.ARCHIVED:
        raise Conflict("The agent is archived and cannot be given to new sessions")
    return agent


def _harness(tx: Tx, organization_id: UUID, config: SessionConfig, agent: Agent | None) -> UUID:
    if config.harness_id is None and config.harness_name is None:
        of_agent = agent.config.harness_id if agent else None
        return of_agent or GENERIC_HARNESS
    found = agents.find_harness(
        tx, organization_id, harness_id=config.harness_id, name=config.harness_name
    )
    if found is None:
        raise NotFound("Harness not found")
    return found


def _workspace(tx: Tx, organization_id: UUID, session_id: UUID, config: SessionConfig) -> UUID:
    """The workspace named, else one of the session's own, which has the session's UUID."""
    if config.workspace_id is None:
        return session_id
    # Held, so that it cannot be archived or deleted before this session is there to see.
    status = workspaces.hold(tx, organization_id, config.workspace_id)
    if status is WorkspaceStatus.ARCHIVED:
        raise Conflict("The workspace is archived and cannot be given to new sessions")
    if status is None and not sessions.has_workspace(tx, organization_id, config.workspace_id):
        raise NotFound("Workspace not found")
    return config.workspace_id

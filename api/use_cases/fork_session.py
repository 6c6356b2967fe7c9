"""Fork a session: a new one with the same past, which from then on goes its own way."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.agent import AgentRef, AgentStatus
from common.domain.errors import Conflict, FieldProblem, NotFound, Unprocessable
from common.domain.session import ForkChanges, Session
from common.domain.turn import SessionStatus
from common.storage import agents, files, forks, idempotency, log, sessions
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey
from common.storage.log import Head

_BUSY = (SessionStatus.ACTIVE, SessionStatus.WAITING)


def fork_session(
    deps: Deps,
    caller: Caller,
    source_id: UUID,
    changes: ForkChanges,
    key: IdempotencyKey | None,
) -> Session:
    """Copy configuration, log and files into a new session, and return that.

    Raises:
        NotFound: the session, or the agent to be given to the fork, does not exist.
        Conflict: a turn is under way, or the agent is archived.
        Unprocessable: the fork would end beyond the log or within a turn.
    """
    session_id = deps.new_id()
    with deps.database.transaction() as tx:
        first = None
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id=session_id.hex, status_code=HTTPStatus.CREATED
            )
        if first is not None:
            session_id = UUID(first.resource_id)
        else:
            _fork(tx, caller, source_id, session_id, changes)
        session = sessions.find(
            tx, caller.organization_id, session_id, principal_id=caller.principal_id
        )
        if session is None:
            raise NotFound("Session not found")
    return session


def _fork(tx: Tx, caller: Caller, source_id: UUID, session_id: UUID, changes: ForkChanges) -> None:
    organization_id = caller.organization_id
    head = log.lock(tx, organization_id, source_id)
    if head is None:
        raise NotFound("Session not found")
    if head.open_turn_id is not None or head.status in _BUSY:
        raise Conflict("The session is at work; wait for its turn to end, or cancel it")
    if "agent_id" in changes.given and changes.agent_id is not None:
        _check_agent(tx, organization_id, changes.agent_id)
    up_to = _end(tx, head, changes.up_to_sequence)
    workspace_id = forks.copy_session(
        tx,
        organization_id,
        source_id,
        session_id,
        changes,
        up_to=up_to,
        principal_id=caller.principal_id,
    )
    if workspace_id == session_id:
        files.copy_workspace(tx, organization_id, source_id, session_id)


def _end(tx: Tx, head: Head, asked: int | None) -> int:
    if asked is None or asked == head.last_sequence:
        return head.last_sequence
    if asked > head.last_sequence:
        raise _unacceptable(f"The session has only {head.last_sequence} events")
    if not forks.is_between_turns(tx, head.session_id, asked):
        raise _unacceptable("Is in the middle of a turn; take the sequence of a turn's last event")
    return asked


def _unacceptable(message: str) -> Unprocessable:
    problem = FieldProblem("up_to_sequence", message)
    return Unprocessable(f"up_to_sequence: {message}", problems=(problem,))


def _check_agent(tx: Tx, organization_id: UUID, agent_id: UUID) -> None:
    agent = agents.find(tx, organization_id, AgentRef(agent_id, None, ""))
    if agent is None:
        raise NotFound("Agent not found")
    if agent.status is AgentStatus.ARCHIVED:
        raise Conflict("The agent is archived and cannot be given to new sessions")

"""Archive an agent, and delete one that is archived."""

from __future__ import annotations

from http import HTTPStatus

from api.auth import Caller
from api.deps import Deps
from common.domain.agent import Agent, AgentRef, AgentStatus
from common.domain.errors import Conflict, NotFound
from common.storage import agents, idempotency, organizations
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey


def archive_agent(deps: Deps, caller: Caller, ref: AgentRef) -> None:
    """Archive it: its sessions go on, new ones cannot have it.  May be repeated.

    Raises:
        NotFound: there is no such agent.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        agent = _find(tx, caller, ref)
        agents.set_status(tx, caller.organization_id, agent.id, AgentStatus.ARCHIVED)


def delete_agent(deps: Deps, caller: Caller, ref: AgentRef, key: IdempotencyKey | None) -> None:
    """Delete an archived agent for good.

    Raises:
        NotFound: there is no such agent.
        Conflict: it is not archived.
    """
    with deps.database.transaction() as tx:
        if key is not None and _is_repeat(tx, key):
            return
        organizations.lock(tx, caller.organization_id)
        agent = _find(tx, caller, ref)
        if agent.status is not AgentStatus.ARCHIVED:
            raise Conflict("Only an archived agent can be deleted")
        agents.set_status(tx, caller.organization_id, agent.id, AgentStatus.DELETED)


def _is_repeat(tx: Tx, key: IdempotencyKey) -> bool:
    first = idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.NO_CONTENT)
    return first is not None


def _find(tx: Tx, caller: Caller, ref: AgentRef) -> Agent:
    found = agents.find(tx, caller.organization_id, ref)
    if found is None:
        raise NotFound("Agent not found")
    return found

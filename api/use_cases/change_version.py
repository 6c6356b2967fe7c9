"""Make a version on request, choose the one that sessions run on, go back to one, fork one."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.schemas.agent_versions import NewFork
from api.use_cases.record_version import record_version
from api.use_cases.save_agent import (
    Saved,
    check_free,
    find_agent,
    insert_agent,
    of_agent,
    replace_agent,
)
from common.domain.agent import Agent, AgentRef
from common.domain.agent_version import AgentVersion, Change, ChangeKind, config_from
from common.domain.errors import NotFound
from common.storage import idempotency, organizations, versions
from common.storage.agents import Lineage
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey


def create_version(
    deps: Deps, caller: Caller, ref: AgentRef, change: Change, key: IdempotencyKey | None
) -> AgentVersion:
    """Store a version of the agent as it is, also when nothing has changed.

    Raises:
        NotFound: there is no such agent.
    """
    with deps.database.transaction() as tx:
        agent = find_agent(tx, caller.organization_id, ref)
        key = of_agent(key, agent)
        if key is not None:
            first = idempotency.first_answer(
                tx, key, resource_id="", status_code=HTTPStatus.CREATED
            )
            if first is not None:
                return _find(tx, agent, UUID(first.resource_id))
        organizations.lock(tx, caller.organization_id)
        agent = find_agent(tx, caller.organization_id, ref)
        made = record_version(tx, deps, agent, agent, change)
        if key is not None:
            idempotency.settle(tx, key, resource_id=made.id.hex, status_code=HTTPStatus.CREATED)
        return made


def set_default_version(
    deps: Deps,
    caller: Caller,
    ref: AgentRef,
    version_id: UUID | None,
    key: IdempotencyKey | None,
) -> Agent:
    """Choose the version that the agent's sessions run on; None for the agent as it is.

    Raises:
        NotFound: there is no such agent, or it has no such version.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        agent = find_agent(tx, caller.organization_id, ref)
        if _is_repeat(tx, of_agent(key, agent)):
            return agent
        if version_id is not None:
            _find(tx, agent, version_id)
        versions.set_default(tx, caller.organization_id, agent.id, version_id)
        return find_agent(tx, caller.organization_id, ref)


def rollback_version(
    deps: Deps,
    caller: Caller,
    ref: AgentRef,
    version_id: UUID,
    change: Change,
    *,
    saves_current: bool,
    key: IdempotencyKey | None,
) -> Agent:
    """Make the agent what it was in a version; that is a new version, the old ones stay.

    With `saves_current` the agent as it is now becomes a version of its own first, also when
    its newest one says the same.

    Raises:
        NotFound: there is no such agent, or it has no such version.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        agent = find_agent(tx, caller.organization_id, ref)
        version = _find(tx, agent, version_id)
        bound = None if key is None else replace(key, scope=f"{agent.id}/{version.id}")
        if _is_repeat(tx, bound):
            return agent
        if saves_current:
            saved = Change(kind=ChangeKind.MANUAL, principal_id=caller.principal_id)
            record_version(tx, deps, agent, agent, saved)
        config = config_from(version.authored, name=agent.config.name)
        replace_agent(tx, agent, config, reactivates=False)
        agent = find_agent(tx, caller.organization_id, ref)
        record_version(tx, deps, agent, None, replace(change, source=version.id))
        return find_agent(tx, caller.organization_id, ref)


def fork_version(
    deps: Deps,
    caller: Caller,
    ref: AgentRef,
    version_id: UUID,
    *,
    given: NewFork,
    change: Change,
    key: IdempotencyKey | None,
) -> Saved:
    """Make a new agent of a version.

    Raises:
        NotFound: there is no such agent, or it has no such version.
        Conflict: another agent has the name.
    """
    with deps.database.transaction() as tx:
        source = find_agent(tx, caller.organization_id, ref)
        version = _find(tx, source, version_id)
        agent_id = deps.new_id()
        if key is not None:
            key = replace(key, scope=f"{source.id}/{version.id}")
            first = idempotency.first_answer(
                tx, key, resource_id=agent_id.hex, status_code=HTTPStatus.CREATED
            )
            if first is not None:
                made = AgentRef(UUID(first.resource_id), None, "")
                return Saved(find_agent(tx, caller.organization_id, made), is_new=True)
        organizations.lock(tx, caller.organization_id)
        check_free(tx, caller.organization_id, given.name)
        config = config_from(version.authored, name=given.name)
        config = replace(
            config,
            display_name=given.display_name or config.display_name,
            description=given.description or config.description,
        )
        lineage = Lineage(
            root=source.root_agent_id or source.id, forked_from=source.id, version=version.id
        )
        saved = insert_agent(tx, caller.organization_id, agent_id, config, lineage=lineage)
        record_version(tx, deps, saved.agent, None, replace(change, source=version.id))
        return saved


def _is_repeat(tx: Tx, key: IdempotencyKey | None) -> bool:
    """Whether the key has changed the agent before; then it is as it is by now."""
    if key is None:
        return False
    first = idempotency.first_answer(tx, key, resource_id="", status_code=HTTPStatus.OK)
    return first is not None


def _find(tx: Tx, agent: Agent, version_id: UUID) -> AgentVersion:
    found = versions.find(tx, agent.organization_id, agent.id, version_id)
    if found is None:
        raise NotFound("Agent version not found")
    return found

"""Create, replace, change or copy an agent; names are unique by their slug."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import count
from typing import Any
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.schemas.agents import NewAgent
from api.use_cases.granted_servers import check_granted
from api.use_cases.record_version import record_version
from common.domain.agent import (
    Agent,
    AgentConfig,
    AgentRef,
    AgentStatus,
    copy_name,
    slug_of,
)
from common.domain.agent_version import Change, ChangeKind
from common.domain.errors import Conflict, NotFound
from common.domain.ids import GENERIC_HARNESS
from common.storage import agents, idempotency, organizations
from common.storage.agents import Lineage
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Saved:
    """An agent as it is now, and whether this request made it."""

    agent: Agent
    is_new: bool

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return HTTPStatus.CREATED if self.is_new else HTTPStatus.OK


def save_agent(
    deps: Deps,
    caller: Caller,
    given: NewAgent,
    key: IdempotencyKey | None,
    change: Change = Change(),  # noqa: B008 - frozen
) -> Saved:
    """Create the agent, or replace the one with that id or, without an id, with that name.

    An archived one becomes active again.

    Raises:
        NotFound: the harness does not exist, or the id is not to be had.
        Conflict: another agent has the name.
        IdempotencyKeyReused: the key came with another body.
    """
    with deps.database.transaction() as tx:
        first = _first(tx, caller, deps, key)
        if isinstance(first, Saved):
            return first
        organizations.lock(tx, caller.organization_id)
        existing = _existing(tx, caller.organization_id, given)
        config = _with_harness(tx, caller.organization_id, given.config)
        check_granted(tx, caller.organization_id, config.capabilities)
        if existing is not None and given.id is None:
            _check_same_name(existing, config.name)
        if existing is None:
            agent_id = given.id or first
            saved = insert_agent(tx, caller.organization_id, agent_id, config)
        else:
            saved = replace_agent(tx, existing, config)
        record_version(tx, deps, saved.agent, existing, change)
        _settle(tx, key, saved)
        return saved


def put_agent(deps: Deps, caller: Caller, ref: AgentRef, given: NewAgent, change: Change) -> Saved:
    """As `save_agent`, the path saying which agent is meant.

    Raises:
        NotFound: the harness does not exist, or the id is not to be had.
        Conflict: another agent has the name.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        existing = agents.find(tx, caller.organization_id, ref)
        config = _with_harness(tx, caller.organization_id, given.config)
        check_granted(tx, caller.organization_id, config.capabilities)
        if existing is not None:
            saved = replace_agent(tx, existing, config)
        else:
            check_free(tx, caller.organization_id, config.name)
            saved = insert_agent(tx, caller.organization_id, ref.id or deps.new_id(), config)
        record_version(tx, deps, saved.agent, existing, change)
        return saved


def patch_agent(
    deps: Deps, caller: Caller, ref: AgentRef, given: dict[str, Any], change: Change
) -> Agent:
    """Change the fields that are given; null takes a field back to its default.

    Raises:
        NotFound: the agent or the harness does not exist.
        Conflict: another agent has the new name.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        existing = find_agent(tx, caller.organization_id, ref)
        cleared = AgentConfig(name="", system_prompt="")
        changes = {
            name: getattr(cleared, name) if value is None else value
            for name, value in given.items()
        }
        config = replace(existing.config, **changes)
        if "harness_id" in changes or "harness_name" in changes:
            named = {"harness_id": None, "harness_name": None, **changes}
            config = _with_harness(tx, caller.organization_id, replace(config, **named))
        if "capabilities" in given:
            check_granted(tx, caller.organization_id, config.capabilities)
        agent = replace_agent(tx, existing, config, reactivates=False).agent
        record_version(tx, deps, agent, existing, change)
        return agent


def copy_agent(deps: Deps, caller: Caller, ref: AgentRef, key: IdempotencyKey | None) -> Saved:
    """Make a new agent of an existing one, under the first free name.

    Raises:
        NotFound: there is no such agent.
        IdempotencyKeyReused: the key came with another body.
    """
    with deps.database.transaction() as tx:
        source = find_agent(tx, caller.organization_id, ref)
        key = of_agent(key, source)
        first = _first(tx, caller, deps, key)
        if isinstance(first, Saved):
            return first
        organizations.lock(tx, caller.organization_id)
        names = (copy_name(source.config.name, number=number) for number in count(1))
        name = next(name for name in names if _holder(tx, caller.organization_id, name) is None)
        lineage = Lineage(root=source.root_agent_id or source.id, forked_from=source.id)
        config = replace(source.config, name=name)
        saved = insert_agent(tx, caller.organization_id, first, config, lineage=lineage)
        change = Change(kind=ChangeKind.FORK, principal_id=caller.principal_id)
        record_version(tx, deps, saved.agent, None, change)
        _settle(tx, key, saved)
        return saved


def _first(tx: Tx, caller: Caller, deps: Deps, key: IdempotencyKey | None) -> Saved | UUID:
    """What the key already led to, or the id that a new agent gets."""
    agent_id = deps.new_id()
    if key is None:
        return agent_id
    first = idempotency.first_answer(
        tx, key, resource_id=agent_id.hex, status_code=HTTPStatus.CREATED
    )
    if first is None:
        return agent_id
    made = AgentRef(UUID(first.resource_id), None, "")
    agent = find_agent(tx, caller.organization_id, made)
    return Saved(agent, is_new=first.status_code == HTTPStatus.CREATED)


def _settle(tx: Tx, key: IdempotencyKey | None, saved: Saved) -> None:
    if key is not None:
        idempotency.settle(tx, key, resource_id=saved.agent.id.hex, status_code=saved.status)


def _existing(tx: Tx, organization_id: UUID, given: NewAgent) -> Agent | None:
    if given.id is None:
        return _holder(tx, organization_id, given.config.name)
    by_id = agents.find(tx, organization_id, AgentRef(given.id, None, ""))
    if by_id is None:
        check_free(tx, organization_id, given.config.name, but=given.id)
    return by_id


def of_agent(key: IdempotencyKey | None, agent: Agent) -> IdempotencyKey | None:
    """The key, bound to the agent by its id, whether the path named it by that or by its name."""
    return None if key is None else replace(key, scope=str(agent.id))


def insert_agent(
    tx: Tx,
    organization_id: UUID,
    agent_id: UUID,
    config: AgentConfig,
    *,
    lineage: Lineage | None = None,
) -> Saved:
    """Store a new agent.

    Raises:
        NotFound: the id is not to be had.
    """
    is_free = agents.insert(
        tx, organization_id, agent_id, config, slug=slug_of(config.name), lineage=lineage
    )
    if not is_free:
        # Of another organization, or deleted: either way not for this caller to see.
        raise NotFound("Agent not found")
    return Saved(find_agent(tx, organization_id, AgentRef(agent_id, None, "")), is_new=True)


def replace_agent(
    tx: Tx, existing: Agent, config: AgentConfig, *, reactivates: bool = True
) -> Saved:
    """Give an agent another configuration.

    Raises:
        Conflict: another agent has the name.
    """
    organization_id = existing.organization_id
    check_free(tx, organization_id, config.name, but=existing.id)
    agents.update(tx, organization_id, existing.id, config, slug=slug_of(config.name))
    if reactivates:
        agents.set_status(tx, organization_id, existing.id, AgentStatus.ACTIVE)
    return Saved(find_agent(tx, organization_id, AgentRef(existing.id, None, "")), is_new=False)


def _holder(tx: Tx, organization_id: UUID, name: str) -> Agent | None:
    return agents.find(tx, organization_id, AgentRef(None, slug_of(name), name))


def _check_same_name(existing: Agent, name: str) -> None:
    """A name that only looks alike in a slug must not replace somebody's agent."""
    is_same = name.casefold() == existing.config.name.casefold() or name == slug_of(name)
    if not is_same:
        raise Conflict(f"The name is too much like that of another agent: {existing.config.name}")


def check_free(tx: Tx, organization_id: UUID, name: str, *, but: UUID | None = None) -> None:
    """Refuse a name that another agent has.

    Raises:
        Conflict: one has.
    """
    holder = _holder(tx, organization_id, name)
    if holder is not None and holder.id != but:
        raise Conflict("Another agent has this name")


def find_agent(tx: Tx, organization_id: UUID, ref: AgentRef) -> Agent:
    """The agent that is meant.

    Raises:
        NotFound: there is none.
    """
    found = agents.find(tx, organization_id, ref)
    if found is None:
        raise NotFound("Agent not found")
    return found


def _with_harness(tx: Tx, organization_id: UUID, config: AgentConfig) -> AgentConfig:
    if config.harness_id is None and config.harness_name is None:
        return replace(config, harness_id=GENERIC_HARNESS)
    found = agents.find_harness(
        tx, organization_id, harness_id=config.harness_id, name=config.harness_name
    )
    if found is None:
        raise NotFound("Harness not found")
    return replace(config, harness_id=found)

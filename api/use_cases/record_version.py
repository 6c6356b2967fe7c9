"""Keep what an agent has become as a version, in the transaction that changed it."""

from __future__ import annotations

from api.deps import Deps
from common.domain.agent import Agent
from common.domain.agent_version import (
    FIRST,
    AgentVersion,
    Change,
    ChangeKind,
    authored,
    hash_of,
    next_semver,
    resolved,
)
from common.storage import harness_chain, versions
from common.storage.engine import Tx

_NEEDS_A_DIFFERENCE = (ChangeKind.AUTO, ChangeKind.IMPORT)


def record_version(
    tx: Tx, deps: Deps, agent: Agent, before: Agent | None, change: Change
) -> AgentVersion:
    """Store a version of `agent` as it is now, unless its newest one says the same already.

    Returns the newest one.  `before` is what it was, None for a new one: of an agent that is
    older than versions are, that becomes its first.  The caller holds `organizations.lock`.
    """
    organization_id = agent.organization_id
    newest = versions.newest(tx, organization_id, agent.id)
    if newest is None and before is not None:
        newest = _made(tx, deps, before, None, Change())
        versions.insert(tx, organization_id, newest)
    if (
        newest is not None
        and change.kind in _NEEDS_A_DIFFERENCE
        and newest.config_hash == hash_of(authored(agent.config))
    ):
        return newest
    made = _made(tx, deps, agent, newest, change)
    versions.insert(tx, organization_id, made)
    return made


def _made(
    tx: Tx, deps: Deps, agent: Agent, newest: AgentVersion | None, change: Change
) -> AgentVersion:
    kept = authored(agent.config)
    assert agent.config.harness_id is not None  # noqa: S101 - the column is not null
    harness = harness_chain.of_harness(tx, agent.organization_id, agent.config.harness_id)
    return AgentVersion(
        id=deps.new_id(),
        agent_id=agent.id,
        number=agent.version if newest is None else newest.number + 1,
        semver=FIRST if newest is None else next_semver(newest.semver, change.kind),
        change=change,
        config_hash=hash_of(kept),
        authored=kept,
        resolved=resolved(agent.config, harness),
        created_at=agent.updated_at,
    )

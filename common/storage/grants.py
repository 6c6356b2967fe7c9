"""Which capabilities sessions are granted: by their harnesses, their agents and themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from common.domain.session import Session
from common.storage import harness_chain
from common.storage.engine import Tx

_OF_AGENTS: Final = text("""
    SELECT id, capabilities FROM agents
    WHERE organization_id = :organization_id AND id = ANY(:ids)
""")


def with_granted(tx: Tx, organization_id: UUID, found: Sequence[Session]) -> list[Session]:
    """The same sessions with the references of all that they are granted."""
    # A page of sessions has few harnesses, most often one.
    of_harness = {
        each: _refs(harness_chain.of_harness(tx, organization_id, each).capabilities)
        for each in {session.harness_id for session in found}
    }
    of_agent = _of_agents(tx, organization_id, {session.agent_id for session in found})
    return [
        replace(
            session,
            granted=(
                *of_harness[session.harness_id],
                *of_agent.get(session.agent_id, ()),
                *_refs(session.config.capabilities),
            ),
        )
        for session in found
    ]


def _of_agents(
    tx: Tx, organization_id: UUID, ids: set[UUID | None]
) -> dict[UUID | None, tuple[str, ...]]:
    wanted = [each for each in ids if each is not None]
    if not wanted:
        return {}
    rows = tx.execute(_OF_AGENTS, {"organization_id": organization_id, "ids": wanted})
    return {row.id: _refs(row.capabilities) for row in rows}


def _refs(capabilities: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(each["ref"] for each in capabilities)

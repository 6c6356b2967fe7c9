"""Versions of agents: list, make, compare, go back, fork, choose the default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from api.change_reason import asked_change
from api.endpoint import Answer, Call, Contract, endpoint
from api.lists.versions import list_all
from api.schemas.agent_versions import (
    AgentVersionSchema,
    DefaultVersionSchema,
    DiffSchema,
    NewFork,
    NewForkSchema,
    NewVersion,
    NewVersionSchema,
    Rollback,
    RollbackSchema,
    show_diff,
    show_version,
)
from api.schemas.agents import AgentSchema, show_agent
from api.use_cases import change_version
from common.domain.access import Scope
from common.domain.agent import AgentRef
from common.domain.agent_version import ChangeKind
from common.domain.errors import NotFound
from common.storage import agents, versions

blueprint = APIBlueprint("agent_versions", __name__, url_prefix="/v1")


@blueprint.get("/agents/<agent>/versions")
@endpoint(
    Contract(
        summary="List an agent's versions",
        scope=Scope.AGENTS_READ,
        description="A bare array, newest first.",
        returns=AgentVersionSchema(many=True),
        fails=(404, 503),
    )
)
def list_versions(call: Call[None, None], agent: AgentRef) -> Response:
    """List every version, newest first."""
    return list_all(call.deps, call.caller, agent)


@blueprint.post("/agents/<agent>/versions")
@endpoint(
    Contract(
        summary="Make a version",
        scope=Scope.AGENTS_WRITE,
        description="Of the agent as it is. `change_kind` is `manual`, `patch`, `minor` or"
        " `major`; the last two raise that number, the others the patch number.",
        status=201,
        takes=NewVersionSchema(),
        returns=AgentVersionSchema(),
        fails=(404, 422, 503),
    )
)
def create_version(call: Call[NewVersion, None], agent: AgentRef) -> Answer:
    """Store the agent as it is as a version."""
    change = asked_change(call.caller, call.body.kind)
    change = replace(change, summary=call.body.summary or change.summary)
    made = change_version.create_version(call.deps, call.caller, agent, change, call.key)
    return show_version(made)


@blueprint.post("/agents/<agent>/versions/default")
@endpoint(
    Contract(
        summary="Choose the version that sessions run on",
        scope=Scope.AGENTS_WRITE,
        description="Turns that start from now on run on the agent as that version has it,"
        " whatever is changed on the agent meanwhile. Null goes back to the agent as it is.",
        takes=DefaultVersionSchema(),
        needs_body=True,
        returns=AgentSchema(),
        fails=(404, 422, 503),
    )
)
def set_default_version(call: Call[dict[str, Any], None], agent: AgentRef) -> Answer:
    """Set or clear the default version."""
    version_id: UUID | None = call.body["version_id"]
    return show_agent(
        change_version.set_default_version(call.deps, call.caller, agent, version_id, call.key)
    )


@blueprint.get("/agents/<agent>/versions/<from_id>/diff/<to_id>")
@endpoint(
    Contract(
        summary="Compare two versions",
        scope=Scope.AGENTS_READ,
        description="Each difference is `{path, from, to}`; null stands for what is not there.",
        returns=DiffSchema(),
        fails=(404, 503),
    )
)
def diff_versions(call: Call[None, None], agent: AgentRef, from_id: UUID, to_id: UUID) -> Answer:
    """Show where two versions of an agent differ."""
    organization_id = call.caller.organization_id
    with call.deps.database.reading() as tx:
        found = agents.find(tx, organization_id, agent)
        if found is None:
            raise NotFound("Agent not found")
        one = versions.find(tx, organization_id, found.id, from_id)
        other = versions.find(tx, organization_id, found.id, to_id)
    if one is None or other is None:
        raise NotFound("Agent version not found")
    return show_diff(one, other)


@blueprint.post("/agents/<agent>/versions/<version_id>/fork")
@endpoint(
    Contract(
        summary="Make a new agent of a version",
        scope=Scope.AGENTS_WRITE,
        status=201,
        takes=NewForkSchema(),
        needs_body=True,
        returns=AgentSchema(),
        fails=(404, 409, 422, 503),
    )
)
def fork_version(call: Call[NewFork, None], agent: AgentRef, version_id: UUID) -> Answer:
    """Make a new agent of a version."""
    change = asked_change(call.caller, ChangeKind.FORK)
    saved = change_version.fork_version(
        call.deps,
        call.caller,
        agent,
        version_id,
        given=call.body,
        change=change,
        key=call.key,
    )
    return show_agent(saved.agent), saved.status


@blueprint.post("/agents/<agent>/versions/<version_id>/rollback")
@endpoint(
    Contract(
        summary="Go back to a version",
        scope=Scope.AGENTS_WRITE,
        description="The agent becomes what it was, under the name it has now; that is a new"
        " version. `save_version` first keeps what there is now as one of its own.",
        takes=RollbackSchema(),
        returns=AgentSchema(),
        fails=(404, 422, 503),
    )
)
def rollback_version(call: Call[Rollback, None], agent: AgentRef, version_id: UUID) -> Answer:
    """Make the agent what it was in a version."""
    change = asked_change(call.caller, ChangeKind.ROLLBACK)
    change = replace(change, summary=call.body.summary or change.summary)
    return show_agent(
        change_version.rollback_version(
            call.deps,
            call.caller,
            agent,
            version_id,
            change,
            saves_current=call.body.saves_current,
            key=call.key,
        )
    )

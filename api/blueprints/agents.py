"""Agents: create, find, change, archive; copy, export, import."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from api.agent_document import IMPORT_BYTES, read_document, write_document
from api.agent_preview import show_findings, show_preview
from api.change_reason import asked_change
from api.endpoint import Answer, Call, Contract, endpoint
from api.examples import AGENT_EXAMPLES
from api.schemas.agents import (
    AgentChanges,
    AgentListQuery,
    AgentListSchema,
    AgentPatchSchema,
    AgentSchema,
    AvailableSchema,
    CheckNameQuery,
    ImportQuery,
    NewAgent,
    NewAgentSchema,
    PoliciesSchema,
    show_agent,
)
from api.schemas.analysis import (
    AgentPreviewSchema,
    AnalysisSchema,
    DraftSchema,
    PreviewAnswerSchema,
)
from api.schemas.shared import page, page_limit
from api.schemas.stats import ResourceStatsSchema, show_stats
from api.use_cases import retire_agent, save_agent
from common.domain.access import Scope
from common.domain.agent import AgentRef, slug_of
from common.domain.agent_version import ChangeKind
from common.domain.errors import BadRequest, NotFound
from common.domain.ids import GENERIC_HARNESS
from common.storage import agents, usage_stats

blueprint = APIBlueprint("agents", __name__, url_prefix="/v1")

_POLICIES = ("create", "update", "delete", "archive", "copy", "export", "import")


@blueprint.post("/agents")
@endpoint(
    Contract(
        summary="Create or replace an agent",
        scope=Scope.AGENTS_WRITE,
        description="Replaces the agent with the given `id`, or without one the agent with"
        " that name, and then answers 200.",
        status=201,
        takes=NewAgentSchema(),
        needs_body=True,
        returns=AgentSchema(),
        also={200: "An existing agent was replaced"},
        fails=(404, 409, 422, 503),
    )
)
def create_agent(call: Call[NewAgent, None]) -> Answer:
    """Create an agent."""
    change = asked_change(call.caller)
    saved = save_agent.save_agent(call.deps, call.caller, call.body, call.key, change)
    return show_agent(saved.agent), saved.status


@blueprint.get("/agents")
@endpoint(
    Contract(
        summary="List agents",
        scope=Scope.AGENTS_READ,
        query=AgentListQuery(),
        returns=AgentListSchema(),
        fails=(404, 503),
    )
)
def list_agents(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of agents, newest first."""
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found, total = agents.find_page(
            tx,
            call.caller.organization_id,
            search=call.query["search"],
            include_archived=call.query["include_archived"],
            offset=offset,
            limit=limit,
        )
    return page([show_agent(one) for one in found], total=total, offset=offset, limit=limit)


@blueprint.get("/agents/check-name")
@endpoint(
    Contract(
        summary="Is a name free?",
        scope=Scope.AGENTS_READ,
        query=CheckNameQuery(),
        returns=AvailableSchema(),
        fails=(404, 503),
    )
)
def check_name(call: Call[None, dict[str, Any]]) -> Answer:
    """Tell whether an agent could have this name."""
    ref = AgentRef(None, slug_of(call.query["name"]), call.query["name"])
    with call.deps.database.reading() as tx:
        holder = agents.find(tx, call.caller.organization_id, ref)
    return {"available": holder is None or holder.id == call.query["exclude_id"]}


@blueprint.get("/agents/config")
@endpoint(
    Contract(
        summary="What may be done",
        scope=Scope.AGENTS_READ,
        returns=PoliciesSchema(),
        fails=(404, 503),
    )
)
def show_policies(_call: Call[None, None]) -> Answer:
    """Tell what the caller may do with agents."""
    return {"policies": dict.fromkeys(_POLICIES, True)}


@blueprint.post("/agents/preview")
@endpoint(
    Contract(
        summary="Preview an agent",
        scope=Scope.AGENTS_READ,
        only_reads=True,
        description="The prompt and the tools that a model would be given, and what is noticed"
        " about them. Nothing is stored. Without a harness the default one counts.",
        takes=AgentPreviewSchema(),
        returns=PreviewAnswerSchema(),
        fails=(404, 422, 503),
    )
)
def preview_agent(call: Call[dict[str, Any], None]) -> Answer:
    """Show what a model would be given."""
    harness_id, name = call.body["harness_id"], call.body["harness_name"]
    below = harness_id or (GENERIC_HARNESS if name is None else None)
    return show_preview(call.deps, call.caller, call.body, below=below, name=name)


@blueprint.post("/agents/analyze")
@endpoint(
    Contract(
        summary="Analyze an agent",
        scope=Scope.AGENTS_READ,
        only_reads=True,
        description="What deterministic rules notice; no model is asked and nothing is stored.",
        takes=DraftSchema(),
        returns=AnalysisSchema(),
        fails=(404, 422, 503),
    )
)
def analyze_agent(call: Call[dict[str, Any], None]) -> Answer:
    """Say what is noticed about an agent."""
    return show_findings(call.body)


@blueprint.post("/agents/import")
@endpoint(
    Contract(
        summary="Import an agent",
        scope=Scope.AGENTS_WRITE,
        description="Markdown with YAML front matter, YAML, JSON or plain text, at most 3 MB; or"
        " none, with `from-example` one of `assistant`, `weather-reporter` and `researcher`.",
        status=201,
        query=ImportQuery(),
        takes_text=True,
        max_body_bytes=IMPORT_BYTES,
        returns=AgentSchema(),
        also={200: "An existing agent was replaced"},
        fails=(404, 409, 413, 422, 503),
    )
)
def import_agent(call: Call[bytes, dict[str, Any]]) -> Answer:
    """Create or replace an agent from a document."""
    example = call.query["from_example"]
    if example is None:
        given = read_document(call.body, is_json=request.mimetype == "application/json")
    elif example in AGENT_EXAMPLES:
        given = NewAgent(None, AGENT_EXAMPLES[example])
    else:
        raise NotFound("There is no such example")
    change = asked_change(call.caller, ChangeKind.IMPORT)
    saved = save_agent.save_agent(call.deps, call.caller, given, call.key, change)
    return show_agent(saved.agent), saved.status


@blueprint.get("/agents/<agent>")
@endpoint(
    Contract(
        summary="Get an agent", scope=Scope.AGENTS_READ, returns=AgentSchema(), fails=(404, 503)
    )
)
def get_agent(call: Call[None, None], agent: AgentRef) -> Answer:
    """Get one agent by id or name."""
    with call.deps.database.reading() as tx:
        found = agents.find(tx, call.caller.organization_id, agent)
    if found is None:
        raise NotFound("Agent not found")
    return show_agent(found)


@blueprint.get("/agents/<agent>/stats")
@endpoint(
    Contract(
        summary="Count an agent's use",
        scope=Scope.AGENTS_READ,
        returns=ResourceStatsSchema(),
        fails=(404, 503),
    )
)
def count_agent_use(call: Call[None, None], agent: AgentRef) -> Answer:
    """Add up what the agent's sessions have used."""
    organization_id = call.caller.organization_id
    with call.deps.database.reading() as tx:
        found = agents.find(tx, organization_id, agent)
        if found is None:
            raise NotFound("Agent not found")
        return show_stats(usage_stats.of_agent(tx, organization_id, found.id))


@blueprint.put("/agents/<agent>")
@endpoint(
    Contract(
        summary="Replace an agent",
        scope=Scope.AGENTS_WRITE,
        takes=NewAgentSchema(),
        needs_body=True,
        returns=AgentSchema(),
        also={201: "The agent was created"},
        fails=(404, 409, 503),
    )
)
def replace_agent(call: Call[NewAgent, None], agent: AgentRef) -> Answer:
    """Replace an agent, or create it under the id in the path."""
    if call.body.id is not None and agent.id is not None and call.body.id != agent.id:
        raise BadRequest("id: Is not the id in the path")
    change = asked_change(call.caller)
    saved = save_agent.put_agent(call.deps, call.caller, agent, call.body, change)
    return show_agent(saved.agent), saved.status


@blueprint.patch("/agents/<agent>")
@endpoint(
    Contract(
        summary="Change an agent",
        scope=Scope.AGENTS_WRITE,
        takes=AgentPatchSchema(),
        returns=AgentSchema(),
        fails=(404, 409, 503),
    )
)
def update_agent(call: Call[AgentChanges, None], agent: AgentRef) -> Answer:
    """Change the fields that are given; null takes a field back to its default."""
    change = asked_change(call.caller)
    changed = save_agent.patch_agent(call.deps, call.caller, agent, call.body.given, change)
    return show_agent(changed)


@blueprint.delete("/agents/<agent>")
@endpoint(
    Contract(summary="Archive an agent", scope=Scope.AGENTS_WRITE, status=204, fails=(404, 503))
)
def archive_agent(call: Call[None, None], agent: AgentRef) -> Answer:
    """Archive an agent: its sessions go on, new ones cannot have it."""
    retire_agent.archive_agent(call.deps, call.caller, agent)
    return None


@blueprint.post("/agents/<agent>/delete")
@endpoint(
    Contract(
        summary="Delete an archived agent",
        scope=Scope.AGENTS_WRITE,
        status=204,
        fails=(404, 409, 422, 503),
    )
)
def delete_agent(call: Call[None, None], agent: AgentRef) -> Answer:
    """Delete an agent for good; it must be archived."""
    retire_agent.delete_agent(call.deps, call.caller, agent, call.key)
    return None


@blueprint.post("/agents/<agent>/copy")
@endpoint(
    Contract(
        summary="Copy an agent",
        scope=Scope.AGENTS_WRITE,
        status=201,
        returns=AgentSchema(),
        fails=(404, 422, 503),
    )
)
def copy_agent(call: Call[None, None], agent: AgentRef) -> Answer:
    """Make a new agent of this one, named `… (copy)`."""
    saved = save_agent.copy_agent(call.deps, call.caller, agent, call.key)
    return show_agent(saved.agent), saved.status


@blueprint.get("/agents/<agent>/export")
@endpoint(
    Contract(
        summary="Export an agent",
        scope=Scope.AGENTS_READ,
        content_type="text/markdown",
        fails=(404, 503),
    )
)
def export_agent(call: Call[None, None], agent: AgentRef) -> Response:
    """Write an agent as Markdown that can be imported again."""
    with call.deps.database.reading() as tx:
        found = agents.find(tx, call.caller.organization_id, agent)
    if found is None:
        raise NotFound("Agent not found")
    response = Response(write_document(found.config), content_type="text/markdown; charset=utf-8")
    ascii_name = found.slug.encode("ascii", "ignore").decode().strip("-") or "agent"
    response.headers["Content-Disposition"] = f'attachment; filename="{ascii_name}.md"'
    return response

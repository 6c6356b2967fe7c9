"""MCP servers: register, find, change, delete; ask for their tools anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.schemas.agents import PoliciesSchema
from api.schemas.mcp_servers import (
    GivenServer,
    McpServerListQuery,
    McpServerListSchema,
    McpServerPatchSchema,
    McpServerSchema,
    NewMcpServerSchema,
    show_server,
)
from api.schemas.shared import page, page_limit
from api.use_cases import save_mcp_server
from common.domain.access import Scope
from common.domain.errors import NotFound
from common.storage import mcp_servers

blueprint = APIBlueprint("mcp_servers", __name__, url_prefix="/v1")

_POLICIES = ("create", "update", "delete")
_SECRETS = (
    "`headers` and `api_key` are encrypted and never returned; storing one without a master"
    " key answers 503."
)


@blueprint.post("/mcp-servers")
@endpoint(
    Contract(
        summary="Register an MCP server",
        scope=Scope.MCP_SERVERS_WRITE,
        description=_SECRETS,
        status=201,
        takes=NewMcpServerSchema(),
        needs_body=True,
        returns=McpServerSchema(),
        fails=(404, 409, 422, 503),
    )
)
def create_mcp_server(call: Call[GivenServer, None]) -> Answer:
    """Register an MCP server."""
    server = save_mcp_server.create_server(call.deps, call.caller, call.body.given, call.key)
    return show_server(server)


@blueprint.get("/mcp-servers")
@endpoint(
    Contract(
        summary="List MCP servers",
        scope=Scope.MCP_SERVERS_READ,
        query=McpServerListQuery(),
        returns=McpServerListSchema(),
        fails=(404, 503),
    )
)
def list_mcp_servers(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of servers, newest first."""
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found, total = mcp_servers.find_page(
            tx,
            call.caller.organization_id,
            search=call.query["search"],
            include_archived=call.query["include_archived"],
            offset=offset,
            limit=limit,
        )
    return page([show_server(one) for one in found], total=total, offset=offset, limit=limit)


@blueprint.get("/mcp-servers/config")
@endpoint(
    Contract(
        summary="What may be done",
        scope=Scope.MCP_SERVERS_READ,
        returns=PoliciesSchema(),
        fails=(404, 503),
    )
)
def show_mcp_policies(_call: Call[None, None]) -> Answer:
    """Tell what the caller may do with MCP servers."""
    return {"policies": dict.fromkeys(_POLICIES, True)}


@blueprint.get("/mcp-servers/<server_id>")
@endpoint(
    Contract(
        summary="Get an MCP server",
        scope=Scope.MCP_SERVERS_READ,
        returns=McpServerSchema(),
        fails=(404, 503),
    )
)
def get_mcp_server(call: Call[None, None], server_id: UUID) -> Answer:
    """Get one server."""
    with call.deps.database.reading() as tx:
        found = save_mcp_server.find_server(tx, call.caller.organization_id, server_id)
    return show_server(found)


@blueprint.patch("/mcp-servers/<server_id>")
@endpoint(
    Contract(
        summary="Change an MCP server",
        scope=Scope.MCP_SERVERS_WRITE,
        description="Only what is given; null takes a field back to its default. When the URL"
        " changes, secrets that are stored are given again or cleared (422 otherwise). " + _SECRETS,
        takes=McpServerPatchSchema(),
        returns=McpServerSchema(),
        fails=(404, 409, 422, 503),
    )
)
def change_mcp_server(call: Call[GivenServer, None], server_id: UUID) -> Answer:
    """Change one server; its list of tools is asked for anew."""
    given = call.body.given
    return show_server(save_mcp_server.patch_server(call.deps, call.caller, server_id, given))


@blueprint.delete("/mcp-servers/<server_id>")
@endpoint(
    Contract(
        summary="Delete an MCP server", scope=Scope.MCP_SERVERS_WRITE, status=204, fails=(404, 503)
    )
)
def delete_mcp_server(call: Call[None, None], server_id: UUID) -> Answer:
    """Delete one server and its secrets; who was granted it has its tools no more."""
    with call.deps.database.transaction() as tx:
        is_gone = mcp_servers.delete(tx, call.caller.organization_id, server_id)
    if not is_gone:
        raise NotFound("MCP server not found")
    return None


@blueprint.post("/mcp-servers/<server_id>/refresh")
@endpoint(
    Contract(
        summary="Forget an MCP server's list of tools",
        scope=Scope.MCP_SERVERS_WRITE,
        description="The next turn that is granted the server asks it anew; otherwise a list"
        " is used for 24 hours.",
        returns=McpServerSchema(),
        fails=(404, 422, 503),
    )
)
def refresh_mcp_server(call: Call[None, None], server_id: UUID) -> Answer:
    """Forget the cached tools."""
    organization_id = call.caller.organization_id
    with call.deps.database.transaction() as tx:
        mcp_servers.forget_tools(tx, organization_id, server_id)
        found = save_mcp_server.find_server(tx, organization_id, server_id)
    return show_server(found)

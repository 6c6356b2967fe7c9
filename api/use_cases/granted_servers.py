"""MCP servers as capabilities: whether one may be granted, and how it is listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from common.domain.capability_catalog import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)
from common.domain.errors import BadRequest, FieldProblem
from common.domain.mcp_names import offered_name
from common.domain.mcp_server import McpServer, McpServerStatus, server_of
from common.storage import mcp_servers
from common.storage.engine import Tx

_LISTED: Final = 1000


def check_granted(tx: Tx, organization_id: UUID, capabilities: list[dict[str, Any]]) -> None:
    """Refuse references `mcp:<uuid>` to servers that the organization does not have.

    Raises:
        BadRequest: naming the places at fault.
    """
    named = {index: server_of(granted["ref"]) for index, granted in enumerate(capabilities)}
    wanted = {index: server_id for index, server_id in named.items() if server_id is not None}
    unknown = mcp_servers.unknown(tx, organization_id, wanted.values())
    problems = tuple(
        FieldProblem(f"capabilities[{index}]", "Names no MCP server of this organization")
        for index, server_id in wanted.items()
        if server_id in unknown
    )
    if problems:
        raise BadRequest(f"{problems[0].field}: {problems[0].message}", problems=problems)


def find(tx: Tx, organization_id: UUID, ref: str) -> CapabilityInfo | None:
    """The entry of one server, None when the organization has none of that id."""
    server_id = server_of(ref)
    found = None if server_id is None else mcp_servers.find(tx, organization_id, server_id)
    return None if found is None else _entry(found)


def all_of(tx: Tx, organization_id: UUID) -> Iterator[CapabilityInfo]:
    """The entries of all servers that can be granted, oldest first."""
    for server in mcp_servers.find_active(tx, organization_id, limit=_LISTED):
        yield _entry(server)


def _entry(server: McpServer) -> CapabilityInfo:
    is_active = server.status is McpServerStatus.ACTIVE
    return CapabilityInfo(
        id=server.capability_id,
        name=server.config.name,
        description=server.config.description or f"Tools of the MCP server {server.config.name}.",
        status=CapabilityStatus.AVAILABLE if is_active else CapabilityStatus.DEPRECATED,
        icon="plug",
        category="MCP Servers",
        risk_level=RiskLevel.HIGH,
        tools=tuple(_tool(server, tool) for tool in server.tools or ()),
    )


def _tool(server: McpServer, tool: dict[str, Any]) -> ToolInfo:
    return ToolInfo(
        name=offered_name(server.config.name, tool["name"]),
        display_name=tool["title"],
        description=tool["description"],
        parameters=tool["parameters"],
    )

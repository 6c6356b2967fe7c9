"""A real MCP server of the official library, as a program: `python mcp_server.py <port>`."""

import asyncio
import sys
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

server = MCPServer("A test")
_NEVER = 3600.0


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def set_value(value: str) -> dict[str, Any]:
    """Set a value."""
    return {"value": value, "nested": {"is_set": True}}


@server.tool()
def several() -> list[str]:
    """Answer in parts."""
    return ["one", "two"]


@server.tool()
def fails() -> str:
    """Always fail."""
    raise ToolError("the printer is on fire")


@server.tool()
async def hangs() -> str:
    """Never answer."""
    await asyncio.sleep(_NEVER)
    return "too late"


@server.tool()
async def reports(ctx: Context[Any, Any]) -> str:
    """Tell how it goes."""
    await ctx.report_progress(1, 2, "half way")
    await ctx.report_progress(2, 2)
    return "done"


@server.tool(name="who.calls")
def who_calls(ctx: Context[Any, Any]) -> dict[str, str | None]:
    """Tell what the request was sent with."""
    headers = ctx.headers or {}
    names = ("authorization", "idempotency-key", "traceparent", "x-team")
    meta = ctx.request_context.meta or {}
    sent = {name: headers.get(name) for name in names}
    return {**sent, "meta_key": str(meta.get("idempotencyKey"))}


@server.tool()
def tells(ctx: Context[Any, Any]) -> str:
    """Fail with what the request was sent with."""
    raise ToolError(str(dict(ctx.headers or {})))


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))

"""Talks to one MCP server: connect, list or call, hang up.

Imported when the first server is asked: the library costs more than half a second, which
a worker whose sessions have no servers does not pay.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
import mcp_types
import orjson
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import ValidationError

from common import tracing
from common.domain.mcp_server import ProtocolMode
from common.domain.outbound import OutboundRefused
from common.domain.trace import HEADER
from worker.capabilities.mcp_servers.server import (
    Connection,
    ServerTimedOut,
    ServerTrouble,
    ToolRequest,
)
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.outbound.resolver import CannotResolve
from worker.capabilities.outbound.transports import AsyncGuardedTransport

RESPONSE_BYTES: Final = 8 * 1024 * 1024
TOOLS: Final = 250
_PAGES: Final = 20
_MESSAGE_CHARACTERS: Final = 2000
_CLIENT: Final = mcp_types.Implementation(name="everturn", version="1")
# The handshake is the stable protocol; the release candidate does without one.
_MODES: Final = {
    ProtocolMode.AUTO: "auto",
    ProtocolMode.LEGACY: "legacy",
    ProtocolMode.STABLE: "legacy",
    ProtocolMode.RC: LATEST_MODERN_VERSION,
}
_DENIED: Final = (401, 403)
_FIRST_ERROR_STATUS: Final = 400


async def list_tools(connection: Connection, guard: Guard) -> list[mcp_types.Tool]:
    """What the server offers, at most `TOOLS` of it.

    Raises:
        ServerTrouble: it could not be asked.
    """
    async with _connected(connection, guard) as client:
        tools: list[mcp_types.Tool] = []
        cursor: str | None = None
        for _ in range(_PAGES):
            listed = await client.list_tools(cursor=cursor)
            tools += listed.tools
            cursor = listed.next_cursor
            if cursor is None or len(tools) >= TOOLS:
                break
        return tools[:TOOLS]


async def call_tool(
    connection: Connection, guard: Guard, asked: ToolRequest
) -> mcp_types.CallToolResult:
    """The server's result, which may itself be an error.

    Raises:
        ServerTrouble: there is none.
    """

    async def show(progress: float, total: float | None, message: str | None) -> None:
        asked.progress(message or _shown_progress(progress, total))

    request = mcp_types.CallToolRequest(
        params=mcp_types.CallToolRequestParams.model_validate(
            {
                "name": asked.name,
                "arguments": dict(asked.arguments),
                "_meta": {"idempotencyKey": asked.idempotency_key},
            },
            by_name=False,
        )
    )
    async with _connected(connection, guard, idempotency_key=asked.idempotency_key) as client:
        # Not `call_tool`: it would list all tools and hold the result against the schema of
        # the server's own, with patterns of whatever cost.
        return await client.session.send_request(
            request, mcp_types.CallToolResult, progress_callback=show
        )


@asynccontextmanager
async def _connected(
    connection: Connection, guard: Guard, *, idempotency_key: str | None = None
) -> AsyncIterator[Client]:
    transport = _Watched(guard, response_bytes=RESPONSE_BYTES)

    async def forward_key(request: httpx2.Request) -> None:
        # Only the call itself: a server that remembers answers by key would otherwise
        # answer it with that of the handshake.
        if idempotency_key is not None and _is_call(request.content):
            request.headers["Idempotency-Key"] = idempotency_key
        place = tracing.current()
        if place is not None:
            request.headers[HEADER] = place.header

    limit = connection.timeout_seconds
    try:
        async with asyncio.timeout(limit):
            async with (
                httpx2.AsyncClient(
                    transport=transport,
                    trust_env=False,
                    headers=dict(connection.headers),
                    timeout=None,
                    event_hooks={"request": [forward_key]},
                ) as http,
                Client(
                    streamable_http_client(connection.url, http_client=http),
                    mode=_MODES[connection.protocol_mode],
                    client_info=_CLIENT,
                    cache=None,
                ) as client,
            ):
                yield client
    except TimeoutError:
        raise ServerTimedOut(
            f"The MCP server {connection.name} did not answer within {limit:g} s."
        ) from None
    # The library's tasks wrap what goes wrong in groups, and some of it in errors of its own.
    except Exception as failure:  # noqa: BLE001
        is_late = isinstance(transport.failure, httpx2.TimeoutException)
        trouble = f"The MCP server {connection.name} {_in_words(failure, transport)}."
        raise (ServerTimedOut if is_late else ServerTrouble)(trouble) from None


class _Watched(AsyncGuardedTransport):
    """Remembers what went wrong below the library, which does not always say so."""

    def __init__(self, guard: Guard, *, response_bytes: int) -> None:
        super().__init__(guard, response_bytes=response_bytes)
        self.failure: Exception | None = None
        self.status: int | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await super().handle_async_request(request)
        except (OutboundRefused, CannotResolve, httpx2.TransportError) as failure:
            self.failure = failure
            raise
        if request.method == "POST":
            self.status = response.status_code
        return response


def _in_words(failure: BaseException, transport: _Watched) -> str:
    causes = [transport.failure, *_leaves(failure)]
    for cause in causes:
        match cause:
            case OutboundRefused():
                return f"cannot be reached: {cause.reason}"
            case CannotResolve():
                return f"cannot be reached: {cause}"
            case httpx2.TimeoutException():
                return "did not answer in time"
            case httpx2.ConnectError():
                return "cannot be connected to"
            case httpx2.TransportError():
                return "broke the connection"
            case _:
                continue
    if transport.status in _DENIED:
        return f"refused the credentials (status {transport.status})"
    if transport.status is not None and transport.status >= _FIRST_ERROR_STATUS:
        return f"answered with status {transport.status}"
    for cause in causes:
        if isinstance(cause, MCPError):
            return f"answered with an error: {str(cause)[:_MESSAGE_CHARACTERS]}"
        if isinstance(cause, ValidationError):
            return "answered with something that the protocol does not know"
    return "did not answer as the protocol demands"


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for each in failure.exceptions:
            yield from _leaves(each)
    else:
        yield failure


def _is_call(content: bytes) -> bool:
    if b'"tools/call"' not in content:
        return False
    body = orjson.loads(content)
    return isinstance(body, dict) and body.get("method") == "tools/call"


def _shown_progress(progress: float, total: float | None) -> str:
    return f"{progress:g}" if total is None else f"{progress:g} of {total:g}"

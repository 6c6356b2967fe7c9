"""The family of capabilities `mcp:<uuid>`: finds the server of a reference and its tools."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from common.domain.mcp_server import (
    CAPABILITY_PREFIX,
    TOOLS_LIFE,
    AuthMode,
    McpServer,
    McpServerStatus,
    headers_purpose,
    key_purpose,
    server_of,
)
from common.domain.outbound import OutboundRefused, read_target
from common.encryption import CannotDecrypt, EncryptionUnavailable
from common.storage import mcp_servers
from worker.capabilities.capability import (
    Capability,
    Contribution,
    Scope,
    ToolContext,
)
from worker.capabilities.mcp_servers import loop
from worker.capabilities.mcp_servers.calling import (
    LIST_SECONDS,
    SHUNNED_SECONDS,
    guard_of,
    offered,
)
from worker.capabilities.mcp_servers.server import Connection, ServerTrouble
from worker.capabilities.mcp_servers.tools import ListedTool, listed
from worker.capabilities.services import Services

_MOST_SHUNNED: Final = 1000

_log = structlog.get_logger()


def capability(
    services: Services, *, monotonic: Callable[[], float] = time.monotonic
) -> Capability:
    """All MCP servers; which one is meant is in the scope."""
    family = _Family(services, monotonic)
    return Capability(id=f"{CAPABILITY_PREFIX}:", prepare=family.prepare)


class _Family:
    def __init__(self, services: Services, monotonic: Callable[[], float]) -> None:
        self._services = services
        self._monotonic = monotonic
        # Until when a server is not asked, as it was then: whoever changes it is heard at once.
        self._shunned: dict[tuple[UUID, datetime], float] = {}

    def prepare(self, _config: Mapping[str, Any], scope: Scope) -> Contribution:
        """The tools of the scope's server; a word to the model when it cannot be asked."""
        server = self._find(scope.organization_id, server_of(scope.capability_id))
        if server is None:
            return Contribution()
        tools = self._tools(server, scope)
        if tools is None:
            return Contribution(
                system_prompt=f"The tools of {server.config.name} cannot be reached just now."
            )
        return Contribution(
            tools=offered(
                server.config.name,
                tools,
                connect=partial(self._connect, server.id),
                private=self._services.settings.outbound_allow_private,
                timeout_seconds=server.config.timeout_seconds,
            )
        )

    def _connect(self, server_id: UUID, context: ToolContext) -> Connection:
        # Looked up at each call, so that a key can be changed and a server switched off
        # under a running turn.
        server = self._find(context.organization_id, server_id)
        if server is None:
            raise ServerTrouble("The MCP server of this tool is not available any more.")
        return self._connection(server)

    def _tools(self, server: McpServer, scope: Scope) -> list[ListedTool] | None:
        """The cached list while it is fresh, else the server's own, else an old one."""
        cached = None if server.tools is None else list(map(ListedTool.from_json, server.tools))
        fetched = server.tools_fetched_at
        if cached is not None and fetched and self._services.now() - fetched < TOOLS_LIFE:
            return cached
        if self._monotonic() < self._shunned.get((server.id, server.updated_at), float("-inf")):
            return cached
        from worker.capabilities.mcp_servers import client  # noqa: PLC0415 - see there

        try:
            connection = self._connection(server, at_most=LIST_SECONDS)
            # Not the session's rules: the list is everybody's.
            guard = guard_of(self._services.settings.outbound_allow_private, None)
            asking = client.list_tools(connection, guard)
            found = listed(loop.run(asking, is_stopped=scope.is_stopped))
        except loop.GaveUp:
            return cached
        except ServerTrouble:
            _log.warning("mcp_tools_not_listed", capability=scope.capability_id)
            self._shun(server)
            return cached
        with self._services.database.of(server.organization_id).transaction() as tx:
            mcp_servers.keep_tools(tx, server, [tool.to_json() for tool in found])
        return found

    def _shun(self, server: McpServer) -> None:
        if len(self._shunned) >= _MOST_SHUNNED:
            self._shunned.clear()
        self._shunned[server.id, server.updated_at] = self._monotonic() + SHUNNED_SECONDS

    def _find(self, organization_id: UUID, server_id: UUID | None) -> McpServer | None:
        if server_id is None:
            return None
        with self._services.database.of(organization_id).reading() as tx:
            server = mcp_servers.find(tx, organization_id, server_id)
        is_active = server is not None and server.status is McpServerStatus.ACTIVE
        return server if is_active else None

    def _connection(self, server: McpServer, *, at_most: float = float("inf")) -> Connection:
        config = server.config
        try:
            url = read_target(config.url).url
        except OutboundRefused as refused:
            raise ServerTrouble(
                f"The MCP server {config.name} cannot be reached: {refused.reason}."
            ) from None
        return Connection(
            name=config.name,
            url=url,
            timeout_seconds=min(config.timeout_seconds, at_most),
            protocol_mode=config.protocol_mode,
            headers=self._headers(server),
        )

    def _headers(self, server: McpServer) -> dict[str, str]:
        secrets = self._services.secrets
        headers: dict[str, str] = {}
        try:
            if server.headers is not None:
                purpose = headers_purpose(server.id)
                headers |= orjson.loads(secrets.decrypt(server.headers, purpose=purpose))
            if server.config.auth_mode is AuthMode.API_KEY and server.api_key is not None:
                key = secrets.decrypt(server.api_key, purpose=key_purpose(server.id))
                headers["Authorization"] = f"Bearer {key}"
        except (EncryptionUnavailable, CannotDecrypt):
            raise ServerTrouble(
                f"The credentials of the MCP server {server.config.name} cannot be read."
            ) from None
        return headers

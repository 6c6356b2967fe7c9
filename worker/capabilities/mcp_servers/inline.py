"""Servers that an agent or session describes itself: `mcpServers: {name: {url, headers}}`.

They are nobody's resource, so their lists of tools are kept in this process alone, and
their headers stand in the configuration as they were given.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import orjson
import structlog

from common.domain.mcp_server import (
    DEFAULT_TIMEOUT_SECONDS,
    HEADERS,
    INLINE_PREFIX,
    TOOLS_LIFE,
    problem_of_header,
)
from common.domain.outbound import HostRules, OutboundRefused, read_target
from worker.capabilities.capability import Capability, Contribution, Scope
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

_KEPT: Final = 500
_SHOWN_NAME: Final = 64

_log = structlog.get_logger()


def capability(
    services: Services, *, monotonic: Callable[[], float] = time.monotonic
) -> Capability:
    """All servers that are described in place; which one is meant is in the config."""
    return Capability(id=f"{INLINE_PREFIX}:", prepare=_Inline(services, monotonic).prepare)


class _Inline:
    def __init__(self, services: Services, monotonic: Callable[[], float]) -> None:
        self._private = services.settings.outbound_allow_private
        self._monotonic = monotonic
        self._guard = threading.Lock()
        # Until when a list counts; None for a server that could not be asked.
        self._lists: dict[str, tuple[float, list[ListedTool] | None]] = {}

    def prepare(self, config: Mapping[str, Any], scope: Scope) -> Contribution:
        """The server's tools; a word to the model when it cannot be asked."""
        name = scope.capability_id.partition(":")[2][:_SHOWN_NAME]
        connection = _connection(name, config)
        if connection is not None and not _may_reach(connection, scope):
            # No failure of the server's: other sessions may reach it.
            return Contribution(
                system_prompt=f"The tools of {name} cannot be reached: the session's network"
                " access does not allow its host."
            )
        tools = None if connection is None else self._tools(connection, scope)
        if connection is None or tools is None:
            # How it was written down is in the log of nobody: it may hold secrets.
            return Contribution(system_prompt=f"The tools of {name} cannot be reached just now.")
        return Contribution(
            tools=offered(
                name,
                tools,
                connect=lambda _context: connection,
                private=self._private,
                timeout_seconds=connection.timeout_seconds,
            )
        )

    def _tools(self, connection: Connection, scope: Scope) -> list[ListedTool] | None:
        # One list for one organization: what another one's server says is not ours to use.
        said = [scope.organization_id.hex, connection.url, dict(connection.headers)]
        key = blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
        now = self._monotonic()
        with self._guard:
            until, kept = self._lists.get(key, (float("-inf"), None))
        if now < until:
            return kept
        from worker.capabilities.mcp_servers import client  # noqa: PLC0415 - see there

        found, life = kept, SHUNNED_SECONDS
        try:
            guard = guard_of(self._private, scope.network_access)
            asked = replace(connection, timeout_seconds=LIST_SECONDS)
            asking = client.list_tools(asked, guard)
            found = listed(loop.run(asking, is_stopped=scope.is_stopped))
            life = TOOLS_LIFE.total_seconds()
        except loop.GaveUp:
            return kept
        except ServerTrouble:
            _log.warning("mcp_tools_not_listed", capability=INLINE_PREFIX)
        with self._guard:
            if len(self._lists) >= _KEPT:
                self._lists.clear()
            self._lists[key] = (self._monotonic() + life, found)
        return found


def _may_reach(connection: Connection, scope: Scope) -> bool:
    rules = HostRules.from_json(scope.network_access)
    return rules.permit(read_target(connection.url).host)


def _connection(name: str, config: Mapping[str, Any]) -> Connection | None:
    """None for what describes no server that is reached over HTTP."""
    url, headers = config.get("url"), config.get("headers") or {}
    if not isinstance(url, str) or not isinstance(headers, dict) or len(headers) > HEADERS:
        return None
    if any(problem_of_header(each, value) for each, value in headers.items()):
        return None
    try:
        target = read_target(url)
    except OutboundRefused:
        return None
    return Connection(
        name=name, url=target.url, timeout_seconds=DEFAULT_TIMEOUT_SECONDS, headers=headers
    )

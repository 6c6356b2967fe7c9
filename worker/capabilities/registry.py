"""The capabilities that a worker has: those built in, and those of installed packages.

A new one is a module beside this one, a line in `built_capabilities` and its declaration
in `common.domain.capability_catalog`; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from worker.capabilities import (
    agent_instructions,
    compaction,
    current_time,
    loop_detection,
    noop,
    session,
    session_file_system,
    session_storage,
    stateless_todo_list,
    test_math,
    test_weather,
)
from worker.capabilities.capability import Capability
from worker.capabilities.installed import with_installed
from worker.capabilities.mcp_servers import family as mcp_servers
from worker.capabilities.mcp_servers import inline as inline_mcp_servers
from worker.capabilities.services import Services
from worker.capabilities.web_fetch import tool as web_fetch


def built_capabilities(services: Services) -> Mapping[str, Capability]:
    """All that are built in, by id."""
    built = (
        noop.CAPABILITY,
        current_time.capability(services.now),
        test_math.CAPABILITY,
        test_weather.capability(services.now),
        stateless_todo_list.CAPABILITY,
        loop_detection.CAPABILITY,
        compaction.CAPABILITY,
        web_fetch.capability(services),
        mcp_servers.capability(services),
        inline_mcp_servers.capability(services),
        session_file_system.capability(services),
        agent_instructions.capability(services),
        session.capability(services),
        session_storage.capability(services),
    )
    return MappingProxyType({each.id: each for each in built})


def available_capabilities(services: Services) -> Mapping[str, Capability]:
    """All that this worker has, by id; loads what packages bring."""
    built = built_capabilities(services)
    return MappingProxyType(with_installed(built.values(), services))

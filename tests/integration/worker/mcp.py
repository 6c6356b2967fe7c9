"""A real MCP server as a process, and how tests register and call it."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from common import clock
from common.clock import new_id
from common.domain.agent import slug_of
from common.domain.events import EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.mcp_names import offered_name
from common.domain.mcp_server import (
    McpServer,
    McpServerConfig,
    McpServerStatus,
    headers_purpose,
    key_purpose,
)
from common.domain.outbound import PrivateTargets
from common.encryption import MasterKey, SecretBox
from common.storage import mcp_servers
from tests.conditions import wait_until
from tests.fakes import mcp_server as program
from tests.integration.worker.conftest import World

_KEY = MasterKey("test", bytes(range(32)))


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running_server(port: int | None = None) -> Iterator[str]:
    """The server as a process of its own; its URL."""
    port = port or free_port()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(Path(program.__file__)), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port), description="the MCP server", timeout_seconds=30)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture
def mcp_world(world: World) -> World:
    """A deployment whose operator lets tools reach this machine."""
    world.settings = replace(
        world.settings,
        outbound_allow_private=PrivateTargets.parse("127.0.0.1"),
        secrets_encryption_key=_KEY,
    )
    return world


def register(
    world: World, url: str, *, organization_id: UUID = DEFAULT_ORGANIZATION, **given: Any
) -> McpServer:
    """Store a server as the API does."""
    server_id, box = new_id(), SecretBox(_KEY)
    key, headers = given.pop("api_key", None), given.pop("headers", None)
    status = given.pop("status", McpServerStatus.ACTIVE)
    config = McpServerConfig(**{"name": f"S {server_id}", "url": url, **given})
    server = McpServer(
        id=server_id,
        organization_id=organization_id,
        slug=slug_of(config.name),
        config=config,
        status=McpServerStatus.ACTIVE,
        header_names=sorted(headers or {}),
        headers=headers and box.encrypt(json.dumps(headers), purpose=headers_purpose(server_id)),
        api_key=key and box.encrypt(key, purpose=key_purpose(server_id)),
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    with world.database.transaction() as tx:
        mcp_servers.insert(tx, server)
        if status is not McpServerStatus.ACTIVE:
            mcp_servers.update(tx, replace(server, status=status))
    return server


def stored(world: World, server: McpServer) -> McpServer:
    with world.database.reading() as tx:
        found = mcp_servers.find(tx, DEFAULT_ORGANIZATION, server.id)
    assert found is not None
    return found


def say_calls(world: World, server: McpServer, *calls: tuple[str, dict[str, Any]]) -> UUID:
    """A message upon which the model makes these calls."""
    made = [
        {"name": offered_name(server.config.name, name), "arguments": arguments}
        for name, arguments in calls
    ]
    return world.say("Go", tool_calls={"type": "fixed", "tool_calls": made})


def results(world: World) -> list[dict[str, Any]]:
    return [each.data for each in world.events() if each.type == EventType.TOOL_COMPLETED]


def by_tool(world: World) -> dict[str, dict[str, Any]]:
    """The results of one act, by the server's name for the tool."""
    return {data["tool_name"].partition("__")[2]: data for data in results(world)}


def shown(data: dict[str, Any]) -> Any:
    return json.loads(data["result"][0]["text"])

"""MCP servers that a session describes itself."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from common.domain.mcp_names import offered_name
from tests.integration.worker.conftest import World
from tests.integration.worker.mcp import mcp_world, results, server_url, shown
from tests.integration.worker.test_recovery import assert_ended_once

__all__ = ["mcp_world", "server_url"]


def describe(world: World, **servers: Any) -> None:
    """Give the session servers of its own description."""
    with world.database.transaction() as tx:
        tx.execute(
            text("UPDATE sessions SET mcp_servers = CAST(:servers AS jsonb) WHERE id = :id"),
            {"servers": json.dumps(servers), "id": world.session_id},
        )


def test_a_server_described_in_place_has_its_tools_too(mcp_world: World, server_url: str) -> None:
    world = mcp_world
    describe(world, team={"type": "http", "url": server_url, "headers": {"X-Team": "red"}})
    call = {"name": "mcp_team__add", "arguments": {"a": 1, "b": 1}}
    who = {"name": offered_name("team", "who.calls"), "arguments": {}}

    world.worker().run(world.say("Go", tool_calls={"type": "fixed", "tool_calls": [call, who]}))

    assert_ended_once(world)
    done = results(world)
    assert [shown(each)["result"] for each in done if each["tool_name"] == "mcp_team__add"] == ["2"]
    (sent,) = [shown(each)["result"] for each in done if each["tool_name"] != "mcp_team__add"]
    assert json.loads(sent)["x-team"] == "red"


@pytest.mark.parametrize(
    "server",
    [
        {"command": "rm", "args": ["-rf"]},
        {"url": 5},
        {"url": "file:///etc/passwd"},
        {"url": "http://10.0.0.1/mcp"},
        {"url": "http://127.0.0.1:1/mcp", "headers": {"Host": "x"}},
        {},
        "http://127.0.0.1/",
    ],
)
def test_a_description_that_leads_nowhere_costs_only_its_tools(
    mcp_world: World, server: Any
) -> None:
    world = mcp_world
    describe(world, team=server)

    world.worker().run(world.say("Go", response={"type": "fixed", "text": "Done."}))

    assert_ended_once(world)
    assert world.answers() == ["Done."]

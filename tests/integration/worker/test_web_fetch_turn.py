"""An agent that reads a web page, and the guard as a session's turn meets it."""

import json
from dataclasses import replace
from typing import Any

from common.domain.events import EventType
from common.domain.outbound import PrivateTargets
from tests.integration.outbound.conftest import Site, site
from tests.integration.worker.conftest import World
from tests.integration.worker.test_recovery import assert_ended_once

__all__ = ["site"]


def fetch(world: World, **arguments: Any) -> dict[str, Any]:
    world.grant("web_fetch")
    call = {"name": "web_fetch", "arguments": arguments}
    world.worker().run(world.say("Go", tool_calls={"type": "fixed", "tool_calls": [call]}))
    assert_ended_once(world)
    (data,) = [each.data for each in world.events() if each.type == EventType.TOOL_COMPLETED]
    return data


def test_an_agent_reads_a_page(world: World, site: Site) -> None:
    world.settings = replace(
        world.settings, outbound_allow_private=PrivateTargets.parse("127.0.0.1")
    )

    data = fetch(world, url=f"{site.url}/page", as_markdown=True)

    shown = json.loads(data["result"][0]["text"])
    assert (shown["status_code"], shown["format"]) == (200, "markdown")
    assert shown["content"].endswith("# Größe\n\nIt is **big**.")


def test_an_agent_cannot_read_what_is_private(world: World, site: Site) -> None:
    data = fetch(world, url=f"{site.url}/page")

    assert data["success"] is False
    assert "loopback" in data["error"]
    assert site.seen == []

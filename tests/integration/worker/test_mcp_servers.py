"""An agent and a real MCP server of the official library, end to end."""

import json
import socket
import threading
from dataclasses import replace

import pytest
import redis
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.masking import MASK
from common.domain.mcp_server import AuthMode, McpServerStatus, ProtocolMode
from common.encryption import MasterKey
from common.live import live_channel
from common.storage import mcp_servers
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.mcp import (
    by_tool,
    mcp_world,
    register,
    results,
    running_server,
    say_calls,
    server_url,
    shown,
    stored,
)
from tests.integration.worker.test_recovery import assert_ended_once

__all__ = ["mcp_world", "server_url"]


@pytest.mark.parametrize("mode", list(ProtocolMode))
def test_an_agent_calls_the_tools_of_a_server(
    mcp_world: World, server_url: str, mode: ProtocolMode
) -> None:
    world, server = mcp_world, register(mcp_world, server_url, name="My Tools!", protocol_mode=mode)
    world.grant(server.capability_id)

    world.worker().run(
        say_calls(
            world,
            server,
            ("add", {"a": 19, "b": 23}),
            ("several", {}),
            ("set_value", {"value": "x"}),
            ("fails", {}),
        )
    )

    assert_ended_once(world)
    done = by_tool(world)
    added, several = done["add"], done["several"]
    value, failed = done["set_value"], done["fails"]
    assert (added["tool_name"], shown(added)) == ("mcp_my-tools__add", {"result": "42"})
    assert added["capability_id"] == server.capability_id
    assert [part["text"] for part in shown(several)["content"]] == ["one", "two"]
    assert json.loads(shown(value)["result"])["nested"] == {"is_set": True}
    assert failed["success"] is False
    assert failed["error"].endswith("the printer is on fire")


def test_the_list_is_kept_for_a_day_and_then_asked_for_anew(
    mcp_world: World, server_url: str
) -> None:
    world = mcp_world
    server = register(world, server_url)
    world.grant(server.capability_id)
    worker = world.worker()
    assert stored(world, server).tools is None

    worker.run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    listed = stored(world, server)
    assert listed.tools is not None
    kinds = {tool["name"]: tool["side_effect"] for tool in listed.tools}
    assert kinds == {
        "add": "pure",
        "set_value": "idempotent",
        "several": "at_most_once",
        "fails": "at_most_once",
        "hangs": "at_most_once",
        "reports": "at_most_once",
        "who.calls": "at_most_once",
        "tells": "at_most_once",
    }
    worker.run(say_calls(world, server, ("add", {"a": 2, "b": 1})))
    assert stored(world, server).tools_fetched_at == listed.tools_fetched_at
    with world.database.transaction() as tx:
        tx.execute(
            text("UPDATE mcp_servers SET tools_fetched_at = now() - interval '25 h' WHERE id = :i"),
            {"i": server.id},
        )
    worker.run(say_calls(world, server, ("add", {"a": 3, "b": 1})))
    again = stored(world, server).tools_fetched_at
    assert again is not None
    assert listed.tools_fetched_at is not None
    assert again > listed.tools_fetched_at
    assert [shown(each)["result"] for each in results(world)] == ["2", "3", "4"]


def test_a_call_carries_key_headers_and_the_calls_own_key(
    mcp_world: World, server_url: str
) -> None:
    world = mcp_world
    server = register(
        world, server_url, auth_mode=AuthMode.API_KEY, api_key="sk-1", headers={"X-Team": "red"}
    )
    world.grant(server.capability_id)

    world.worker().run(say_calls(world, server, ("who.calls", {})))

    (result,) = results(world)
    sent = json.loads(shown(result)["result"])
    assert (sent["authorization"], sent["x-team"]) == ("Bearer sk-1", "red")
    expected = f"{world.session_id.hex}:{result['tool_call_id']}"
    assert (sent["idempotency-key"], sent["meta_key"]) == (expected, expected)


def test_credentials_that_a_server_repeats_get_no_further(
    mcp_world: World, server_url: str
) -> None:
    world, key, team = mcp_world, "planted-key-4711", "planted-header-4711"
    server = register(
        world, server_url, auth_mode=AuthMode.API_KEY, api_key=key, headers={"X-Team": team}
    )
    world.grant(server.capability_id)

    world.worker().run(say_calls(world, server, ("who.calls", {}), ("tells", {})))

    # In the order in which they ended.
    failed, told = sorted(results(world), key=lambda each: bool(each["success"]))
    sent = json.loads(shown(told)["result"])
    assert (sent["authorization"], sent["x-team"]) == (f"Bearer {MASK}", MASK)
    assert MASK in failed["error"]
    with world.database.reading() as tx:
        rows = tx.execute(text("SELECT events::text FROM events")).scalars().all()
    assert key not in "".join(rows)
    assert team not in "".join(rows)


def test_arguments_are_held_against_the_servers_schema(mcp_world: World, server_url: str) -> None:
    world, server = mcp_world, register(mcp_world, server_url)
    world.grant(server.capability_id)

    world.worker().run(say_calls(world, server, ("add", {"a": "one"})))

    (result,) = results(world)
    assert result["success"] is False
    assert "Argument b is missing." in result["error"]


def test_progress_is_told_live(mcp_world: World, server_url: str) -> None:
    world, server = mcp_world, register(mcp_world, server_url)
    world.grant(server.capability_id)
    with redis.Redis.from_url(world.settings.pubsub_url) as client, client.pubsub() as heard:
        heard.ssubscribe(live_channel(world.session_id))
        frames: list[bytes] = []

        def is_told() -> bool:
            message = heard.get_message(ignore_subscribe_messages=True)
            if message is not None:
                frames.append(message["data"])
            return any(b"half way" in each or b"2 of 2" in each for each in frames)

        world.worker().run(say_calls(world, server, ("reports", {})))
        wait_until(is_told, description="progress of the call")

    assert shown(results(world)[0]) == {"result": "done"}


def test_a_call_that_takes_too_long_is_an_error(mcp_world: World, server_url: str) -> None:
    world, server = mcp_world, register(mcp_world, server_url, timeout_seconds=1.0)
    world.grant(server.capability_id)

    world.worker().run(say_calls(world, server, ("hangs", {}), ("add", {"a": 1, "b": 1})))

    assert_ended_once(world)
    hung, added = by_tool(world)["hangs"], by_tool(world)["add"]
    assert "did not answer within 1 s" in hung["error"]
    assert (hung["success"], hung["status"]) == (False, "timeout")
    assert shown(added) == {"result": "2"}


def test_a_cancelled_turn_does_not_wait_for_the_server(mcp_world: World, server_url: str) -> None:
    world, server = mcp_world, register(mcp_world, server_url)
    world.settings = replace(world.settings, shutdown_grace_seconds=0.2)
    world.grant(server.capability_id)
    worker = world.worker()
    turn_id = say_calls(world, server, ("hangs", {}))
    thread = in_background(worker, turn_id)
    wait_until(lambda: EventType.TOOL_STARTED in world.types(), description="the call")

    worker.shutdown.begin()
    thread.join(10)

    assert not thread.is_alive()
    wait_until(
        lambda: not any("__hangs" in each.name for each in threading.enumerate()),
        description="the end of the call's own thread",
    )


def test_a_server_that_has_gone_fails_the_call_and_not_the_turn(mcp_world: World) -> None:
    world = mcp_world
    with running_server() as url:
        server = register(world, url)
        world.grant(server.capability_id)
        worker = world.worker()
        worker.run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    worker.run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    first, second = results(world)
    assert (first["success"], second["success"]) == (True, False)
    assert second["error"] == f"The MCP server {server.config.name} cannot be connected to."


def test_a_server_that_never_was_leaves_the_turn_without_its_tools(mcp_world: World) -> None:
    world = mcp_world
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = register(world, f"http://127.0.0.1:{port}/mcp")
    world.grant(server.capability_id, "test_math")

    world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    assert_ended_once(world)
    (result,) = results(world)
    assert "There is no tool named" in result["error"]
    assert stored(world, server).tools is None


def test_without_the_operators_word_a_private_server_is_never_contacted(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        server = register(world, url)
        world.grant(server.capability_id)
        world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

        assert_ended_once(world)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_the_sessions_network_access_counts_for_calls(mcp_world: World, server_url: str) -> None:
    world, server = mcp_world, register(mcp_world, server_url)
    world.grant(server.capability_id)
    with world.database.transaction() as tx:
        rules = '{"allowed": ["api.example.com"], "blocked": []}'
        tx.execute(
            text("UPDATE sessions SET network_access = CAST(:rules AS jsonb) WHERE id = :id"),
            {"rules": rules, "id": world.session_id},
        )

    world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    (result,) = results(world)
    assert "network access does not allow" in result["error"]


@pytest.mark.parametrize("case", ["disabled", "deleted", "foreign"])
def test_a_server_that_is_not_to_be_had_has_no_tools(
    mcp_world: World, server_url: str, case: str
) -> None:
    world = mcp_world
    organization_id = DEFAULT_ORGANIZATION
    if case == "foreign":
        organization_id = new_id()
        with world.database.transaction() as tx:
            tx.execute(
                text("INSERT INTO organizations (id, name) VALUES (:id, 'Others')"),
                {"id": organization_id},
            )
    status = McpServerStatus.DISABLED if case == "disabled" else McpServerStatus.ACTIVE
    server = register(world, server_url, organization_id=organization_id, status=status)
    if case == "deleted":
        with world.database.transaction() as tx:
            assert mcp_servers.delete(tx, organization_id, server.id)
    world.grant(server.capability_id)

    world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    assert_ended_once(world)
    (result,) = results(world)
    assert "There is no tool named" in result["error"]


def test_credentials_that_cannot_be_opened_are_an_error_without_them(
    mcp_world: World, server_url: str
) -> None:
    world = mcp_world
    server = register(world, server_url, auth_mode=AuthMode.API_KEY, api_key="sk-1")
    world.grant(server.capability_id)
    world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))
    world.settings = replace(world.settings, secrets_encryption_key=MasterKey("new", bytes(32)))

    world.worker().run(say_calls(world, server, ("add", {"a": 1, "b": 1})))

    first, second = results(world)
    assert first["success"] is True
    assert "credentials" in second["error"]
    assert "sk-1" not in json.dumps(second)

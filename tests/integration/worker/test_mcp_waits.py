"""Servers that do not answer: what a turn waits for, and when they are asked again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.mcp_server import McpServer
from common.storage import mcp_servers
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.mcp import (
    free_port,
    mcp_world,
    register,
    results,
    running_server,
    say_calls,
    server_url,
    shown,
)
from tests.integration.worker.outside import Outside
from tests.integration.worker.test_inline_mcp_servers import describe
from tests.integration.worker.test_recovery import Recorder, assert_ended_once
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability, Contribution, Scope, SideEffect

__all__ = ["mcp_world", "server_url"]

_ADD = ("add", {"a": 1, "b": 1})
_SERVERS = 12


class Silence:
    """Takes every connection, keeps it, and says nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/mcp"
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._held.append(self._socket.accept()[0])

    @property
    def callers(self) -> int:
        """How many connections are open at the other end."""
        return sum(map(_is_open, list(self._held)))

    def end(self) -> None:
        self._socket.close()
        for each in self._held:
            each.close()


def _is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@pytest.fixture
def silence() -> Iterator[Silence]:
    made = Silence()
    yield made
    made.end()


def _grant_silent_servers(world: World, silence: Silence, **given: Any) -> None:
    half = _SERVERS // 2
    servers = [register(world, silence.url, **given) for _ in range(half)]
    world.grant(*(each.capability_id for each in servers))
    describe(world, **{f"s{n}": {"url": f"{silence.url}?{n}"} for n in range(half)})


def test_all_servers_of_a_turn_are_asked_at_once_and_it_goes_on_without_them(
    mcp_world: World, silence: Silence
) -> None:
    world = mcp_world
    servers = [register(world, silence.url, timeout_seconds=2.0) for _ in range(_SERVERS)]
    world.grant(*(each.capability_id for each in servers))
    thread = in_background(world.worker(), world.say("Go"))

    wait_until(lambda: silence.callers >= _SERVERS, description="all are asked")
    # Each for itself would take twice as long as this.
    thread.join(_SERVERS)

    assert not thread.is_alive()
    assert_ended_once(world)


def test_a_cancelled_turn_waits_for_no_server(mcp_world: World, silence: Silence) -> None:
    world = mcp_world
    _grant_silent_servers(world, silence)
    worker, outside = world.worker(), Outside(mcp_world)
    turn_id = world.say("Go")
    thread = in_background(worker, turn_id)
    wait_until(lambda: silence.callers >= _SERVERS, description="all are asked")

    outside.cancel()
    worker.leases.cancel(turn_id)
    thread.join(5)

    assert not thread.is_alive()
    assert_ended_once(world, terminal="turn.cancelled")
    wait_until(lambda: silence.callers == 0, description="the servers are left alone")


def test_a_worker_that_shuts_down_gives_such_a_turn_back(
    mcp_world: World, silence: Silence
) -> None:
    world = mcp_world
    world.settings = replace(world.settings, shutdown_grace_seconds=0.2)
    _grant_silent_servers(world, silence)
    worker = world.worker()
    thread = in_background(worker, world.say("Go"))
    wait_until(lambda: silence.callers >= _SERVERS, description="all are asked")

    worker.shutdown.begin()
    thread.join(5)

    assert not thread.is_alive()
    row = world.row("SELECT status, reclaims FROM turns")
    assert (row.status, row.reclaims) == ("queued", 0)


def test_a_turn_that_is_taken_over_can_be_stopped_before_its_first_step(world: World) -> None:
    """Its first word is of the call that was lost, for which its tools are looked up."""
    recorder = Recorder(SideEffect.AT_MOST_ONCE)
    begun = threading.Event()
    other = Capability("noop", prepare=_waits(begun))
    world.grant("noop")
    lost = world.worker(recorder.capabilities)
    turn_id = world.say("Go", tool_calls={"type": "fixed", "tool_calls": [{"name": "act"}]})
    thread = in_background(lost, turn_id)
    wait_until(lambda: recorder.keys, description="the tool runs")
    world.expire_leases()
    second = world.worker({"noop": other})
    resumed = in_background(second, turn_id)
    assert begun.wait(10)

    second.shutdown.begin()
    resumed.join(10)
    recorder.let_go.set()
    thread.join(10)

    assert not resumed.is_alive()
    assert world.row("SELECT status FROM turns").status == "queued"
    world.worker(recorder.capabilities).run(turn_id)
    assert_ended_once(world)


def _waits(begun: threading.Event) -> Any:
    def prepare(_config: Any, scope: Scope, /) -> Contribution:
        begun.set()
        wait_until(scope.is_stopped, description="the turn is stopped")
        return Contribution()

    return prepare


# --- a server that failed is left alone for a while ---------------------------------------


def _add(world: World, worker: Worker, server: McpServer) -> dict[str, Any]:
    worker.run(say_calls(world, server, _ADD))
    return results(world)[-1]


@pytest.mark.parametrize("how", ["refreshed", "changed"])
def test_a_server_that_failed_is_asked_again_once_somebody_sees_to_it(
    mcp_world: World, how: str
) -> None:
    world, port = mcp_world, free_port()
    server = register(world, f"http://127.0.0.1:{port}/mcp")
    world.grant(server.capability_id)
    workers = [world.worker(), world.worker()]
    for worker in workers:
        assert _add(world, worker, server)["success"] is False

    with running_server(port):
        # It is back, which nobody knows yet.
        assert _add(world, workers[0], server)["success"] is False
        with world.database.transaction() as tx:
            if how == "refreshed":
                assert mcp_servers.forget_tools(tx, DEFAULT_ORGANIZATION, server.id)
            else:
                mcp_servers.update(tx, server)
        for worker in workers:
            assert shown(_add(world, worker, server)) == {"result": "2"}


def test_a_session_that_may_not_reach_a_server_takes_it_from_nobody(
    mcp_world: World, server_url: str
) -> None:
    world = mcp_world
    describe(world, team={"url": f"{server_url}?{free_port()}"})
    worker = world.worker()
    call = {"name": "mcp_team__add", "arguments": {"a": 1, "b": 1}}

    def ask(rules: str | None) -> dict[str, Any]:
        with world.database.transaction() as tx:
            tx.execute(
                text("UPDATE sessions SET network_access = CAST(:rules AS jsonb) WHERE id = :id"),
                {"rules": rules, "id": world.session_id},
            )
        worker.run(world.say("Go", tool_calls={"type": "fixed", "tool_calls": [call]}))
        return results(world)[-1]

    elsewhere = '{"allowed": ["api.example.com"], "blocked": []}'
    assert ask(elsewhere)["success"] is False
    assert shown(ask(None)) == {"result": "2"}
    # Nor does it get its tools from others.
    assert "There is no tool named" in ask(elsewhere)["error"]

"""A worker that dies, is cut off or leaves: the turn goes on elsewhere and ends once."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from common.domain.errors import LeaseLost
from common.domain.events import TERMINAL_TYPES
from common.live import text_key
from common.redis_client import make_client
from common.storage import turns
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolSucceeded,
)
from worker.lease import Lease, Leases

SLOW = {
    "tokens_per_second": 20,
    "response": {"type": "fixed", "text": "one two three four five six"},
}


class Recorder:
    """A tool whose effects are counted outside the system, and which blocks until let go."""

    def __init__(self, side_effect: SideEffect) -> None:
        self.keys: list[str] = []
        self.let_go = threading.Event()
        tool = Tool(
            name="act",
            display_name="Act",
            description="Do something that counts",
            parameters={"type": "object"},
            side_effect=side_effect,
            run=self._run,
            reconcile=self._ask if side_effect is SideEffect.RECONCILE else None,
        )
        self.capabilities = {"noop": Capability("noop", (tool,))}

    def _ask(self, _arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome | None:
        """What became of a call is in `test_tools.py`; here nobody can say."""
        raise ConnectionError

    def _run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        self.keys.append(context.idempotency_key)
        self.let_go.wait(20)
        return ToolSucceeded({"done": len(self.keys), **arguments})


ACT = {"type": "fixed", "tool_calls": [{"name": "act", "arguments": {}}]}


def assert_ended_once(world: World, *, terminal: str = "turn.completed") -> None:
    events = world.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events if event.type in TERMINAL_TYPES] == [terminal]
    assert events[-1].type == "session.idled"
    stamps = [event.ts for event in events]
    assert stamps == sorted(stamps)


def wait_for_text(world: World) -> None:
    redis = make_client(world.settings.redis_url, timeout_seconds=2)
    opener = world.types().index("output.message.started") + 1
    wait_until(
        lambda: bool(redis.strlen(text_key(world.session_id, opener))),
        description="text is streamed",
    )


def test_a_turn_lost_in_mid_stream_is_answered_by_another_worker(world: World) -> None:
    lost, other = world.worker(), world.worker()
    turn_id = world.say("Hello", **SLOW)
    thread = in_background(lost, turn_id)
    wait_until(lambda: "output.message.started" in world.types(), description="stream opens")
    wait_for_text(world)

    world.expire_leases()
    other.run(turn_id)
    thread.join(10)

    assert_ended_once(world)
    types = world.types()
    assert types[4:7] == ["output.message.started", "reason.recovered", "output.message.started"]
    assert world.answers() == ["one two three four five six"]
    completed = next(e for e in world.events() if e.type == "output.message.completed")
    assert completed.context["stream_sequence"] == 7


@pytest.mark.parametrize("side_effect", list(SideEffect))
def test_a_call_cut_off_in_the_middle(world: World, side_effect: SideEffect) -> None:
    recorder = Recorder(side_effect)
    world.grant("noop")
    lost, other = (world.worker(recorder.capabilities) for _ in range(2))
    turn_id = world.say("Go", tool_calls=ACT)
    thread = in_background(lost, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the tool runs")

    world.expire_leases()
    resumed = in_background(other, turn_id)
    if side_effect.may_repeat:
        wait_until(lambda: len(recorder.keys) == 2, description="the tool runs again")
        recorder.let_go.set()
    resumed.join(10)
    recorder.let_go.set()
    thread.join(10)

    assert_ended_once(world)
    results = [event.data for event in world.events() if event.type == "tool.completed"]
    assert len(results) == 1
    assert len(set(recorder.keys)) == 1, "a repeated call has the same idempotency key"
    if side_effect.may_repeat:
        assert results[0]["success"] is True
        assert len(recorder.keys) == 2
    else:
        assert results[0]["status"] == "error"
        assert "unknown" in results[0]["error"]
        assert len(recorder.keys) == 1, "an effect that may not be repeated was repeated"


def test_a_turn_that_keeps_losing_its_workers_is_sealed(world: World) -> None:
    turn_id = world.say("Hello", **SLOW)
    threads = []
    for attempt in range(1, 4):
        threads.append(in_background(world.worker(), turn_id))
        wait_until(
            lambda wanted=attempt: world.types().count("output.message.started") == wanted,  # type: ignore[misc]  # bound now
            description=f"attempt {attempt} streams",
        )
        world.expire_leases()
    world.worker().run(turn_id)
    for thread in threads:
        thread.join(10)

    assert_ended_once(world, terminal="turn.sealed")
    assert world.row("SELECT status, reclaims FROM turns") == ("sealed", 3)
    assert world.types()[-3:] == ["turn.sealed", "output.message.completed", "session.idled"]


def test_progress_forgets_earlier_losses(world: World) -> None:
    recorder = Recorder(SideEffect.IDEMPOTENT)
    recorder.let_go.set()
    world.grant("noop")
    slow_then_act = {**SLOW, "tool_calls": ACT}
    turn_id = world.say("Go", **slow_then_act)
    thread = in_background(world.worker(recorder.capabilities), turn_id)
    wait_until(lambda: "output.message.started" in world.types(), description="stream opens")
    world.expire_leases()

    second = in_background(world.worker(recorder.capabilities), turn_id)
    wait_until(lambda: "act.completed" in world.types(), description="the act is over")

    assert world.row("SELECT reclaims FROM turns").reclaims == 0
    second.join(10)
    thread.join(10)
    assert_ended_once(world)


def test_a_leaving_worker_hands_its_turn_over(world: World) -> None:
    recorder = Recorder(SideEffect.AT_MOST_ONCE)
    world.grant("noop")
    leaving = world.worker(recorder.capabilities)
    turn_id = world.say("Go", tool_calls=ACT)
    thread = in_background(leaving, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the tool runs")

    leaving.shutdown.begin()
    recorder.let_go.set()
    thread.join(10)

    row = world.row("SELECT status, reclaims, handed_over, lease_owner FROM turns")
    assert row == ("queued", 0, True, None)
    assert world.types()[-1] == "output.message.started", "the step before was finished"

    leaving.run(turn_id)
    assert world.row("SELECT status FROM turns").status == "queued", "it takes nothing any more"

    world.worker(recorder.capabilities).run(turn_id)
    assert_ended_once(world)
    assert world.row("SELECT reclaims FROM turns").reclaims == 0
    assert len(recorder.keys) == 1


def test_a_second_delivery_claims_nothing(world: World) -> None:
    recorder = Recorder(SideEffect.IDEMPOTENT)
    world.grant("noop")
    worker, other = (world.worker(recorder.capabilities) for _ in range(2))
    turn_id = world.say("Go", tool_calls=ACT)
    thread = in_background(worker, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the tool runs")
    before = world.types()

    other.run(turn_id)

    assert world.types() == before
    recorder.let_go.set()
    thread.join(10)
    other.run(turn_id)
    assert_ended_once(world)
    assert len(recorder.keys) == 1


def test_the_sweeper_finds_a_silent_worker_and_sends_its_turn_again(world: World) -> None:
    turn_id = world.post("Hello")
    lost = in_background(world.worker(), turn_id)
    lost.join(10)
    assert_ended_once(world)


def test_renewal_keeps_a_lease_and_notices_a_lost_one(world: World) -> None:
    recorder = Recorder(SideEffect.IDEMPOTENT)
    world.grant("noop")
    worker = world.worker(recorder.capabilities)
    turn_id = world.say("Go", tool_calls=ACT)
    thread = in_background(worker, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the tool runs")
    before = world.row("SELECT lease_until FROM turns").lease_until

    worker.leases.renew()
    assert world.row("SELECT lease_until FROM turns").lease_until > before

    world.expire_leases()
    worker.leases.renew()
    thread.join(10)

    assert not thread.is_alive(), "a lost lease ends the turn here, though its tool still runs"
    recorder.let_go.set()
    assert "tool.completed" not in world.types()


def test_a_turn_whose_log_cannot_be_read_is_sealed_too(world: World) -> None:
    """As the last resort the turn ends without a look at what crashes its workers."""
    turn_id = world.say("Hello", **SLOW)
    thread = in_background(world.worker(), turn_id)
    wait_until(lambda: "output.message.started" in world.types(), description="stream opens")
    world.expire_leases()
    thread.join(10)
    with world.database.transaction() as tx:
        tx.execute(text("DELETE FROM turn_configs"))

    for _ in range(2):
        world.worker().run(turn_id)
        assert "turn.sealed" not in world.types()
        world.expire_leases()
    world.worker().run(turn_id)

    assert_ended_once(world, terminal="turn.sealed")
    assert world.row("SELECT status, open_turn_id FROM session_heads") == ("idle", None)


def test_a_turn_that_cannot_begin_ends_at_once(world: World) -> None:
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE sessions SET capabilities = CAST('[{}]' AS jsonb)"))
    world.worker().run(world.post("Hello"))

    assert_ended_once(world, terminal="turn.sealed")
    assert world.row("SELECT status FROM turns").status == "sealed"


def test_a_late_renewal_costs_no_turn_that_nobody_took(world: World) -> None:
    with world.database.transaction() as tx:
        claim = turns.claim(tx, world.post("Hello"), owner="test", lease_seconds=60)
    assert claim is not None
    leases = Leases(world.database, lease_seconds=60, renew_seconds=20)
    lease = Lease(claim, valid_until=0.0)
    leases.hold(lease)

    lease.check()

    world.expire_leases()
    lease.valid_until = 0.0
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_connection_that_an_outage_broke_costs_no_turn(world: World) -> None:
    database = Database(world.settings.database_url, pool_size=1, application="test-leases")
    with database.transaction() as tx:
        claim = turns.claim(tx, world.post("Hello"), owner="test", lease_seconds=60)
    assert claim is not None
    lease = Lease(claim, valid_until=0.0)
    Leases(database, lease_seconds=60, renew_seconds=20).hold(lease)
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'test-leases' AND datname = current_database()"
            )
        )

    lease.check()

    assert lease.valid_until > time.monotonic()
    database.close()

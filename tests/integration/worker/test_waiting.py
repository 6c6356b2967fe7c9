"""Turns that wait for the client: nobody holds them, and every answer is durable."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from common.domain.errors import BadRequest, Conflict, DomainError
from common.domain.events import TERMINAL_TYPES
from common.storage import turns
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.outside import LOOK_UP, Outside, asked, calls, results, script
from tests.integration.worker.test_recovery import Recorder
from worker.capabilities.capability import SideEffect


@pytest.fixture
def outside(world: World) -> Outside:
    outside = Outside(world)
    outside.define(LOOK_UP)
    return outside


def turn(world: World) -> Any:
    return world.row("SELECT * FROM turns ORDER BY created_at DESC LIMIT 1")


def status(world: World) -> str:
    return str(world.row("SELECT status FROM session_heads").status)


def assert_ended_once(world: World, *, terminal: str = "turn.completed") -> None:
    types = world.types()
    assert [kind for kind in types if kind in TERMINAL_TYPES] == [terminal]
    assert types[-1] == "session.idled"
    assert types.count("session.idled") == 1
    assert status(world) == "idle"
    called = {
        part["id"]
        for event in world.events()
        if event.type == "output.message.completed"
        for part in event.data["message"]["content"]
        if part["type"] == "tool_call"
    }
    assert set(results(world)) == called


def test_a_call_of_the_client_is_asked_for_and_its_result_read(
    world: World, outside: Outside
) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up", q="x")))
    worker.run(turn_id)

    types = world.types()
    assert types[-2:] == ["act.started", "tool.call_requested"]
    assert "tool.started" not in types
    request = world.events()[-1]
    (call_id,) = asked(world)
    assert request.data["tool_calls"] == [
        {"id": call_id, "name": "look_up", "arguments": {"q": "x"}}
    ]
    assert request.data["tool_summaries"] == [{"id": call_id, "name": "look_up"}]
    assert request.data["deadline"] > request.ts.isoformat()[:19]
    assert "deadline_seconds" not in request.data
    assert status(world) == turn(world).status + "fortoolresults" == "waitingfortoolresults"

    assert outside.give((call_id, {"found": 42})) == {"accepted": 1, "status": "active"}
    assert (status(world), turn(world).status) == ("active", "queued")
    assert outside.queue.sent == [turn_id]
    (completed,) = outside.live.published[0][1]
    assert completed.type == "tool.completed"
    assert completed.context["exec_id"] == request.context["exec_id"]
    worker.run(turn_id)

    after = world.types(after=request.sequence)
    assert after[:3] == ["tool.completed", "act.completed", "reason.started"]
    assert_ended_once(world)
    assert results(world)[call_id]["result"] == [{"type": "text", "text": '{"found":42}'}]
    (act,) = [event for event in world.events() if event.type == "act.completed"]
    assert act.data == {"completed": True, "success_count": 1, "error_count": 0}
    (ended,) = [event for event in world.events() if event.type == "turn.completed"]
    assert (ended.data["iterations"], ended.data["tool_call_count"]) == (2, 1)
    assert world.answers()[-1] == "done"


def test_nobody_holds_a_turn_that_waits(world: World, outside: Outside) -> None:
    """No lease, no thread, no connection: whoever waits costs a row."""
    worker = world.worker()
    before = {thread.name for thread in threading.enumerate()}
    worker.run(world.say("Go", **script(calls("look_up"))))

    row = turn(world)
    assert (row.status, row.lease_owner, row.lease_until) == ("waiting", None, None)
    assert worker.leases.all() == []
    assert {thread.name for thread in threading.enumerate()} <= before
    assert worker.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with world.database.transaction() as tx:
        assert not turns.requeue_expired(tx, limit=10)
        assert not turns.take_due(tx, limit=10)
    worker.run(row.id)
    assert turn(world).status == "waiting", "a stray wake-up finds nothing to take"
    outside.sweep()
    assert turn(world).status == "waiting", "its time has not come"


def test_parts_of_the_results_may_come_one_by_one(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up", "look_up", "look_up")))
    worker.run(turn_id)
    first, second, third = asked(world)

    assert outside.give((second, "2")) == {"accepted": 1, "status": "waitingfortoolresults"}
    assert turn(world).status == "waiting"
    assert outside.queue.sent == []
    with pytest.raises(BadRequest, match="answered already"):
        outside.give((first, "1"), (second, "again"))
    assert list(results(world)) == [second], "of a request with a fault nothing is stored"
    assert outside.give((third, "3"), (first, "1")) == {"accepted": 2, "status": "active"}
    worker.run(turn_id)

    assert_ended_once(world)
    assert {call_id: data["result"][0]["text"] for call_id, data in results(world).items()} == {
        first: "1",
        second: "2",
        third: "3",
    }


def test_a_result_that_is_too_late_is_refused(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up")))
    with pytest.raises(Conflict, match="not waiting for tool results; its status is started"):
        outside.give(("call_1", "early"))
    worker.run(turn_id)
    (call_id,) = asked(world)
    outside.give((call_id, "in time"))
    with pytest.raises(Conflict, match="not waiting for tool results; its status is active"):
        outside.give((call_id, "twice"))
    worker.run(turn_id)
    with pytest.raises(Conflict, match="not waiting for tool results; its status is idle"):
        outside.give((call_id, "late"))
    assert_ended_once(world)


def test_server_tools_of_a_mixed_batch_run_first(world: World, outside: Outside) -> None:
    world.grant("test_math")
    worker = world.worker()
    step = {
        "text": "",
        "tool_calls": [
            {"name": "look_up", "arguments": {}},
            {"name": "add", "arguments": {"a": 1, "b": 2}},
        ],
    }
    turn_id = world.say("Go", **script(step))
    worker.run(turn_id)

    assert world.types()[-4:] == [
        "act.started",
        "tool.started",
        "tool.completed",
        "tool.call_requested",
    ]
    (call_id,) = asked(world)
    outside.give((call_id, None), error="there is none")
    worker.run(turn_id)

    assert_ended_once(world)
    (act,) = [event for event in world.events() if event.type == "act.completed"]
    assert act.data == {"completed": True, "success_count": 1, "error_count": 1}
    assert results(world)[call_id]["error"] == "there is none"


def test_a_newer_message_is_read_instead_of_the_results(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up", "look_up")))
    worker.run(turn_id)
    first, second = asked(world)
    outside.give((first, "1"))

    outside.say("Never mind")

    assert turn(world).id == turn_id
    assert outside.queue.sent == [turn_id]
    told = [event.type for event in outside.live.published[-1][1]]
    assert told == ["input.message", "tool.completed"]
    assert results(world)[first]["success"] is True
    cancelled = results(world)[second]
    assert (cancelled["success"], cancelled["status"]) == (False, "cancelled")
    assert "newer user message" in cancelled["error"]
    worker.run(turn_id)
    assert_ended_once(world)
    assert world.types().count("turn.started") == 1
    reads = [event.sequence for event in world.events() if event.type == "reason.started"]
    assert reads[-1] > world.row("SELECT last_input_sequence AS s FROM session_heads").s


def test_a_message_that_came_before_the_request_is_read_first(world: World) -> None:
    """The client is not asked for what the newer message may have made pointless."""
    outside = Outside(world)
    outside.define(LOOK_UP)
    recorder = Recorder(SideEffect.IDEMPOTENT)
    world.grant("noop")
    worker = world.worker(recorder.capabilities)
    turn_id = world.say("Go", **script(calls("act", "look_up")))
    thread = in_background(worker, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the server's tool runs")
    outside.say("Wait")
    recorder.let_go.set()
    thread.join(10)

    assert "tool.call_requested" not in world.types()
    assert_ended_once(world)
    assert [data["status"] for data in results(world).values()] == ["success", "cancelled"]


def test_in_the_end_the_sweeper_answers(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up", "look_up")))
    worker.run(turn_id)
    first, second = asked(world)
    outside.give((second, "2"))

    outside.let_time_pass()

    assert outside.queue.sent[-1] == turn_id
    assert [event.type for event in outside.live.published[-1][1]] == ["tool.completed"]
    assert (status(world), turn(world).status) == ("active", "queued")
    assert results(world)[first]["status"] == "timeout"
    assert results(world)[second]["status"] == "success"
    with pytest.raises(Conflict):
        outside.give((first, "late"))
    worker.run(turn_id)
    assert_ended_once(world)


def test_several_sweepers_answer_once(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up")))
    worker.run(turn_id)
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE turns SET waiting_until = now() - interval '1 s'"))
    with ThreadPoolExecutor(4) as threads:
        for sweep in [threads.submit(outside.sweep) for _ in range(4)]:
            sweep.result(30)
    worker.run(turn_id)
    assert_ended_once(world)
    assert outside.queue.sent == [turn_id]


def test_a_turn_that_waits_is_cancelled(world: World, outside: Outside) -> None:
    worker = world.worker()
    turn_id = world.say("Go", **script(calls("look_up", "look_up")))
    worker.run(turn_id)
    first, second = asked(world)
    outside.give((first, "1"))

    assert outside.cancel() == "cancelled"

    assert_ended_once(world, terminal="turn.cancelled")
    assert (results(world)[first]["status"], results(world)[second]["status"]) == (
        "success",
        "cancelled",
    )
    assert outside.cancel() == "no_op"
    with pytest.raises(Conflict, match="its status is idle"):
        outside.give((second, "2"))
    outside.let_time_pass()
    worker.run(turn_id)
    assert_ended_once(world, terminal="turn.cancelled")


def test_a_session_that_waits_is_deleted(world: World, outside: Outside) -> None:
    worker = world.worker()
    worker.run(world.say("Go", **script(calls("look_up"))))
    (call_id,) = asked(world)
    outside.delete()
    assert turn(world).status == "cancelled"
    with pytest.raises(DomainError, match="not found"):
        outside.give((call_id, "late"))
    outside.let_time_pass()


def test_the_claim_after_waiting_is_no_loss(world: World, outside: Outside) -> None:
    """However often a turn waits, nobody takes it for one that keeps losing its workers."""
    worker = world.worker()
    turn_id = world.say("Go", **script(*(calls("look_up") for _ in range(6))))
    for _ in range(6):
        worker.run(turn_id)
        outside.give((asked(world)[0], "1"))
        assert turn(world).reclaims == 0
    worker.run(turn_id)
    assert_ended_once(world)
    assert turn(world).attempt == 7


def test_a_worker_that_is_lost_on_either_side_of_the_wait(world: World, outside: Outside) -> None:
    recorder = Recorder(SideEffect.IDEMPOTENT)
    world.grant("noop")
    turn_id = world.say("Go", **script(calls("act", "look_up"), calls("act")))
    lost = in_background(world.worker(recorder.capabilities), turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the server's tool runs")
    world.expire_leases()
    second = in_background(world.worker(recorder.capabilities), turn_id)
    wait_until(lambda: len(recorder.keys) == 2, description="it runs again")
    recorder.let_go.set()
    second.join(10)
    lost.join(10)
    assert turn(world).status == "waiting"
    assert turn(world).reclaims == 0, "what is waited for is progress"
    recorder.let_go.clear()

    outside.give((asked(world)[0], "1"))
    third = in_background(world.worker(recorder.capabilities), turn_id)
    wait_until(lambda: len(recorder.keys) == 3, description="the second act runs")
    world.expire_leases()
    recorder.let_go.set()
    world.worker(recorder.capabilities).run(turn_id)
    third.join(10)
    assert_ended_once(world)


def test_results_race_with_messages_cancels_and_sweepers(world: World, outside: Outside) -> None:
    """Whoever is first answers; nobody answers twice; the session never hangs."""
    worker = world.worker()

    def quietly(action: Any) -> None:
        with suppress(Conflict, BadRequest):
            action()

    raced = 0
    for number in range(16):
        turn_id = world.say("Go", **script(calls("look_up", "look_up")))
        while turn(world).status == "queued":
            worker.run(turn(world).id)
        if turn(world).status != "waiting":
            continue
        raced += 1
        first, second = asked(world)
        actions = [
            lambda first=first: outside.give((first, "1")),
            lambda second=second: outside.give((second, "2")),
            lambda first=first, second=second: outside.give((first, "x"), (second, "y")),
            outside.let_time_pass,
            outside.cancel if number % 2 else (lambda: outside.say("new")),
        ]
        with ThreadPoolExecutor(len(actions)) as threads:
            for done in [threads.submit(quietly, action) for action in actions]:
                done.result(30)
        while turn(world).status == "queued":
            worker.run(turn(world).id)
        assert turn(world).status in ("completed", "cancelled"), turn_id
        assert status(world) == "idle"
        results(world)
    assert raced >= 5

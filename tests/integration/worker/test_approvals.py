"""Calls that a person must allow: nothing is made before the decision, and each is settled."""

from typing import Any

import pytest

from common.domain.errors import BadRequest, Conflict
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.outside import LOOK_UP, Outside, asked, calls, results, script
from tests.integration.worker.test_recovery import Recorder
from tests.integration.worker.test_waiting import assert_ended_once, status, turn
from worker.bootstrap import Worker
from worker.capabilities.capability import SideEffect

APPROVAL = "tool.approval_requested"
GUARD_ACT = {"type": "builtin", "name": "act", "policy": "requires_approval"}
GUARDED_LOOK_UP = {**LOOK_UP, "policy": "requires_approval"}


@pytest.fixture
def outside(world: World) -> Outside:
    return Outside(world)


@pytest.fixture
def recorder(world: World) -> Recorder:
    """A server tool named `act`, and a count of what it did."""
    recorder = Recorder(SideEffect.AT_MOST_ONCE)
    recorder.let_go.set()
    world.grant("noop")
    return recorder


@pytest.fixture
def worker(world: World, recorder: Recorder) -> Worker:
    return world.worker(recorder.capabilities)


def decisions(world: World) -> list[dict[str, Any]]:
    return [event.data for event in world.events() if event.type == "tool.approval_resolved"]


def test_a_guarded_call_is_made_once_it_is_allowed(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act", what="x")))
    worker.run(turn_id)

    assert world.types()[-2:] == ["act.started", APPROVAL]
    assert (status(world), turn(world).status) == ("waitingfortoolresults", "waiting")
    assert turn(world).lease_until is None
    assert recorder.keys == []
    (call_id,) = asked(world, APPROVAL)
    request = world.events()[-1].data
    assert request["tool_calls"] == [{"id": call_id, "name": "act", "arguments": {"what": "x"}}]
    assert request["deadline"]
    with pytest.raises(Conflict, match="not waiting for tool results"):
        outside.give((call_id, "no result of the client's"))

    assert outside.decide((call_id, "allow")) == {"resolved": [call_id], "status": "active"}
    worker.run(turn_id)

    assert_ended_once(world)
    assert len(recorder.keys) == 1
    assert results(world)[call_id]["success"] is True
    (decision,) = decisions(world)
    assert decision["decision"] == "allow"
    assert decision["tool_call_id"] == call_id
    assert decision["by"]
    with pytest.raises(Conflict, match="not waiting for tool approvals; its status is idle"):
        outside.decide((call_id, "allow"))


def test_a_rejected_call_is_never_made(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act")))
    worker.run(turn_id)
    (call_id,) = asked(world, APPROVAL)

    outside.decide((call_id, "reject"), reason="too dangerous")
    worker.run(turn_id)

    assert_ended_once(world)
    assert recorder.keys == []
    result = results(world)[call_id]
    assert (result["success"], result["status"]) == (False, "error")
    assert "too dangerous" in result["error"]
    assert decisions(world)[0]["reason"] == "too dangerous"


def test_a_batch_goes_on_when_every_call_is_decided_on(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act", "act", "act")))
    worker.run(turn_id)
    first, second, third = asked(world, APPROVAL)

    assert outside.decide((second, "allow"))["status"] == "waitingfortoolresults"
    assert outside.queue.sent == []
    with pytest.raises(BadRequest, match="answered already"):
        outside.decide((second, "reject"))
    with pytest.raises(BadRequest, match="no call that is waited for"):
        outside.decide((first, "allow"), ("call_unknown", "allow"))
    answer = outside.decide((first, "reject"), (third, "allow"))
    assert answer == {"resolved": [first, third], "status": "active"}
    worker.run(turn_id)

    assert_ended_once(world)
    assert len(recorder.keys) == 2
    assert [results(world)[each]["success"] for each in (first, second, third)] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(("always", "made"), [("allow_always", 3), ("reject_always", 0)])
def test_what_is_decided_for_good_is_not_asked_again(
    world: World, recorder: Recorder, worker: Worker, always: str, made: int
) -> None:
    outside = Outside(world)
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act"), calls("act", "act")))
    worker.run(turn_id)
    outside.decide((asked(world, APPROVAL)[0], always))
    worker.run(turn_id)

    assert_ended_once(world)
    assert world.types().count(APPROVAL) == 1
    assert len(recorder.keys) == made
    assert {data["success"] for data in results(world).values()} == {made > 0}


def test_a_decision_for_once_is_asked_again(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act"), calls("act")))
    for _ in range(2):
        worker.run(turn_id)
        outside.decide((asked(world, APPROVAL)[0], "allow"))
    worker.run(turn_id)
    assert_ended_once(world)
    assert len(recorder.keys) == world.types().count(APPROVAL) == 2


@pytest.mark.parametrize(("default", "made"), [("reject", 0), ("allow", 1)])
def test_the_default_decides_in_the_end(
    world: World, recorder: Recorder, worker: Worker, default: str, made: int
) -> None:
    outside = Outside(world)
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act")))
    worker.run(turn_id)

    outside.let_time_pass(approval_default=default)
    worker.run(turn_id)

    assert_ended_once(world)
    assert len(recorder.keys) == made
    (decision,) = decisions(world)
    assert (decision["decision"], decision["by"]) == (default, "deadline")
    (result,) = results(world).values()
    assert result["status"] == ("success" if made else "timeout")


def test_a_client_s_call_is_allowed_first_and_then_asked_for(
    world: World, outside: Outside, worker: Worker
) -> None:
    outside.define(GUARDED_LOOK_UP)
    turn_id = world.say("Go", **script(calls("look_up", "look_up")))
    worker.run(turn_id)
    assert "tool.call_requested" not in world.types()
    first, second = asked(world, APPROVAL)

    outside.decide((first, "allow"), (second, "reject"))
    worker.run(turn_id)
    assert asked(world) == [first], "a rejected call is not asked for"
    assert turn(world).status == "waiting"
    with pytest.raises(Conflict, match="for tool results"):
        outside.decide((first, "allow"))
    outside.give((first, "found"))
    worker.run(turn_id)

    assert_ended_once(world)
    assert results(world)[first]["result"] == [{"type": "text", "text": "found"}]


def test_all_kinds_in_one_batch(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT, LOOK_UP)
    turn_id = world.say("Go", **script(calls("look_up", "act", "unknown")))
    worker.run(turn_id)
    assert world.types()[-4:] == ["act.started", "tool.started", "tool.completed", APPROVAL]
    outside.decide((asked(world, APPROVAL)[0], "allow"))
    worker.run(turn_id)
    assert world.types()[-3:] == ["tool.started", "tool.completed", "tool.call_requested"]
    outside.give((asked(world)[0], "found"))
    worker.run(turn_id)
    assert_ended_once(world)
    assert world.types().count("act.started") == world.types().count("act.completed") == 1
    assert len(recorder.keys) == 1


def test_a_newer_message_cancels_what_nobody_decided_on(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act", "act")))
    worker.run(turn_id)
    first, second = asked(world, APPROVAL)
    outside.decide((first, "allow"))
    outside.say("Stop that")
    worker.run(turn_id)
    assert_ended_once(world)
    assert [results(world)[each]["status"] for each in (first, second)] == ["success", "cancelled"]
    assert len(recorder.keys) == 1


def test_cancel_while_a_person_is_asked(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    worker.run(world.say("Go", **script(calls("act"))))
    outside.cancel()
    assert_ended_once(world, terminal="turn.cancelled")
    assert recorder.keys == []


def test_an_allowed_call_that_is_lost_is_not_made_twice(
    world: World, outside: Outside, worker: Worker, recorder: Recorder
) -> None:
    outside.define(GUARD_ACT)
    turn_id = world.say("Go", **script(calls("act")))
    worker.run(turn_id)
    outside.decide((asked(world, APPROVAL)[0], "allow"))
    recorder.let_go.clear()
    lost = in_background(worker, turn_id)
    wait_until(lambda: len(recorder.keys) == 1, description="the tool runs")
    world.expire_leases()
    world.worker(recorder.capabilities).run(turn_id)
    recorder.let_go.set()
    lost.join(10)
    assert_ended_once(world)
    assert len(recorder.keys) == 1


def test_arguments_that_are_no_json_are_answered_without_asking_anybody(
    world: World, outside: Outside, worker: Worker
) -> None:
    outside.define(GUARDED_LOOK_UP)
    broken = {"text": "", "tool_calls": [{"name": "look_up", "malformed": "{not json"}]}
    worker.run(world.say("Go", **script(broken)))
    assert_ended_once(world)
    assert APPROVAL not in world.types()
    (result,) = results(world).values()
    assert result["success"] is False
    assert "JSON" in result["error"]

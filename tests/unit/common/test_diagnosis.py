"""Each cause has its code, and a sentence that names what there is to name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from common.diagnosis import Diagnosis, Timing, diagnose
from common.domain.provider_breaker import BreakerState, ProviderBreaker
from common.domain.situation import Loss, RunningCall, Situation, Step, TurnView
from common.domain.turn import ToolCall, TurnStatus
from common.domain.waiting import Waiting, WaitKind
from common.domain.worker import Fleet, Worker, WorkerReport, WorkerStatus

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TIMING = Timing(lease_seconds=15, sweep_seconds=5)
SESSION, TURN, WORKER = UUID(int=1), UUID(int=2), UUID(int=3)
OWNER = f"worker_{WORKER.hex}"
FLEET = Fleet(total=1, live=1, draining=0, accepting=1, capacity=200, load=3)
OPEN = ProviderBreaker(
    provider_id="provider_" + "1" * 32,
    state=BreakerState.OPEN,
    open_until=NOW + timedelta(seconds=20),
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def turn(status: TurnStatus, **fields: Any) -> TurnView:
    view = TurnView(
        id=TURN,
        session_id=SESSION,
        organization_id=UUID(int=9),
        status=status,
        created_at=ago(60),
        available_at=NOW + timedelta(seconds=4),
        attempt=1,
    )
    return replace(view, **fields)


def ask(view: TurnView | None, fleet: Fleet = FLEET, **fields: Any) -> Diagnosis:
    known = {"backlog": 0} | fields
    found = Situation(session_id=SESSION, now=NOW, fleet=fleet, turn=view, **known)
    return diagnose(found, TIMING)


def queued(**fields: Any) -> TurnView:
    return turn(TurnStatus.QUEUED, **{"attempt": 0, "sends": 1} | fields)


def running(**fields: Any) -> TurnView:
    until = NOW + timedelta(seconds=10)
    return turn(TurnStatus.RUNNING, **{"lease_owner": OWNER, "lease_until": until} | fields)


HOLDER = Worker(
    WorkerReport(
        id=WORKER,
        hostname="node-7",
        pid=42,
        version="1",
        status=WorkerStatus.ACTIVE,
        capacity=200,
        load=1,
    ),
    WorkerStatus.ACTIVE,
    ago(600),
    ago(3),
    3.0,
)


def test_a_session_without_a_turn_has_nothing_to_do() -> None:
    assert ask(None) == Diagnosis("idle", "Nothing to do: this session has no turn yet.")


@pytest.mark.parametrize("status", [TurnStatus.COMPLETED, TurnStatus.CANCELLED])
def test_nor_has_one_whose_turn_is_over(status: TurnStatus) -> None:
    found = ask(turn(status, ended_at=ago(5)))
    assert (found.code, found.is_stuck, found.suggestions) == ("idle", False, ())
    assert "2026-03-01T11:59:55.000Z" in found.message
    assert found.evidence["as_of"] == "2026-03-01T12:00:00.000Z"


def test_queued_behind_others() -> None:
    found = ask(queued(), ahead=7)
    assert found.code == "queued"
    assert "for 60 s behind 7 others; it is sent again in 4 s" in found.message
    assert found.evidence["turns_ahead"] == 7
    assert not found.is_stuck


@pytest.mark.parametrize(
    ("fleet", "code", "is_stuck"),
    [
        (replace(FLEET, total=3, live=0, accepting=0), "no_live_worker", True),
        (replace(FLEET, live=2, draining=2, accepting=0), "workers_draining", True),
        (replace(FLEET, accepting=0, load=200), "workers_full", False),
    ],
)
def test_queued_and_nobody_takes_it(fleet: Fleet, code: str, *, is_stuck: bool) -> None:
    found = ask(queued(), fleet)
    assert (found.code, found.is_stuck) == (code, is_stuck)
    assert found.suggestions
    assert found.evidence["workers"]["live"] == fleet.live


def test_queued_and_workers_with_room_do_not_take_it() -> None:
    found = ask(queued(), backlog=3)
    assert (found.code, found.is_stuck) == ("queue_not_consumed", True)
    assert "3 wake-ups" in found.message
    assert ask(queued(created_at=ago(2)), backlog=3).code == "queued"


def test_queued_and_the_broker_is_away() -> None:
    assert ask(queued(), backlog=None).code == "broker_away"
    assert ask(queued(created_at=ago(2)), backlog=None).code == "queued"


def test_queued_and_never_sent_again() -> None:
    found = ask(queued(available_at=ago(31)))
    assert (found.code, found.is_stuck) == ("no_sweeper", True)
    assert ask(queued(available_at=ago(29))).code == "queued"


def test_queued_since_its_worker_was_lost() -> None:
    losses = (Loss(OWNER, ago(8), "worker_lost"),)
    found = ask(queued(attempt=1, losses=losses))
    assert found.code == "worker_lost"
    assert f"lost worker {OWNER} at 2026-03-01T11:59:52.000Z" in found.message
    assert found.evidence["losses"][0]["error"] == "worker_lost"
    assert ask(queued(attempt=1, losses=losses, handed_over=True)).code == "queued"


def test_running_in_a_model_call() -> None:
    step = Step(kind="model", since=ago(12), model="gpt-x", provider_id="p", provider="OpenAI")
    found = ask(running(), holder=HOLDER, step=step)
    assert found.code == "running"
    assert "(node-7, process 42), last heard at 2026-03-01T11:59:57.000Z" in found.message
    assert "waited for provider OpenAI (model gpt-x) for 12 s" in found.message
    assert found.evidence["worker"]["hostname"] == "node-7"
    assert found.evidence["step"]["kind"] == "model"


def test_running_in_a_model_call_whose_breaker_is_open() -> None:
    step = Step(kind="model", since=ago(12))
    found = ask(running(), holder=HOLDER, step=step, breaker=OPEN)
    assert "breaker is open until 2026-03-01T12:00:20.000Z" in found.message
    assert found.evidence["breaker"]["state"] == "open"


def test_running_tools() -> None:
    calls = (RunningCall("c1", "look_up", ago(3)), RunningCall("c2", "order", ago(130)))
    found = ask(running(), holder=HOLDER, step=Step(kind="tools", since=ago(140), calls=calls))
    assert "it runs tools look_up (c1) for 3 s, order (c2) for 2 min" in found.message
    assert [call["name"] for call in found.evidence["step"]["tool_calls"]] == ["look_up", "order"]


@pytest.mark.parametrize("step", [None, Step(kind="between", since=ago(1))])
def test_running_elsewhere_in_the_turn(step: Step | None) -> None:
    assert ask(running(lease_owner="an-old-one:1"), step=step).code == "running"


def test_running_on_a_worker_that_was_lost() -> None:
    found = ask(running(lease_until=ago(2)), holder=replace(HOLDER, last_heartbeat_at=ago(17)))
    assert (found.code, found.is_stuck) == ("worker_lost", False)
    assert "was lost at 2026-03-01T11:59:43.000Z" in found.message
    assert "taken back within about 5 s" in found.message


def test_running_in_a_step_that_overran_its_deadline() -> None:
    found = ask(running(lease_until=ago(4)), holder=HOLDER)
    assert found.code == "step_overran"
    assert "lives" in found.message


def test_running_on_a_worker_that_was_lost_and_nobody_sweeps() -> None:
    found = ask(running(lease_until=ago(31)), holder=HOLDER)
    assert (found.code, found.is_stuck) == ("no_sweeper", True)


@pytest.mark.parametrize(
    ("kind", "code", "path"),
    [
        (WaitKind.RESULTS, "waiting_for_tool_results", "/tool-results"),
        (WaitKind.DECISIONS, "waiting_for_approval", "/tool-approvals"),
    ],
)
def test_waiting_for_somebody_outside(kind: WaitKind, code: str, path: str) -> None:
    asked = (ToolCall("c1", "pay", {"amount": 9}), ToolCall("c2", "send", {}))
    waits = Waiting(TURN, SESSION, kind, asked, asked[1:], {}, ago(5), "later")
    until = NOW + timedelta(seconds=295)
    found = ask(turn(TurnStatus.WAITING, waiting_until=until), waiting=waits)
    assert (found.code, found.is_stuck) == (code, False)
    assert "send (c2) until 2026-03-01T12:04:55.000Z" in found.message
    assert found.evidence["pending"] == [{"tool_call_id": "c2", "name": "send"}]
    assert path in found.suggestions[0]
    over = ask(turn(TurnStatus.WAITING, waiting_until=ago(31)), waiting=waits)
    assert (over.code, over.is_stuck) == ("no_sweeper", True)


def test_a_dead_letter_tells_what_broke_it() -> None:
    losses = (Loss(OWNER, ago(9), "worker_lost"), Loss(OWNER, ago(8), "KeyError", "worker.x:3"))
    found = ask(turn(TurnStatus.SEALED, ended_at=ago(4), attempt=4, losses=losses))
    assert found.code == "dead_letter"
    assert f"after 4 attempts and is dead letter dlq_{TURN.hex}" in found.message
    assert "broke with KeyError at worker.x:3" in found.message
    assert found.suggestions[0].endswith(f"POST /v1/durable/dlq/dlq_{TURN.hex}/retry")
    assert ask(turn(TurnStatus.SEALED)).code == "dead_letter"


def test_a_failure_while_the_breaker_is_open() -> None:
    view = turn(TurnStatus.FAILED, ended_at=ago(4))
    step = Step(kind="between", since=ago(4), provider="OpenAI")
    found = ask(view, failure="provider_unavailable", step=step, breaker=OPEN)
    assert found.code == "breaker_open"
    assert "provider OpenAI is open until 2026-03-01T12:00:20.000Z" in found.message
    closed = ask(view, failure="provider_unavailable", step=step)
    assert closed.code == "turn_failed"
    assert "(provider_unavailable)" in closed.message


def test_no_sentence_shows_content() -> None:
    asked = (ToolCall("c1", "pay", {"card": "4000"}),)
    waits = Waiting(TURN, SESSION, WaitKind.RESULTS, asked, asked, {}, ago(5), "later")
    found = ask(turn(TurnStatus.WAITING, waiting_until=NOW), waiting=waits)
    assert "4000" not in repr(found)

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from common.domain.errors import LeaseLost
from common.domain.turn import Claim, ToolCall
from tests.conditions import wait_until
from worker.lease import Lease
from worker.turn.acting import FinishedCall, ToolCalls
from worker.turn.outcome import CallResult
from worker.turn.reasoning import Interrupted

_A, _B = ToolCall("a", "tool", {}), ToolCall("b", "tool", {})


class _Tool:
    """Calls that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._gates = {"a": threading.Event(), "b": threading.Event()}

    def __call__(self, call: ToolCall) -> CallResult:
        self.begun.append(call.id)
        assert self._gates[call.id].wait(10)
        self.ended.append(call.id)
        return CallResult("success", text=f"result of {call.id}")

    def let_end(self, call: ToolCall) -> None:
        """Let the call end, and wait until its thread is over."""
        self._gates[call.id].set()
        wait_until(lambda: not _threads(), description="the call's thread has ended")

    def release(self) -> None:
        for gate in self._gates.values():
            gate.set()


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "tool-tool"]


@pytest.fixture
def tool() -> Iterator[_Tool]:
    made = _Tool()
    yield made
    made.release()
    wait_until(lambda: not _threads(), description="all threads have ended")


def _lease(*, valid_until: float = float("inf")) -> Lease:
    claim = Claim(UUID(int=1), UUID(int=2), UUID(int=3), 1, 1, 0, 1, "m")
    return Lease(claim, valid_until=valid_until)


def _running(
    tool: Callable[[ToolCall], CallResult],
    *calls: ToolCall,
    lease: Lease | None = None,
    deadline_seconds: float = 30,
) -> ToolCalls:
    under_way = ToolCalls(tool, lease or _lease(), deadline_seconds=deadline_seconds)
    under_way.ensure_running(calls)
    return under_way


def _success(call: ToolCall) -> FinishedCall:
    return FinishedCall(call, CallResult("success", text=f"result of {call.id}"))


def test_calls_run_at_the_same_time_and_are_told_as_they_end(tool: _Tool) -> None:
    under_way = _running(tool, _A, _B)
    wait_until(lambda: len(tool.begun) == 2, description="both calls have begun")
    tool._gates["b"].set()
    assert under_way.wait() == [_success(_B)]
    tool._gates["a"].set()
    assert under_way.wait() == [_success(_A)]


def test_a_call_that_is_under_way_is_not_made_again(tool: _Tool) -> None:
    under_way = _running(tool, _A)
    under_way.ensure_running((_A, _B))
    wait_until(lambda: len(tool.begun) == 2, description="both calls have begun")
    assert sorted(tool.begun) == ["a", "b"]


def test_results_that_are_in_are_taken_together(tool: _Tool) -> None:
    under_way = _running(tool, _A, _B)
    tool.release()
    wait_until(lambda: not _threads(), description="both calls have ended")
    assert sorted(each.call.id for each in under_way.wait()) == ["a", "b"]


def test_a_call_past_its_deadline_gets_the_result_timeout(tool: _Tool) -> None:
    under_way = _running(tool, _A, deadline_seconds=0.05)
    (late,) = under_way.wait()
    assert late.call == _A
    assert (late.result.status, late.result.text) == ("timeout", None)
    assert "0.05 s" in str(late.result.error)


def test_what_a_late_call_returns_after_all_is_dropped(tool: _Tool) -> None:
    under_way = _running(tool, _A, deadline_seconds=0.05)
    under_way.wait()
    tool.let_end(_A)
    assert tool.ended == ["a"]
    under_way._deadline_seconds = 30
    under_way.ensure_running((_B,))
    tool._gates["b"].set()
    assert under_way.wait() == [_success(_B)]


def test_one_late_call_does_not_cost_the_other_its_result(tool: _Tool) -> None:
    under_way = _running(tool, _A, deadline_seconds=0.2)
    under_way._deadline_seconds = 30
    under_way.ensure_running((_B,))
    assert [each.result.status for each in under_way.wait()] == ["timeout"]
    tool._gates["b"].set()
    assert under_way.wait() == [_success(_B)]


def test_a_stop_ends_the_wait_for_calls_that_run_on(tool: _Tool) -> None:
    lease = _lease()
    under_way = _running(tool, _A, lease=lease)
    lease.stop.set()
    with pytest.raises(Interrupted):
        under_way.wait()


def test_a_stop_wakes_who_is_waiting(tool: _Tool) -> None:
    lease = _lease()
    under_way = _running(tool, _A, lease=lease)
    with _stopping_soon(lease), pytest.raises(Interrupted):
        under_way.wait()


@contextmanager
def _stopping_soon(lease: Lease) -> Iterator[None]:
    timer = threading.Timer(0.02, lease.stop.set)
    timer.start()
    yield
    timer.join()


def test_a_result_that_is_in_is_taken_although_the_worker_is_stopping(tool: _Tool) -> None:
    # I5: what took effect is recorded while it can be.
    lease = _lease()
    under_way = _running(tool, _A, lease=lease)
    tool.let_end(_A)
    lease.stop.set()
    assert under_way.wait() == [_success(_A)]


def test_after_the_results_that_are_in_a_stop_is_a_stop(tool: _Tool) -> None:
    lease = _lease()
    under_way = _running(tool, _A, lease=lease)
    tool.let_end(_A)
    under_way.ensure_running((_B,))
    lease.stop.set()
    assert under_way.wait() == [_success(_A)]
    with pytest.raises(Interrupted):
        under_way.wait()


def test_without_the_lease_nothing_is_begun(tool: _Tool) -> None:
    for lease in (_lease(valid_until=0), _lost()):
        with pytest.raises(LeaseLost):
            _running(tool, _A, lease=lease)
    assert not tool.begun


def _lost() -> Lease:
    lease = _lease()
    lease.lose()
    return lease

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import pytest

from common.domain.errors import LeaseLost
from common.domain.turn import Claim, ToolCall
from tests.conditions import wait_until
from worker.lease import Lease
from worker.turn.acting import CallTerms, FinishedCall, RunCall, ToolCalls
from worker.turn.outcome import CallResult
from worker.turn.reasoning import Interrupted

_A, _B, _C = (ToolCall(name, "tool", {}) for name in "abc")


class _Tool:
    """Calls that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.repeated: list[str] = []
        self.is_stopped: dict[str, Callable[[], bool]] = {}
        self._gates = {name: threading.Event() for name in "abc"}

    def __call__(
        self, call: ToolCall, /, *, is_repeated: bool, is_stopped: Callable[[], bool]
    ) -> CallResult:
        self.begun.append(call.id)
        self.is_stopped[call.id] = is_stopped
        if is_repeated:
            self.repeated.append(call.id)
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


class _Terms:
    """The terms of all calls that begin from now on."""

    def __init__(self, timeout_seconds: float, concurrency_class: str | None = None) -> None:
        self.timeout_seconds = timeout_seconds
        self.concurrency_class = concurrency_class

    def __call__(self, _tool_name: str) -> CallTerms:
        return CallTerms(self.timeout_seconds, self.concurrency_class)


def _running(
    tool: RunCall,
    *calls: ToolCall,
    lease: Lease | None = None,
    terms: _Terms | None = None,
) -> ToolCalls:
    under_way = ToolCalls(tool, lease or _lease(), terms_of=terms or _Terms(30))
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
    under_way = _running(tool, _A, terms=_Terms(0.05))
    (late,) = under_way.wait()
    assert late.call == _A
    assert (late.result.status, late.result.text) == ("timeout", None)
    assert "0.05 s" in str(late.result.error)
    assert late.result.duration_ms is not None
    assert late.result.duration_ms >= 50
    assert tool.is_stopped["a"]()


def test_what_a_late_call_returns_after_all_is_dropped(tool: _Tool) -> None:
    terms = _Terms(0.05)
    under_way = _running(tool, _A, terms=terms)
    under_way.wait()
    tool.let_end(_A)
    assert tool.ended == ["a"]
    terms.timeout_seconds = 30
    under_way.ensure_running((_B,))
    tool._gates["b"].set()
    assert under_way.wait() == [_success(_B)]


def test_one_late_call_does_not_cost_the_other_its_result(tool: _Tool) -> None:
    terms = _Terms(0.2)
    under_way = _running(tool, _A, terms=terms)
    terms.timeout_seconds = 30
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


def _has_begun(tool: _Tool, count: int) -> bool:
    return len(tool.begun) == count


def test_calls_of_one_class_run_one_after_the_other_in_call_order(tool: _Tool) -> None:
    calls = (_A, _B, _C)
    under_way = _running(tool, *calls, terms=_Terms(30, "door"))
    for number, call in enumerate(calls, start=1):
        wait_until(partial(_has_begun, tool, number), description="one call has begun")
        under_way.ensure_running(calls[number - 1 :])
        assert len(tool.begun) == number
        tool._gates[call.id].set()
        assert under_way.wait() == [_success(call)]
        under_way.ensure_running(calls[number:])
    assert tool.begun == tool.ended == ["a", "b", "c"]


def test_a_call_that_waited_for_its_class_has_its_whole_time(tool: _Tool) -> None:
    terms = _Terms(0.2, "door")
    under_way = _running(tool, _A, _B, terms=terms)
    assert [each.call for each in under_way.wait()] == [_A]
    tool._gates["b"].set()
    under_way.ensure_running((_B,))
    assert under_way.wait() == [_success(_B)]


def test_a_call_of_a_lost_worker_is_run_as_one(tool: _Tool) -> None:
    under_way = ToolCalls(tool, _lease(), terms_of=_Terms(30))
    under_way.ensure_running((_A, _B), frozenset({"b"}))
    wait_until(lambda: len(tool.begun) == 2, description="both calls have begun")
    assert tool.repeated == ["b"]


def test_reports_are_looked_after_while_calls_run(tool: _Tool) -> None:
    woken = threading.Event()
    under_way = ToolCalls(tool, _lease(), terms_of=_Terms(30), on_wake=woken.set)
    under_way.ensure_running((_A,))
    waiting = threading.Thread(target=under_way.wait)
    waiting.start()
    assert woken.wait(10)
    tool.let_end(_A)
    waiting.join(10)

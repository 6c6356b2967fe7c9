"""Effect: tool calls, each on a thread of its own, each with its own deadline.

Threads cannot be killed: a call that overruns its deadline gets the result `timeout` and
its thread is left to end by itself; what it returns then is dropped.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from common.domain.turn import ToolCall
from worker.lease import Lease
from worker.turn.outcome import CallResult
from worker.turn.reasoning import Interrupted

_CRASHED = "The tool could not be run because of an internal error."
_log = structlog.get_logger()

RunCall = Callable[[ToolCall], CallResult]


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and the one result it is given."""

    call: ToolCall
    result: CallResult


class ToolCalls:
    """The calls of one turn that are under way."""

    def __init__(self, run: RunCall, lease: Lease, *, deadline_seconds: float) -> None:
        self._run = run
        self._lease = lease
        self._deadline_seconds = deadline_seconds
        self._running: dict[str, tuple[ToolCall, float]] = {}
        self._finished: queue.SimpleQueue[FinishedCall] = queue.SimpleQueue()

    def ensure_running(self, calls: tuple[ToolCall, ...]) -> None:
        """Start those of the calls that are not under way.

        Raises:
            LeaseLost: the turn may no longer be ours, so nothing may take effect.
        """
        self._lease.begin_step(longest_seconds=self._deadline_seconds)
        for call in calls:
            if call.id in self._running:
                continue
            self._lease.check()
            self._running[call.id] = (call, time.monotonic() + self._deadline_seconds)
            threading.Thread(
                target=self._run_one, args=(call,), name=f"tool-{call.name}", daemon=True
            ).start()

    def wait(self) -> list[FinishedCall]:
        """Block until at least one call has a result; all that have one by then.

        Raises:
            Interrupted: stopped from outside while calls were running.
        """
        while True:
            is_stopped = self._lease.stop.is_set()
            # Results that are in are kept, whatever happens next.
            finished = self._take(timeout=0.0 if is_stopped else self._until_next_deadline())
            finished += self._overdue()
            if finished:
                return finished
            if is_stopped:
                raise Interrupted

    def _take(self, *, timeout: float) -> list[FinishedCall]:
        """What has come in, waiting for the first of it; wakes to look at `stop`."""
        taken: list[FinishedCall] = []
        try:
            item = self._finished.get(timeout=timeout)
            while True:
                if self._running.pop(item.call.id, None) is not None:
                    taken.append(item)
                item = self._finished.get_nowait()
        except queue.Empty:
            return taken

    def _until_next_deadline(self) -> float:
        nearest = min(deadline for _, deadline in self._running.values())
        return max(0.0, min(nearest - time.monotonic(), 0.25))

    def _overdue(self) -> list[FinishedCall]:
        now = time.monotonic()
        late = [call for call, deadline in self._running.values() if deadline <= now]
        for call in late:
            del self._running[call.id]
        text = f"The call took longer than {self._deadline_seconds:g} s"
        return [FinishedCall(call, CallResult("timeout", error=text)) for call in late]

    def _run_one(self, call: ToolCall) -> None:
        try:
            result = self._run(call)
        # The thread's edge: a call without a result would hold the turn to its deadline.
        except Exception as bug:  # noqa: BLE001
            _log.error("tool_call_crashed", tool=call.name, error=type(bug).__name__)
            result = CallResult("error", error=_CRASHED)
        self._finished.put(FinishedCall(call, result))

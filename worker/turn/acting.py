"""Effect: tool calls, each on a thread of its own, each with its own deadline.

Threads cannot be killed: a call that overruns its deadline gets the result `timeout` and
its thread is left to end by itself; what it returns then is dropped.  It is told to stop
as all calls are when the turn is taken away, but may well run on beside those after it.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from common.domain.turn import ToolCall
from worker.capabilities.execution import INTERNAL_ERROR
from worker.lease import Lease
from worker.turn.outcome import CallResult
from worker.turn.reasoning import Interrupted

_WAKE_SECONDS: Final = 0.25
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CallTerms:
    """On what terms a call runs.

    Attributes:
        concurrency_class: calls of one class run one after the other, in call order.
    """

    timeout_seconds: float
    concurrency_class: str | None = None


class RunCall(Protocol):
    """Runs one call to its end, on the thread that it is called on."""

    def __call__(
        self, call: ToolCall, /, *, is_repeated: bool, is_stopped: Callable[[], bool]
    ) -> CallResult:
        """`is_repeated`: a lost worker may have made it; `is_stopped`: nobody waits for it."""
        ...


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and the one result it is given."""

    call: ToolCall
    result: CallResult


@dataclass(frozen=True, slots=True)
class _Running:
    call: ToolCall
    terms: CallTerms
    began: float
    given_up: threading.Event

    @property
    def deadline(self) -> float:
        return self.began + self.terms.timeout_seconds


class ToolCalls:
    """The calls of one turn that are under way."""

    def __init__(
        self,
        run: RunCall,
        lease: Lease,
        *,
        terms_of: Callable[[str], CallTerms],
        on_wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`terms_of` goes by a tool's name; `on_wake` is called a few times a second."""
        self._run = run
        self._lease = lease
        self._terms_of = terms_of
        self._on_wake = on_wake
        self._running: dict[str, _Running] = {}
        self._finished: queue.SimpleQueue[FinishedCall] = queue.SimpleQueue()

    def ensure_running(
        self, calls: tuple[ToolCall, ...], repeated: frozenset[str] = frozenset()
    ) -> None:
        """Start those of the calls that are not under way and whose class is free.

        Call it again after `wait`: a class that has become free takes its next call then.

        Raises:
            LeaseLost: the turn may no longer be ours, so nothing may take effect.
        """
        terms = {call.id: self._terms_of(call.name) for call in calls}
        self._lease.begin_step(
            longest_seconds=max((each.timeout_seconds for each in terms.values()), default=0.0)
        )
        for call in calls:
            if call.id not in self._running and self._is_free(terms[call.id].concurrency_class):
                self._lease.check()
                self._start(call, terms[call.id], is_repeated=call.id in repeated)

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
            self._on_wake()

    def _is_free(self, concurrency_class: str | None) -> bool:
        return concurrency_class is None or all(
            each.terms.concurrency_class != concurrency_class for each in self._running.values()
        )

    def _start(self, call: ToolCall, terms: CallTerms, *, is_repeated: bool) -> None:
        running = _Running(call, terms, time.monotonic(), threading.Event())
        self._running[call.id] = running
        # With what the turn's thread says in each line of the log.
        within = contextvars.copy_context()
        threading.Thread(
            target=within.run,
            args=(self._run_one, running, is_repeated),
            name=f"tool-{call.name}",
            daemon=True,
        ).start()

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
        nearest = min(each.deadline for each in self._running.values())
        return max(0.0, min(nearest - time.monotonic(), _WAKE_SECONDS))

    def _overdue(self) -> list[FinishedCall]:
        now = time.monotonic()
        late = [each for each in self._running.values() if each.deadline <= now]
        for each in late:
            each.given_up.set()
            del self._running[each.call.id]
        return [FinishedCall(each.call, _timeout(each, now)) for each in late]

    def _run_one(self, running: _Running, is_repeated: bool) -> None:  # noqa: FBT001 - a thread's
        call = running.call

        def is_stopped() -> bool:
            return running.given_up.is_set() or self._lease.stop.is_set()

        try:
            result = self._run(call, is_repeated=is_repeated, is_stopped=is_stopped)
        # The thread's edge: a call without a result would hold the turn to its deadline.
        except Exception as bug:  # noqa: BLE001
            _log.error("tool_call_crashed", tool=call.name, error=type(bug).__name__)
            result = CallResult("error", error=INTERNAL_ERROR)
        self._finished.put(FinishedCall(call, result))


def _timeout(late: _Running, now: float) -> CallResult:
    text = f"The call took longer than {late.terms.timeout_seconds:g} s"
    return CallResult("timeout", error=text, duration_ms=round((now - late.began) * 1000))

"""Prepares what a turn's capabilities add, side by side, under one deadline for all of it.

Each may ask a database or somebody else's server.  Threads cannot be killed: one that is
late is told so by `is_over` and left to end by itself, and what it brings is dropped.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Final, TypeVar

T = TypeVar("T")

PREPARE_SECONDS: Final = 15.0
# Who heard that time is over says so at once; nobody else is waited for.
_GRACE_SECONDS: Final = 0.5
_AT_ONCE: Final = 32
_LOOK_SECONDS: Final = 0.1


class Stopped(Exception):
    """The turn was cancelled or handed over meanwhile: nobody wants the results any more."""


class Preparation:
    """One round of work; its time begins when it is made."""

    def __init__(
        self,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
        seconds: float = PREPARE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_stopped = is_stopped
        self._monotonic = monotonic
        self._deadline = monotonic() + seconds

    def is_over(self) -> bool:
        """Whether there is no point in waiting for anything any more."""
        return self._is_stopped() or self._monotonic() >= self._deadline

    def results(self, work: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """What each returned or raised, in the order given; TimeoutError of what is late.

        Raises:
            Stopped: the turn was.
        """
        found: list[T | Exception] = [TimeoutError() for _ in work]
        waiting = deque(enumerate(work))
        done: queue.SimpleQueue[tuple[int, T | Exception]] = queue.SimpleQueue()
        for _ in range(min(len(work), _AT_ONCE)):
            # With the turn's name in what it logs.
            run = copy_context().run
            threading.Thread(
                target=run, args=(_work_off, waiting, done), name="prepare", daemon=True
            ).start()
        try:
            for _ in work:
                number, result = self._next(done)
                found[number] = result
        except TimeoutError:
            pass
        finally:
            waiting.clear()
        return found

    def _next(self, done: queue.SimpleQueue[T]) -> T:
        while True:
            try:
                return done.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if self._is_stopped():
                    raise Stopped from None
                if self._monotonic() < self._deadline + _GRACE_SECONDS:
                    continue
            try:
                # What came in between is in time.
                return done.get_nowait()
            except queue.Empty:
                raise TimeoutError from None


def _work_off(
    waiting: deque[tuple[int, Callable[[], T]]], done: queue.SimpleQueue[tuple[int, T | Exception]]
) -> None:
    while True:
        try:
            number, work = waiting.popleft()
        except IndexError:
            return
        try:
            done.put((number, work()))
        # The thread's edge: what went wrong is for whoever waits.
        except Exception as failure:  # noqa: BLE001
            done.put((number, failure))

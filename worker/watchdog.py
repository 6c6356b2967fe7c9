"""Notice that this process lives and takes nothing, though there is something to take.

Celery has lost its subscription to the broker in that way before, with every connection
and every thread alive, and a pool whose threads are all stuck looks the same.  So what is
looked at is consumption: wake-ups lie in the queue, there is a free thread, and for so long
nothing was begun.  A worker that finds itself deaf leaves; whatever runs it starts another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from worker.tally import Counts

_LEAST_LOOKS: Final = 3
_log = structlog.get_logger()


class Watchdog:
    """Asked to look every few seconds.

    `backlog` says how many wake-ups lie in the queues, None when the broker cannot be asked:
    who cannot reach the broker is no more deaf than everybody else.
    """

    def __init__(
        self,
        backlog: Callable[[], int | None],
        leave: Callable[[], None],
        *,
        deaf_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backlog = backlog
        self._leave = leave
        self._deaf_seconds = deaf_seconds
        self._monotonic = monotonic
        self._begun = -1
        self._looked_at = monotonic()
        self._deaf_for: float | None = None

    def look(self, counts: Counts, *, has_room: bool) -> None:
        """Judge by what was begun since the last look; `has_room`: it should take turns."""
        has_begun, self._begun = counts.begun != self._begun, counts.begun
        since, self._looked_at = self._looked_at, self._monotonic()
        if has_begun or not has_room or not self._has_work(counts):
            self._deaf_for = None
        elif self._deaf_for is None:
            self._deaf_for = 0.0
        else:
            self._judge(self._looked_at - since)

    def _judge(self, seconds: float) -> None:
        # A process that was frozen for long has hardly had the time to take anything.
        deaf_for = (self._deaf_for or 0.0) + min(seconds, self._deaf_seconds / _LEAST_LOOKS)
        self._deaf_for = deaf_for
        if deaf_for >= self._deaf_seconds:
            self._deaf_for = None
            _log.error("worker_deaf", seconds=round(deaf_for))
            self._leave()

    def _has_work(self, counts: Counts) -> bool:
        backlog = self._backlog()
        return backlog is not None and (backlog > 0 or counts.received > counts.begun)

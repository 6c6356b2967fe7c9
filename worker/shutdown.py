"""Leaving on SIGTERM: turns are handed over, not lost and not counted as failures.

Running turns get half the grace period to reach a step boundary; then their model calls
are closed.  Threads cannot be killed, so everything here is asked for, not enforced.
"""

from __future__ import annotations

import threading

import structlog

from worker.lease import Leases

_log = structlog.get_logger()


class Shutdown:
    """Whether this worker is leaving."""

    def __init__(self, leases: Leases, *, grace_seconds: float) -> None:
        self._leases = leases
        self._grace_seconds = grace_seconds
        self._begun = threading.Event()

    @property
    def has_begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        """Let turns stop at their next step, and at half the grace period wherever they are.

        Called from a signal handler; safe to call again.
        """
        if self._begun.is_set():
            return
        self._begun.set()
        _log.info("worker_leaving", turns=len(self._leases.all()))
        timer = threading.Timer(self._grace_seconds / 2, self._interrupt)
        timer.daemon = True
        timer.start()

    def _interrupt(self) -> None:
        for lease in self._leases.all():
            lease.stop.set()

"""Leaving on SIGTERM: turns are handed over, not lost and not counted as failures.

Running turns get half the grace period to reach a step boundary; then their model calls
are closed.  Threads cannot be killed, so everything here is asked for, not enforced.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

import structlog

from worker.lease import Leases

# Of sysexits.h: something that should work does not.
_EX_SOFTWARE: Final = 70
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

    def leave(self) -> None:
        """End this process whatever of it is stuck: hand turns over, then exit.

        What is stuck may be the thread that hears of signals, or one that Celery waits for.
        """
        self.begin()
        ending = threading.Timer(self._grace_seconds, os._exit, args=(_EX_SOFTWARE,))
        ending.daemon = True
        ending.start()
        os.kill(os.getpid(), signal.SIGTERM)

    def _interrupt(self) -> None:
        for lease in self._leases.all():
            lease.stop.set()

"""Leaving on SIGTERM: turns are handed over, not lost and not counted as failures.

Running turns get half the grace period to reach a step boundary; then their model calls
are closed.  Threads cannot be killed, so everything here is asked for, not enforced.
"""

from __future__ import annotations

import os
import signal
import threading
from queue import SimpleQueue
from typing import Final

import structlog

from worker.lease import Leases

# Of sysexits.h: something that should work does not.
_EX_SOFTWARE: Final = 70
_log = structlog.get_logger()


class Shutdown:
    """Whether this worker is leaving.

    What a signal handler interrupts may hold any lock, such as the log's, and goes on only
    after it: so the handler takes none, and a thread does what is to be done.
    """

    def __init__(self, leases: Leases, *, grace_seconds: float) -> None:
        self._leases = leases
        self._grace_seconds = grace_seconds
        self._has_begun = False
        # Of what threads share this alone may be used by a handler.
        self._wishes: SimpleQueue[None] = SimpleQueue()
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shutdown", daemon=True)

    @property
    def has_begun(self) -> bool:
        return self._has_begun

    def start(self) -> None:
        """Start the thread; if the worker is leaving already, it does what is due."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; nothing runs any more that could be interrupted."""
        self._has_ended.set()
        self._wishes.put(None)

    def begin(self) -> None:
        """Let turns stop at their next step, and at half the grace period wherever they are.

        Called from a signal handler; safe to call again.
        """
        self._has_begun = True
        self._wishes.put(None)

    def leave(self) -> None:
        """End this process whatever of it is stuck: hand turns over, then exit.

        What is stuck may be the thread that hears of signals, or one that Celery waits for.
        """
        self.begin()
        ending = threading.Timer(self._grace_seconds, os._exit, args=(_EX_SOFTWARE,))
        ending.daemon = True
        ending.start()
        os.kill(os.getpid(), signal.SIGTERM)

    def _run(self) -> None:
        self._wishes.get()
        if self._has_ended.is_set():
            return
        _log.info("worker_leaving", turns=len(self._leases.all()))
        if not self._has_ended.wait(self._grace_seconds / 2):
            for lease in self._leases.all():
                lease.stop.set()

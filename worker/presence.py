"""Let others know of this process, and learn from them whether it is to drain.

A thread of its own writes the worker's row as often as leases are renewed.  It shares
neither their thread nor their connection: whatever befalls this table costs no turn its lease.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from common.domain.worker import WorkerReport, WorkerStatus
from common.storage import workers
from common.storage.engine import Database, sqlstate
from worker.consumption import Consumption
from worker.lease import Leases
from worker.shutdown import Shutdown
from worker.tally import Tally
from worker.watchdog import Watchdog

_LONGEST_STOP_SECONDS: Final = 3.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a worker's row is made from."""

    tally: Tally
    leases: Leases
    shutdown: Shutdown
    consumption: Consumption


class Presence:
    """The worker's row, and the thread that writes it.

    Attributes:
        capacity: turns at once; Celery says how many threads there really are.
    """

    def __init__(
        self,
        database: Database,
        condition: Condition,
        watchdog: Watchdog,
        *,
        worker_id: UUID,
        version: str,
        capacity: int,
        beat_seconds: float,
    ) -> None:
        self.capacity = capacity
        self._database = database
        self._condition = condition
        self._watchdog = watchdog
        self._id = worker_id
        self._version = version
        self._beat_seconds = beat_seconds
        self._is_draining = False
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye; who cannot is found silent in a lease's time."""
        self._stopped.set()
        self._due.set()
        if self._thread.is_alive():
            self._thread.join(_LONGEST_STOP_SECONDS)

    def hurry(self) -> None:
        """Look now what is wanted, and not with the next heartbeat."""
        self._due.set()

    def beat(self) -> None:
        """Write the row, do what is wanted, and see that turns are taken.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached; nothing changed.
        """
        with self._database.transaction() as tx:
            wanted = workers.beat(tx, self._report())
        self._obey(wanted)

    def watch(self) -> None:
        """Leave if wake-ups lie there, a thread is free, and nothing is begun."""
        counts, leases = self._condition.tally.counts, self._condition.leases
        busy = counts.running - leases.overdue()
        is_open = not self._is_draining and not self._condition.shutdown.has_begun
        self._watchdog.look(counts, has_room=is_open and busy < self.capacity)

    def _report(self) -> WorkerReport:
        counts = self._condition.tally.counts
        return WorkerReport(
            id=self._id,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            version=self._version,
            status=self._status(),
            capacity=self.capacity,
            load=counts.running,
            tasks_completed=counts.completed,
            tasks_failed=counts.failed,
        )

    def _status(self) -> WorkerStatus:
        if self._stopped.is_set():
            return WorkerStatus.STOPPED
        is_leaving = self._is_draining or self._condition.shutdown.has_begun
        return WorkerStatus.DRAINING if is_leaving else WorkerStatus.ACTIVE

    def _obey(self, wanted: WorkerStatus) -> None:
        is_to_drain = wanted is WorkerStatus.DRAINING
        if is_to_drain == self._is_draining:
            return
        self._is_draining = is_to_drain
        _log.info("worker_draining" if is_to_drain else "worker_resumed")
        if is_to_drain:
            self._condition.consumption.pause()
        else:
            self._condition.consumption.resume()
        # Others see at once that it was done.
        self._due.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._due.clear()
            self._attend()
            self._due.wait(self._beat_seconds)
        self._attend()

    def _attend(self) -> None:
        try:
            self.beat()
            if not self._stopped.is_set():
                self.watch()
        # The thread's edge: a worker that nobody sees still runs turns.
        except Exception as failure:  # noqa: BLE001
            _log.warning(
                "heartbeat_failed", error=type(failure).__name__, sqlstate=sqlstate(failure)
            )

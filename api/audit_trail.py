"""Entries on their way to the audit log: written at once, or by a thread a moment later.

What opens doors is answered only when its entry is written (`write`); what is frequent waits
in memory for at most a second, so that a message costs no statement (`put`).  Memory is
bounded: what does not fit is counted, and the count is an entry.  Nobody waits for the thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from common import clock
from common.domain.audit import NOBODY, UNLISTED, Entry, Outcome
from common.storage import audit_log
from common.storage.engine import Database, DatabaseError, is_passing_outage, sqlstate

MOST_WAITING: Final = 10_000
# Of a process: whoever knocks without a key must not fill the disk.
MOST_STRANGERS_A_MINUTE: Final = 60
_BATCH: Final = 500
_PAUSE_SECONDS: Final = 1.0
_OUTAGE_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 3.0
_MINUTE: Final = 60.0

_log = structlog.get_logger()


class AuditTrail:
    """Thread-safe.  Nothing runs before the first entry is put.

    `lost` is told how many entries will never be written as such.
    """

    def __init__(
        self,
        database: Database,
        *,
        most_waiting: int = MOST_WAITING,
        pause_seconds: float = _PAUSE_SECONDS,
        lost: Callable[[int], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._pause_seconds = pause_seconds
        self._lost = lost
        self._monotonic = monotonic
        self._waiting: deque[Entry] = deque()
        self._unlisted = 0
        self._minute_began = -_MINUTE
        self._strangers = 0
        self._guard = threading.Lock()
        # Held while a batch is on its way, so that batches stay in order.
        self._writing = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, database: Database, entry: Entry) -> None:
        """Write an entry at once, over a connection of the caller's.

        Raises:
            common.storage.engine.DatabaseError: it could not be; it waits for the next try.
        """
        try:
            # The log is everybody's to add to: who acts may belong to no organization.
            with database.across_organizations().reading() as tx:
                audit_log.append(tx, [entry])
        except DatabaseError:
            self.put(entry)
            raise

    def put(self, entry: Entry) -> None:
        """Let an entry be written in a moment; never blocks, never fails."""
        with self._guard:
            if len(self._waiting) < self._most_waiting:
                self._waiting.append(entry)
            else:
                self._leave_out(1)
        self._start()

    def put_of_stranger(self, entry: Entry) -> None:
        """As `put`, for who is unknown: so many a minute are kept, the rest are counted."""
        with self._guard:
            now = self._monotonic()
            if now - self._minute_began >= _MINUTE:
                self._minute_began, self._strangers = now, 0
            self._strangers += 1
            is_kept = self._strangers <= MOST_STRANGERS_A_MINUTE
            if not is_kept:
                self._leave_out(1)
        if is_kept:
            self.put(entry)

    def flush(self) -> None:
        """Write what waits now.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached; it still waits.
        """
        with self._writing:
            self._note_unlisted()
            one_by_one = 0
            while batch := self._take(1 if one_by_one else _BATCH):
                one_by_one = max(0, one_by_one - 1)
                try:
                    with self._database.reading() as tx:
                        audit_log.append(tx, batch)
                except Exception as failure:  # noqa: BLE001 - no entry may end the others' thread
                    self._give_back(batch, failure)
                    one_by_one = max(one_by_one, len(batch) - 1)

    def close(self) -> None:
        """Write what is left, for a moment at most: the database may be away."""
        self._stopped.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
        self._database.close()

    def _leave_out(self, count: int) -> None:
        """Called with the guard held."""
        self._unlisted += count
        self._lost(count)

    def _note_unlisted(self) -> None:
        with self._guard:
            if not self._unlisted:
                return
            entry = Entry(
                id=clock.new_id(),
                at=clock.now(),
                organization_id=None,
                actor=NOBODY,
                action=UNLISTED,
                outcome=Outcome.FAILED,
                count=self._unlisted,
            )
            self._unlisted = 0
            self._waiting.append(entry)

    def _take(self, most: int) -> list[Entry]:
        with self._guard:
            count = min(len(self._waiting), most)
            return [self._waiting.popleft() for _ in range(count)]

    def _give_back(self, batch: list[Entry], failure: Exception) -> None:
        """Let a batch wait again, unless it is one entry that will never be taken.

        Raises:
            common.storage.engine.DatabaseError: the database may take it later.
        """
        is_passing = isinstance(failure, DatabaseError) and is_passing_outage(failure)
        if is_passing or len(batch) > 1:
            with self._guard:
                self._waiting.extendleft(reversed(batch))
        if is_passing:
            raise failure
        if len(batch) > 1:  # each by itself, to find the one
            return
        _log.error(
            "audit_entries_lost",
            count=len(batch),
            error=type(failure).__name__,
            sqlstate=sqlstate(failure) if isinstance(failure, DatabaseError) else None,
        )
        with self._guard:
            self._leave_out(sum(entry.count for entry in batch))

    def _start(self) -> None:
        self._wanted.set()
        if self._thread is not None:
            return
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._wanted.wait():
            is_last = self._stopped.wait(self._pause_seconds)
            self._wanted.clear()
            try:
                self.flush()
            except DatabaseError as failure:
                _log.warning(
                    "audit_entries_wait",
                    count=len(self._waiting),
                    error=type(failure).__name__,
                    sqlstate=sqlstate(failure),
                )
                self._wanted.set()
                is_last = self._stopped.wait(_OUTAGE_SECONDS)
            if is_last:
                return
            if self._stopped.is_set():  # just now: it may not have been heard
                self._wanted.set()

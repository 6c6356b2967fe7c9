"""Whether one turn more can be taken on: known beforehand, so that no request asks.

A thread looks at the open turns once a second while messages come; between two looks the
process adds what it opened itself.  So the limits are kept to about what all processes
together open in a second.  What is not known refuses nobody.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from common.domain.errors import DomainError, Overloaded, TooManyTurns
from common.settings import Settings
from common.storage import queue_load
from common.storage.engine import Database, DatabaseError
from common.storage.queue_load import QueueLoad

LOOK_SECONDS: Final = 1.0
# A look takes longer the more there is to see: then it is taken less often.
_SHARE_OF_TIME: Final = 0.05
_BUSY_SECONDS: Final = 10.0
_TRUSTED_SECONDS: Final = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """The most there may be; 0: no limit."""

    open_turns: int
    queued: int
    wait_seconds: int

    @classmethod
    def of(cls, settings: Settings) -> TurnLimits:
        return cls(
            open_turns=settings.org_max_active_turns,
            queued=settings.queue_max_turns,
            wait_seconds=settings.queue_max_wait_seconds,
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    load: QueueLoad
    at: float


class Pressure:
    """Thread-safe.  Nothing runs before the first message comes."""

    def __init__(
        self,
        database: Database,
        limits: TurnLimits,
        *,
        look_seconds: float = LOOK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._limits = limits
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._seen: _Seen | None = None
        self._opened: Counter[UUID] = Counter()
        self._asked_at = -_BUSY_SECONDS
        self._guard = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def refusal(self, organization_id: UUID) -> DomainError | None:
        """Why no turn of the organization may be opened now; None: it may."""
        self._asked_at = self._monotonic()
        self._watch()
        seen = self._seen
        if seen is None or self._monotonic() - seen.at > _TRUSTED_SECONDS:
            return None
        limits, load = self._limits, seen.load
        own = load.organizations.get(organization_id)
        open_turns = self._opened[organization_id] + (own.open_turns if own else 0)
        if 0 < limits.open_turns <= open_turns:
            return TooManyTurns(
                f"This organization has {limits.open_turns} turns open, as many as it may;"
                " try again when some are over"
            )
        if 0 < limits.queued <= load.queued + self._opened.total():
            return Overloaded("Too many turns wait for a worker; try again later")
        if own is not None and 0 < limits.wait_seconds <= own.longest_wait_seconds:
            return Overloaded("Turns wait too long for a worker; try again later")
        return None

    def opened(self, organization_id: UUID) -> None:
        """This process has opened a turn."""
        with self._guard:
            self._opened[organization_id] += 1

    def look(self) -> None:
        """See how it stands.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be asked.
        """
        with self._guard:
            before = Counter(self._opened)
        with self._database.reading() as tx:
            load = queue_load.look(tx)
        with self._guard:
            # What was opened during the look may be in it too: counted twice until the next.
            self._opened.subtract(before)
            self._opened += Counter()
            self._seen = _Seen(load, self._monotonic())

    def close(self) -> None:
        self._stopped.set()
        self._wanted.set()
        self._database.close()

    def _watch(self) -> None:
        self._wanted.set()
        if self._thread is not None:
            return
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pressure", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._wanted.wait() and not self._stopped.is_set():
            began = self._monotonic()
            try:
                self.look()
            except DatabaseError as failure:
                _log.warning("pressure_unknown", error=type(failure).__name__)
            taken = self._monotonic() - began
            self._stopped.wait(max(self._look_seconds, taken / _SHARE_OF_TIME))
            if self._monotonic() - self._asked_at > _BUSY_SECONDS:
                self._wanted.clear()

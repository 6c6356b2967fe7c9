"""Leases: a turn belongs to this worker while it renews them in time (I3, design 5).

One thread a process renews all leases over a connection of its own, so that a busy pool
cannot cost a turn its lease.  What a lease says locally is monotonic time counted from
before its last renewal, hence never later than what the database thinks; what fences off
a late worker is the session's epoch, not this.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from common.domain.errors import LeaseLost
from common.domain.turn import Claim
from common.storage import turns
from common.storage.engine import Database, DatabaseError, sqlstate

# A step's end, its append, and a database that is slow to answer.
_STEP_SLACK_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 1.0
_log = structlog.get_logger()


class Lease:
    """One turn held by this process.

    Attributes:
        valid_until: monotonic; the lease counts from before the claim or the renewal.
        stop: set when the turn must end its current call: lost, cancelled or handed over.
    """

    def __init__(self, claim: Claim, *, valid_until: float) -> None:
        self.claim = claim
        self.stop = threading.Event()
        self.valid_until = valid_until
        self.step_deadline = float("inf")
        self.renew_now: Callable[[], None] = _nothing
        self._lost = False

    def lose(self) -> None:
        """The turn is no longer ours; whoever waits on `stop` wakes."""
        self._lost = True
        self.stop.set()

    def check(self) -> None:
        """Make sure that the turn is still ours, asking the database when its time is up.

        A renewal that came late, as after an outage, costs no turn that nobody has taken.

        Raises:
            LeaseLost: it is not, or that cannot be said.
        """
        if not self._lost and self._is_expired:
            self._renew_late()
        if self._lost or self._is_expired:
            raise LeaseLost

    def _renew_late(self) -> None:
        try:
            self.renew_now()
        except DatabaseError:
            # What an outage broke shows at the first use; the next has a new connection.
            try:
                self.renew_now()
            except DatabaseError as failure:
                raise LeaseLost from failure

    @property
    def _is_expired(self) -> bool:
        return time.monotonic() >= self.valid_until

    @property
    def is_lost(self) -> bool:
        return self._lost

    def begin_step(self, *, longest_seconds: float) -> None:
        """Declare how long the step that begins may take; long past it nothing is renewed."""
        self.step_deadline = time.monotonic() + longest_seconds + _STEP_SLACK_SECONDS


def _nothing() -> None:
    """A lease that nobody holds cannot be renewed."""


class Leases:
    """All leases of this process, and the thread that renews them."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        renew_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._monotonic = monotonic
        self._held: dict[UUID, Lease] = {}
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-renewal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def hold(self, lease: Lease) -> None:
        """Keep a claimed turn from now on."""
        lease.renew_now = self.renew
        with self._guard:
            self._held[lease.claim.turn_id] = lease

    def release(self, lease: Lease) -> None:
        """Stop renewing; the turn is over or somebody else's."""
        with self._guard:
            if self._held.get(lease.claim.turn_id) is lease:
                del self._held[lease.claim.turn_id]

    def cancel(self, turn_id: UUID) -> None:
        """The log has taken the turn away: stop its call at once, if it is here."""
        with self._guard:
            lease = self._held.get(turn_id)
        if lease is not None:
            lease.lose()

    def all(self) -> list[Lease]:
        """The leases held just now."""
        with self._guard:
            return list(self._held.values())

    def overdue(self) -> int:
        """How many turns are past their step's deadline: their threads may be stuck for good."""
        now = self._monotonic()
        return sum(lease.step_deadline < now for lease in self.all())

    def renew(self) -> None:
        """Renew every lease whose step is within its deadline; drop those that are lost.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached; nothing changed.
        """
        before = self._monotonic()
        current = {
            lease.claim.turn_id: lease for lease in self.all() if before < lease.step_deadline
        }
        if not current:
            return
        with self._database.transaction() as tx:
            renewed, lost = turns.renew(
                tx,
                {turn_id: lease.claim.epoch for turn_id, lease in current.items()},
                lease_seconds=self._lease_seconds,
            )
        for turn_id in renewed:
            current[turn_id].valid_until = before + self._lease_seconds
        for turn_id in lost:
            _log.info("lease_lost", turn_id=str(turn_id))
            current[turn_id].lose()

    def _run(self) -> None:
        pause = self._renew_seconds
        while not self._stopped.wait(pause):
            pause = self._renew_seconds
            try:
                self.renew()
            # The thread's edge: without it every turn here would be lost in a lease's time.
            except Exception as failure:  # noqa: BLE001
                pause = min(pause, _RETRY_SECONDS)
                _log.warning(
                    "lease_renewal_failed", error=type(failure).__name__, sqlstate=sqlstate(failure)
                )

"""Recovery: turns whose worker fell silent or that wait in vain, lost wake-ups, old rows.

Any number of sweepers may run; they skip what another has locked.  Nothing here asks the
broker what it holds: the rows know.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from uuid import UUID

import structlog

from common import logs
from common.blobs.opening import open_blobs
from common.domain.errors import Unavailable
from common.domain.events import EventDraft
from common.domain.ids import Kind, show_id
from common.domain.turn_task import TaskLabel
from common.domain.waiting import Waiting, WaitKind, decided_by_deadline, late
from common.event_codec import LoggedEvent
from common.live import Live
from common.metrics import expose
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import (
    audit_log,
    idempotency,
    providers,
    purge,
    service_health,
    turns,
    waiting,
    webhook_deliveries,
    workers,
)
from common.storage.engine import Database, DatabaseError, sqlstate
from common.turn_queue import Backlog, TurnQueue
from worker.blob_collector import BlobCollector
from worker.sweep_metrics import MOST_PROVIDERS, Installation, InstallationState, SweepMetrics
from worker.webhook_sender import WebhookSender

_BATCH: Final = 200
_PURGE_SLICE: Final = 5_000
_PURGE_SECONDS: Final = 1.0
_PROMPT_SECONDS: Final = 1.0
# A renewal that fell into an outage is tried again soon after (worker/lease.py).
_RENEWALS_TO_COME_BACK: Final = 1.5
_LONG_AGO_SECONDS: Final = 86_400.0
_log = structlog.get_logger()


class Publisher(Protocol):
    """Tells subscribers; never raises."""

    def publish(self, session_id: UUID, events: Sequence[LoggedEvent]) -> None:
        """Tell subscribers of committed events."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """How many turns were taken back, how many waits answered, how many turns sent."""

    taken_back: int
    answered: int
    sent: int


class Sweeper:
    """One look at a time; `run` repeats it until told to stop."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        queue: TurnQueue,
        live: Publisher,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        metrics: SweepMetrics | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics or SweepMetrics()
        self._database = database
        self._queue = queue
        self._live = live
        self._monotonic = monotonic
        # When the database began to take writes promptly, and when it had done so the last time
        # before it was silent: what happened before the first look nobody knows.
        self._steady_since = self._answered_at = monotonic()
        self._silent_since = monotonic() - _LONG_AGO_SECONDS

    def sweep(self) -> None:
        """Take back, re-send, answer what is overdue, purge.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached.
        """
        self._database.ping()
        self._judge_steadiness()
        self._take_back(grace_seconds=self._time_to_come_back())
        # Not before: one that answers may yet take no writes, and so no renewal either.
        self._answered_at = self._monotonic()
        self._send_due()
        if self._monotonic() - self._steady_since >= self._settings.lease_seconds:
            # While the database was away nobody could answer a turn that waits either.
            self._answer_overdue()
        self._purge()

    def repair(self) -> Repairs:
        """Do at once, for an operator, what `sweep` does when it is time.

        Who may be coming back from an outage gets a lease's time, as with `sweep`.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached.
        """
        grace = self._settings.lease_seconds
        taken_back = self._take_back(grace_seconds=grace)
        answered = self._answer_overdue(grace_seconds=grace)
        sent = self._send_due(ahead_seconds=turns.LONGEST_RESEND_SECONDS)
        return Repairs(taken_back, answered, sent)

    def _judge_steadiness(self) -> None:
        """A database that was silent for longer than a sweep's pause starts anew."""
        silence = self._monotonic() - self._answered_at
        if silence > self._settings.sweep_seconds + _PROMPT_SECONDS:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """However often it fails, the silence began after the last answer."""
        self._silent_since, self._steady_since = self._answered_at, self._monotonic()

    def _time_to_come_back(self) -> float:
        """How long ago a lease has to have run out for its turn to be taken back, in seconds.

        After an outage or a freeze workers get the time to renew what they still hold.  Who was
        at work when the silence began had renewed not long before; a lease that was older than
        that had missed its renewal already, and there is nobody to wait for.
        """
        lease, renewal = self._settings.lease_seconds, self._settings.renew_seconds
        now = self._monotonic()
        if now - self._steady_since >= renewal * _RENEWALS_TO_COME_BACK:
            return 0.0
        return max(0.0, now - (self._silent_since + lease - renewal - _PROMPT_SECONDS))

    def _take_back(self, *, grace_seconds: float = 0.0) -> int:
        with self._database.transaction() as tx:
            expired = turns.requeue_expired(tx, limit=_BATCH, grace_seconds=grace_seconds)
        for turn_id in expired:
            _log.info("lease_expired", turn_id=str(turn_id))
        self._metrics.taken_back(len(expired))
        return len(expired)

    def _answer_overdue(self, *, grace_seconds: float = 0.0) -> int:
        """Turns that waited long enough go on, each in a transaction of its own."""
        for number in range(_BATCH):
            with self._database.transaction() as tx:
                answered = waiting.answer_overdue(
                    tx, self._overdue_answers, grace_seconds=grace_seconds
                )
            if answered is None:
                return number
            wait, events = answered
            self._metrics.answered(1)
            _log.info("wait_timed_out", turn_id=str(wait.turn_id), waited_for=wait.kind)
            self._live.publish(wait.session_id, events)
            # One that is not sent now is due soon.
            self._queue.send(wait.turn_id, label=TaskLabel(wait.session_id))
        return _BATCH

    def _overdue_answers(self, wait: Waiting) -> list[EventDraft]:
        if wait.kind is WaitKind.RESULTS:
            return [late(call, wait.context) for call in wait.pending]
        is_allowed = self._settings.approval_default == "allow"
        return [
            draft
            for call in wait.pending
            for draft in decided_by_deadline(call, wait.context, is_allowed=is_allowed)
        ]

    def _send_due(self, *, ahead_seconds: float = 0.0) -> int:
        with self._database.transaction() as tx:
            due = turns.take_due(tx, limit=_BATCH, ahead_seconds=ahead_seconds)
        sent = [turn.turn_id for turn in due if self._send(turn)]
        unsent = [turn.turn_id for turn in due if turn.turn_id not in sent]
        if unsent:
            # The broker is away: that is no reason to wait longer the next time.
            with self._database.transaction() as tx:
                turns.take_back_send(tx, unsent)
        self._metrics.sent(len(sent))
        return len(sent)

    def _send(self, turn: turns.Queued) -> bool:
        label = TaskLabel(turn.session_id, turn.organization_id, turn.attempt + 1)
        is_sent = self._queue.send(turn.turn_id, priority=turn.priority, label=label)
        if is_sent:
            _log.info("turn_sent_again", turn_id=str(turn.turn_id))
        return is_sent

    def _purge(self) -> None:
        """Whatever goes wrong here must not keep turns from being recovered."""
        deadline = self._monotonic() + _PURGE_SECONDS
        try:
            with self._database.transaction() as tx:
                hours = self._settings.idempotency_hours
                idempotency.forget_old(tx, hours=hours, limit=_PURGE_SLICE)
                workers.forget_silent(tx)
            self._forget_audited()
            has_more = True
            while has_more and self._monotonic() < deadline:
                with self._database.transaction() as tx:
                    has_more = purge.purge_deleted_session(
                        tx, limit=_PURGE_SLICE
                    ) or purge.purge_deleted_workspace(tx)
        except DatabaseError as failure:
            _log.warning("purge_failed", error=type(failure).__name__, sqlstate=sqlstate(failure))

    def _forget_audited(self) -> None:
        days = self._settings.audit_retention_days
        if days:
            with self._database.transaction() as tx:
                audit_log.forget_old(tx, days=days, limit=_PURGE_SLICE)

    def run(self, stop: threading.Event) -> None:
        """Sweep every so often until stopped; an unreachable database is waited out."""
        while not stop.is_set():
            began, pause = self._monotonic(), self._settings.sweep_seconds
            try:
                self.sweep()
                self._metrics.swept(self._monotonic() - began)
            except DatabaseError as failure:
                # Workers have come back by a time that counts from the outage's end.
                pause = min(pause, _PROMPT_SECONDS)
                self._metrics.failed()
                self._begin_anew()
                _log.warning(
                    "sweep_failed", error=type(failure).__name__, sqlstate=sqlstate(failure)
                )
            stop.wait(pause)


def _look(
    settings: Settings, database: Database, board: BreakerBoard, backlog: Backlog
) -> Installation:
    with database.reading() as tx:
        health = service_health.look(tx, silent_after=settings.lease_seconds)
        provider_ids = providers.all_ids(tx, limit=MOST_PROVIDERS)
        late_seconds = webhook_deliveries.late_seconds(tx)
    shown = [show_id(Kind.PROVIDER, provider_id) for provider_id in provider_ids]
    try:
        breakers = {each.provider_id: str(each.state) for each in board.read(shown)}
    except Unavailable:
        breakers = {}
    return Installation(health, backlog.count(), breakers, late_seconds)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings.from_env()
    logs.configure(settings, process="sweeper")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # On a thread, since what the signal interrupts may be waiting for `stop` with its lock.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    connections = 3
    database = Database(
        settings.database_url, pool_size=connections, application="everturn-sweeper"
    )
    metrics = SweepMetrics()
    metrics.pool.follow(connections, database.in_use)
    breaker = Breaker()
    redis = make_client(settings.live_text_url, timeout_seconds=settings.redis_timeout_seconds)
    live = Live(redis, breaker, text_ttl_seconds=settings.live_text_ttl_seconds)
    # On a thread of its own: it looks at every blob, and turns must not wait for that.
    collector = BlobCollector(settings, database, open_blobs(settings))
    threading.Thread(target=collector.run, args=(stop,), name="collector", daemon=True).start()
    # With connections of its own: it settles many at once, and turns must not wait for that.
    outbox = Database(settings.database_url, pool_size=2, application="everturn-webhooks")
    sender = WebhookSender(settings, outbox)
    threading.Thread(target=sender.run, args=(stop,), name="webhooks", daemon=True).start()
    look = partial(
        _look, settings, database, BreakerBoard(redis, breaker), Backlog(settings, breaker)
    )
    metrics.registry.register(InstallationState(look))
    expose(metrics.registry, settings.metrics_host, settings.sweeper_metrics_port)
    _log.info("sweeper_ready")
    queue = TurnQueue(settings, breaker)
    Sweeper(settings, database, queue, live, metrics=metrics).run(stop)
    database.close()


if __name__ == "__main__":
    main()

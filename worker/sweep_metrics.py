"""What Prometheus reads of a sweeper: its own work, and the state of the whole installation.

The state is asked of PostgreSQL and Redis when it is scraped, at most every few seconds, and
is the same whichever sweeper is asked: take the highest, not the sum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from common.domain.service_health import ServiceHealth
from common.metrics import PREFIX, REQUEST_BUCKETS, PoolMetrics, new_registry
from common.storage.engine import DatabaseError, sqlstate

_LOOK_SECONDS: Final = 2.0
# One series a provider; more have no breaker to be seen.
MOST_PROVIDERS: Final = 100
_BREAKER_STATES: Final[Mapping[str, int]] = {"closed": 0, "half_open": 1, "open": 2}
_log = structlog.get_logger()


class SweepMetrics:
    """The metrics of one sweeper."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = new_registry("sweeper") if registry is None else registry
        self.pool = PoolMetrics(self.registry)
        self._sweeps = Counter(
            f"{PREFIX}_sweeps", "Sweeps, by whether the database let them.", ("outcome",),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            f"{PREFIX}_sweep_seconds", "How long a sweep took.",
            buckets=REQUEST_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._last = Gauge(
            f"{PREFIX}_last_sweep_timestamp_seconds", "When the last sweep was done, Unix time.",
            registry=self.registry,
        )  # fmt: skip
        self._recoveries = Counter(
            f"{PREFIX}_lease_recoveries", "Turns taken back from workers that fell silent.",
            registry=self.registry,
        )  # fmt: skip
        self._overdue = Counter(
            f"{PREFIX}_waits_timed_out", "Waits for somebody outside that were ended.",
            registry=self.registry,
        )  # fmt: skip
        self._resent = Counter(
            f"{PREFIX}_turns_resent", "Queued turns that were sent to the broker again.",
            registry=self.registry,
        )  # fmt: skip

    def swept(self, seconds: float) -> None:
        """A sweep was done."""
        self._sweeps.labels("done").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()

    def failed(self) -> None:
        """A sweep was not done: the database is away."""
        self._sweeps.labels("failed").inc()

    def taken_back(self, turns: int) -> None:
        """So many turns were taken from workers that fell silent."""
        self._recoveries.inc(turns)

    def answered(self, waits: int) -> None:
        """So many waits were ended at their deadline."""
        self._overdue.inc(waits)

    def sent(self, turns: int) -> None:
        """So many turns were sent again."""
        self._resent.inc(turns)


@dataclass(frozen=True, slots=True)
class Installation:
    """The state of the whole at one moment.

    Attributes:
        backlog: wake-ups in the broker; None when it cannot be asked.
        breakers: state of each provider's, by its shown id; empty when that cannot be asked.
        webhooks_late_seconds: for how long the oldest of what webhooks are to be told is due.
    """

    health: ServiceHealth
    backlog: int | None
    breakers: Mapping[str, str] = field(default_factory=dict)
    webhooks_late_seconds: float = 0.0


class InstallationState(Collector):
    """Shows the installation, looked at when asked."""

    def __init__(
        self,
        look: Callable[[], Installation],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` raises `DatabaseError` when there is nothing to be seen."""
        self._look = look
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._seen: list[Metric] = []
        self._seen_at = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Nothing: a look at registration would need the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        with self._guard:
            if self._monotonic() - self._seen_at >= _LOOK_SECONDS:
                self._seen, self._seen_at = self._now(), self._monotonic()
            return list(self._seen)

    def _now(self) -> list[Metric]:
        readable = _gauge("installation_readable", "1 if the database could be asked.")
        try:
            found = self._look()
        except DatabaseError as failure:
            _log.warning(
                "installation_unreadable", error=type(failure).__name__, sqlstate=sqlstate(failure)
            )
            readable.add_metric((), 0)
            return [readable]
        readable.add_metric((), 1)
        return [readable, *_shown(found)]


def _shown(found: Installation) -> Iterable[Metric]:
    turns, fleet = found.health.turns, found.health.fleet
    by_status = _gauge("open_turns", "Turns that are not over, by status.", "status")
    for status, count in (
        ("queued", turns.queued),
        ("running", turns.running),
        ("waiting", turns.waiting),
    ):
        by_status.add_metric((status,), count)
    yield by_status
    for name, doc, value in (
        ("oldest_queued_turn_seconds", "Age of the turn that is queued longest, 0 with none.",
            turns.oldest_queued_seconds),
        ("dead_letters", "Sealed turns that were not tried again.", turns.dead_letters),
        ("webhooks_late_seconds", "For how long the oldest that is due to a webhook has been.",
            found.webhooks_late_seconds),
        ("workers_live", "Workers that were heard of lately.", fleet.live),
        ("workers_accepting", "Live workers that take turns.", fleet.accepting),
        ("workers_capacity", "Turns that all live workers may run at once.", fleet.capacity),
        ("workers_load", "Turns that all live workers run.", fleet.load),
    ):  # fmt: skip
        one = _gauge(name, doc)
        one.add_metric((), value)
        yield one
    if found.backlog is not None:
        queued = _gauge("broker_queue_depth", "Wake-ups in the broker that no worker has taken.")
        queued.add_metric((), found.backlog)
        yield queued
    states = _gauge(
        "llm_breaker_state", "A provider's breaker: 0 closed, 1 on trial, 2 open.", "provider_id"
    )
    for provider_id, state in found.breakers.items():
        states.add_metric((provider_id,), _BREAKER_STATES[state])
    yield states


def _gauge(name: str, doc: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", doc, labels=labels)

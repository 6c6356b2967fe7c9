"""What Prometheus reads of the stream process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common.metrics import PREFIX, PoolMetrics, new_registry

_LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class StreamMetrics:
    """Use it from the event loop's thread."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = new_registry("stream") if registry is None else registry
        self.pool = PoolMetrics(self.registry)
        self._open = Gauge(
            f"{PREFIX}_streams_open", "Event streams open just now.", registry=self.registry
        )
        self._opened = Counter(
            f"{PREFIX}_streams_opened", "Event streams that were opened.", registry=self.registry
        )
        self._refused = Counter(
            f"{PREFIX}_streams_refused",
            "Requests for a stream that were refused, by the error's code.",
            ("code",),
            registry=self.registry,
        )
        self._stalled = Counter(
            f"{PREFIX}_streams_stalled",
            "Streams given up because their client no longer read.",
            registry=self.registry,
        )
        self._slow = Counter(
            f"{PREFIX}_stream_slow_readers",
            "Times that a stream fell behind and was sent to the log instead.",
            registry=self.registry,
        )
        self._audit_entries_lost = Counter(
            f"{PREFIX}_audit_entries_lost",
            "Entries of the audit log that were only counted.",
            registry=self.registry,
        )
        self._lag = Histogram(
            f"{PREFIX}_relay_lag_seconds",
            "From an event's commit to its arrival at this process, over Redis.",
            buckets=_LAG_BUCKETS,
            registry=self.registry,
        )

    def count_open(self, count: Callable[[], int]) -> None:
        """Ask this for the number of open streams."""
        self._open.set_function(count)

    def opened(self) -> None:
        """A stream was opened."""
        self._opened.inc()

    def audit_entries_lost(self, count: int) -> None:
        """So many entries of the audit log will not be written one by one; from any thread."""
        self._audit_entries_lost.inc(count)

    def refused(self, code: str) -> None:
        """A request for a stream was refused; codes are ours, so there are few."""
        self._refused.labels(code).inc()

    def stalled(self) -> None:
        """A stream was given up, since its client does not read."""
        self._stalled.inc()

    def fell_behind(self) -> None:
        """A subscriber's inbox was full."""
        self._slow.inc()

    def relayed(self, lag_seconds: float) -> None:
        """Events have come over the live channel; hosts' clocks may differ by a little."""
        self._lag.observe(max(0.0, lag_seconds))

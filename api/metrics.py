"""What Prometheus reads of the api, over all processes of one gunicorn.

Each of them writes its numbers into files of its own in one folder, and whichever is asked
adds them up.  What a process that died has counted is kept in one file for all of the dead,
so that counters never fall and files do not pile up.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from common.metrics import OTHER, PREFIX, REQUEST_BUCKETS, BuildInfo, PoolMetrics

# No process has this id.
_THE_DEAD: Final = 0
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE: Final = "none"


class ApiMetrics:
    """The metrics of one process of the api; thread-safe."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        kept = CollectorRegistry() if registry is None else registry
        self._requests = Counter(
            f"{PREFIX}_http_requests",
            "Requests answered, by the template of their route.",
            ("method", "route", "status"),
            registry=kept,
        )
        self._seconds = Histogram(
            f"{PREFIX}_http_request_seconds",
            "Time to answer a request, by the template of its route.",
            ("method", "route"),
            buckets=REQUEST_BUCKETS,
            registry=kept,
        )
        self._audit_entries_lost = Counter(
            f"{PREFIX}_audit_entries_lost",
            "Entries of the audit log that were only counted.",
            registry=kept,
        )
        self.pool = PoolMetrics(kept)

    def answered(self, method: str, route: str | None, status: int, *, seconds: float) -> None:
        """A request was answered; `route` is None when there is none of its path."""
        # A client may send any word as method.
        known, template = method if method in _METHODS else OTHER, route or _NO_ROUTE
        self._requests.labels(known, template, str(status)).inc()
        self._seconds.labels(known, template).observe(seconds)

    def audit_entries_lost(self, count: int) -> None:
        """So many entries of the audit log will not be written one by one."""
        self._audit_entries_lost.inc(count)


def registry_of_all(folder: Path) -> CollectorRegistry:
    """What all processes together have counted, to be asked once."""
    registry = CollectorRegistry()
    registry.register(_Sum(folder))
    registry.register(BuildInfo("api"))
    return registry


def bury(folder: Path, pid: int) -> None:
    """A process has ended: keep what it counted, forget what it had."""
    with _only_one(folder):
        mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]
        for kind in ("counter", "histogram"):
            left = folder / f"{kind}_{pid}.db"
            if left.exists():
                _add(left, to=folder / f"{kind}_{_THE_DEAD}.db")
                left.unlink()


class _Sum(Collector):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        with _only_one(self._folder):
            # Without a registry: this is registered in its place, for the lock.
            found = MultiProcessCollector(None, path=str(self._folder))  # type: ignore[no-untyped-call]
            return list(found.collect())  # type: ignore[no-untyped-call]


def _add(left: Path, *, to: Path) -> None:
    total = MmapedDict(str(to))  # type: ignore[no-untyped-call]
    try:
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(left)):  # type: ignore[no-untyped-call]
            before, _ = total.read_value(key)  # type: ignore[no-untyped-call]
            total.write_value(key, before + value, timestamp)  # type: ignore[no-untyped-call]
    finally:
        total.close()  # type: ignore[no-untyped-call]


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Nobody adds up while what the dead have counted is on its way."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""A worker process as everybody else sees it: from the row that it keeps writing.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class WorkerStatus(StrEnum):
    """`stopped` is one that said so, or that has been silent for a lease."""

    ACTIVE = "active"
    DRAINING = "draining"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker says of itself.

    Attributes:
        capacity: turns that it runs at once, at most; `load` so many it runs.
        tasks_failed: turns that broke on it, by a fault of ours or of a tool's.
    """

    id: UUID
    hostname: str
    pid: int
    version: str
    status: WorkerStatus
    capacity: int
    load: int
    tasks_completed: int = 0
    tasks_failed: int = 0


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker, and when it last said so.

    Attributes:
        wanted: what it was asked to be; it obeys with its next heartbeat.
        silent_seconds: since its last heartbeat, by the database's clock.
    """

    report: WorkerReport
    wanted: WorkerStatus
    started_at: datetime
    last_heartbeat_at: datetime
    silent_seconds: float

    def status(self, *, silent_after: float) -> WorkerStatus:
        """What it is, silence taken for its end."""
        if self.silent_seconds > silent_after:
            return WorkerStatus.STOPPED
        if self.report.status is WorkerStatus.ACTIVE:
            return self.wanted
        return self.report.status

    def is_accepting(self, *, silent_after: float) -> bool:
        """Whether it takes turns just now."""
        return self.backpressure(silent_after=silent_after) is None

    def backpressure(self, *, silent_after: float) -> str | None:
        """Why it takes no turns, None when it does."""
        status = self.status(silent_after=silent_after)
        if self.silent_seconds > silent_after:
            return "silent"
        if status is not WorkerStatus.ACTIVE:
            return str(status)
        return "at_capacity" if self.report.load >= self.report.capacity else None

    def silent_since(self, *, silent_after: float) -> datetime | None:
        """When it was last heard, if it is silent without having said goodbye."""
        has_left = self.report.status is WorkerStatus.STOPPED
        is_silent = self.silent_seconds > silent_after and not has_left
        return self.last_heartbeat_at if is_silent else None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All workers in numbers.

    Attributes:
        total: with those that are gone and not forgotten yet.
        accepting: take a turn at once; `draining` take none any more.
        capacity: of those that are neither gone nor draining; `load` with the draining ones'.
    """

    total: int
    live: int
    draining: int
    accepting: int
    capacity: int
    load: int

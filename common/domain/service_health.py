"""Whether turns get done: counts of workers and turns, and what they come to.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from common.domain.worker import Fleet

Verdict = Literal["healthy", "degraded", "unhealthy"]

# More waiting turns than so many times the free places: they will not be taken soon.
_CROWD: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCounts:
    """Turns of the whole installation.

    Attributes:
        queued: wait for a worker; `oldest_queued_seconds` the longest of them.
        begun, completed, failed: of the last hour.
        dead_letters: sealed and not tried again.
    """

    queued: int
    running: int
    waiting: int
    begun: int
    completed: int
    failed: int
    dead_letters: int
    oldest_queued_seconds: float


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Workers and turns at one moment."""

    fleet: Fleet
    turns: TurnCounts

    @property
    def verdict(self) -> Verdict:
        """`unhealthy`: no turn is taken; `degraded`: turns wait longer than they should."""
        fleet, turns = self.fleet, self.turns
        if fleet.live == fleet.draining:
            return "unhealthy"
        free = max(0, fleet.capacity - fleet.load)
        is_crowded = turns.queued > 0 and turns.queued > _CROWD * free
        return "degraded" if fleet.accepting == 0 or is_crowded else "healthy"

    def to_json(self) -> dict[str, Any]:
        """As contract 3.13 has it: a turn is a workflow of one task."""
        fleet, turns = self.fleet, self.turns
        load = 100 * fleet.load / fleet.capacity if fleet.capacity else 0.0
        return {
            "status": self.verdict,
            "total_workers": fleet.total,
            "active_workers": fleet.live,
            "workers_accepting": fleet.accepting,
            "total_capacity": fleet.capacity,
            "current_load": fleet.load,
            "load_percentage": round(load, 1),
            "pending_tasks": turns.queued,
            "claimed_tasks": turns.running + turns.waiting,
            "started_tasks": turns.begun,
            "completed_tasks": turns.completed,
            "failed_tasks": turns.failed,
            "pending_workflows": turns.queued,
            "running_workflows": turns.running + turns.waiting,
            "started_workflows": turns.begun,
            "completed_workflows": turns.completed,
            "failed_workflows": turns.failed,
            "dlq_size": turns.dead_letters,
            "oldest_pending_seconds": round(turns.oldest_queued_seconds, 1),
        }

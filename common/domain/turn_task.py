"""A turn in the words of durable execution (contract 3.13, 5.3): a workflow of one task.  Pure."""

from __future__ import annotations

from typing import Final

from common.domain.turn import TurnStatus

WORKFLOW_TYPE: Final = "turn"
TASK_TYPE: Final = "run_turn"

# A waiting turn has begun and is in nobody's queue.
WORKFLOW_STATUS: Final = {
    TurnStatus.QUEUED: "pending",
    TurnStatus.RUNNING: "running",
    TurnStatus.WAITING: "running",
    TurnStatus.COMPLETED: "completed",
    TurnStatus.FAILED: "failed",
    TurnStatus.SEALED: "failed",
    TurnStatus.CANCELLED: "cancelled",
}
TASK_STATUS: Final = {
    TurnStatus.QUEUED: "pending",
    TurnStatus.RUNNING: "claimed",
    TurnStatus.WAITING: "claimed",
    TurnStatus.COMPLETED: "completed",
    TurnStatus.FAILED: "failed",
    TurnStatus.SEALED: "dead",
    TurnStatus.CANCELLED: "cancelled",
}

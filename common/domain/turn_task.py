"""A turn in the words of durable execution (contract 3.13, 5.3): a workflow of one task.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from common.domain.ids import Kind, show_id
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


@dataclass(frozen=True, slots=True)
class TaskLabel:
    """What a task's entry in Flower says beside the turn: ids and a number, no content (I10).

    Attributes:
        attempt: which claim of the turn it is for; None, as the organization, when the
            sender does not know.
    """

    session_id: UUID
    organization_id: UUID | None = None
    attempt: int | None = None

    def to_json(self) -> dict[str, str | int]:
        """In the form that ids have everywhere."""
        shown: dict[str, str | int] = {"session": show_id(Kind.SESSION, self.session_id)}
        if self.organization_id is not None:
            shown["organization"] = show_id(Kind.ORGANIZATION, self.organization_id)
        if self.attempt is not None:
            shown["attempt"] = self.attempt
        return shown

"""Stands for `common.turn_queue.TurnQueue`: keeps what it was asked to send."""

from dataclasses import dataclass, field
from uuid import UUID

from common.domain.turn_task import TaskLabel


@dataclass(slots=True)
class RecordingQueue:
    """The turns that a worker would have been woken for, in order."""

    sent: list[UUID] = field(default_factory=list)
    labels: list[TaskLabel | None] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.sent.clear()
        self.labels.clear()

    def send(self, turn_id: UUID, *, label: TaskLabel | None = None) -> bool:
        self.sent.append(turn_id)
        self.labels.append(label)
        return True

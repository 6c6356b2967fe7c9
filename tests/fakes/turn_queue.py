"""Stands for `common.turn_queue.TurnQueue`: keeps what it was asked to send."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class RecordingQueue:
    """The turns that a worker would have been woken for, in order."""

    sent: list[UUID] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.sent.clear()

    def send(self, turn_id: UUID) -> bool:
        self.sent.append(turn_id)
        return True

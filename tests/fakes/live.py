"""Stands for `common.live.Live`: keeps what it was told instead of telling Redis."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from common.event_codec import LoggedEvent


@dataclass(slots=True)
class RecordingLive:
    """What subscribers and workers would have heard, in order."""

    published: list[tuple[UUID, list[LoggedEvent]]] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    looked: list[UUID] = field(default_factory=list)
    revoked: list[UUID] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.published.clear()
        self.gone.clear()
        self.cancelled.clear()
        self.looked.clear()
        self.revoked.clear()

    def publish(self, session_id: UUID, events: Sequence[LoggedEvent]) -> None:
        if events:
            self.published.append((session_id, list(events)))

    def publish_gone(self, session_id: UUID) -> None:
        self.gone.append(session_id)

    def cancel(self, turn_id: UUID) -> None:
        self.cancelled.append(turn_id)

    def look(self, worker_id: UUID) -> None:
        self.looked.append(worker_id)

    def revoke(self, key_id: UUID) -> None:
        self.revoked.append(key_id)

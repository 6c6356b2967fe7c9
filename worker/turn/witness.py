"""Who is told of a turn's committed events, to count and to trace them."""

from __future__ import annotations

from typing import Protocol

from common.event_codec import LoggedEvent


class Witness(Protocol):
    """Hears of events once they are sure to be in the log; never raises."""

    def recall(self, events: list[LoggedEvent]) -> None:
        """What was in the log before this worker had the turn."""

    def see(self, events: list[LoggedEvent]) -> None:
        """What this worker has appended, each event once."""


class NoWitness:
    """Nobody counts."""

    def recall(self, events: list[LoggedEvent]) -> None:
        """Forget it."""

    def see(self, events: list[LoggedEvent]) -> None:
        """Forget it."""

"""How many tasks this process was given, has begun and has ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts at one moment, since the process began.

    Attributes:
        received: wake-ups that Celery was given.
        failed: of those that ended, so many by a fault.
    """

    received: int = 0
    begun: int = 0
    completed: int = 0
    failed: int = 0

    @property
    def running(self) -> int:
        return self.begun - self.completed - self.failed


class Tally:
    """Counts; thread-safe."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._guard = threading.Lock()

    @property
    def counts(self) -> Counts:
        return self._counts

    def received(self) -> None:
        self._add(received=1)

    def begun(self) -> None:
        self._add(begun=1)

    def ended(self, *, is_run: bool) -> None:
        """`is_run`: nothing of ours went wrong on the way."""
        self._add(completed=int(is_run), failed=int(not is_run))

    def _add(self, **more: int) -> None:
        with self._guard:
            counts = self._counts
            changed = {name: getattr(counts, name) + number for name, number in more.items()}
            self._counts = replace(counts, **changed)

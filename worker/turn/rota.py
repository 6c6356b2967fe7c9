"""Which organization this process served last; the next in the ring goes before it."""

from __future__ import annotations

from uuid import UUID


class Rota:
    """Read and written by all of the process's threads; two that cross cost nobody a turn."""

    def __init__(self) -> None:
        self.last = UUID(int=0)

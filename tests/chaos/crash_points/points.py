"""Where a turn's walk crosses from a process to the world outside, numbered, and what befalls it.

A point is one commit, one statement, one command to Redis, one wake-up, one piece of a model's
answer or one tool call: not from a list, but as the code comes by.  A first run counts them;
further ones let something happen at one of them, by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Never

Action = Callable[[], None]


class Kind(StrEnum):
    """What can happen at a point."""

    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"
    FAILS_BEFORE = "it fails and was not done"
    FAILS_AFTER = "it fails although it was done"
    MESSAGE = "a message comes after it"
    CANCEL = "a cancel comes after it"


EVERY_KIND: Final = tuple(Kind)
# A statement of a transaction is only a place for the connection to break: what else can
# happen there happens at its commit.
AT_STATEMENTS: Final = (Kind.FAILS_BEFORE,)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that happens at one point, counted from 1."""

    number: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Point:
    """A crossing as it was met, and what can happen there."""

    label: str
    kinds: Sequence[Kind]


class Died(BaseException):
    """The process is no more: nothing of it may run on, no handler may see this."""


@dataclass
class Points:
    """All crossings of one run, in the order in which they come.

    Attributes:
        planned: what is to happen after the first point whose label has these words.
        actions: how what comes from outside is done.
    """

    fault: Fault | None = None
    planned: dict[str, Action] = field(default_factory=dict)
    actions: dict[Kind, Action] = field(default_factory=dict)
    met: list[Point] = field(default_factory=list)

    def arrive(self, point: Point) -> Kind | None:
        """Count a point; returns what happens at it."""
        self.met.append(point)
        is_it = self.fault is not None and self.fault.number == len(self.met)
        return self.fault.kind if self.fault is not None and is_it else None

    def leave(self, point: Point, kind: Kind | None) -> None:
        """Let happen what others do meanwhile."""
        for words in [words for words in self.planned if words in point.label]:
            self.planned.pop(words)()
        if kind in self.actions:
            self.actions[kind]()


class Process:
    """One process of the system, from its start to its death."""

    def __init__(self, name: str, points: Points) -> None:
        self.name = name
        self.is_dead = False
        self.on_death: Action = lambda: None
        self._points = points

    @contextmanager
    def crossing(
        self, what: str, failure: Callable[[], Exception], kinds: Sequence[Kind] = EVERY_KIND
    ) -> Iterator[None]:
        """Do one thing outside the process; `failure` is how it would fail."""
        self._be_alive()
        point = Point(f"{self.name}: {what}", kinds)
        kind = self._points.arrive(point)
        if kind is Kind.DIES_BEFORE:
            self.die()
        if kind is Kind.FAILS_BEFORE:
            raise failure()
        yield
        self._be_alive()
        self._points.leave(point, kind)
        if kind is Kind.DIES_AFTER:
            self.die()
        if kind is Kind.FAILS_AFTER:
            raise failure()

    def _be_alive(self) -> None:
        if self.is_dead:
            raise Died

    def die(self) -> Never:
        self.is_dead = True
        self.on_death()
        raise Died

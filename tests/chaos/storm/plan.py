"""What is done to the system and when: all of it follows from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Act(StrEnum):
    """One kind of fault."""

    KILL = "SIGKILL"
    TERMINATE = "SIGTERM"
    FREEZE = "SIGSTOP for a while"
    REDIS_KILLED = "Redis killed, started again with its data"
    REDIS_EMPTIED = "Redis killed, started again empty"
    REDIS_SLOW = "Redis slow for a while"
    REDIS_CUT = "connections to Redis cut"
    POSTGRES_KILLED = "PostgreSQL killed, started again"
    POSTGRES_RESTARTED = "PostgreSQL restarted"
    POSTGRES_CUT = "connections to PostgreSQL cut, transactions under way with them"
    WAKE_UPS_DOUBLED = "wake-ups sent twice"
    WAKE_UPS_LOST = "wake-ups lost for a while"


OF_PROCESSES: Final = (Act.KILL, Act.TERMINATE, Act.FREEZE)
KINDS: Final = ("api", "stream", "worker", "sweeper")
_SERVERS: Final = tuple(act for act in Act if act not in OF_PROCESSES)
EVERY_FAULT: Final = (
    *((act, kind) for act in OF_PROCESSES for kind in KINDS),
    *((act, "") for act in _SERVERS),
)
# Workers hold the turns, so they are hit most.
_LATE_WORKERS: Final = ((Act.FREEZE, "worker"),) * 4
_WEIGHTS: Final = {"worker": 4, "stream": 2, "": 1, "api": 2, "sweeper": 1}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is done.

    Attributes:
        kind: of process; empty for what is done to servers.
        choice: from 0 to 1: which one of several processes.
        seconds: how long it lasts, or until what was ended is started again.
    """

    at: float
    act: Act
    kind: str
    choice: float
    seconds: float

    def __str__(self) -> str:
        what = f"{self.kind} {self.act}" if self.kind else str(self.act)
        return f"{self.at:7.1f} s  {what} ({self.seconds:.1f} s)"


def each_once(seed: int, *, first: float, gap: float, lease: float) -> list[Fault]:
    """Every kind of fault once, in an order of the seed's; frozen for more than a lease.

    Workers are frozen a few times more: those that come back late are what fences are for.
    """
    chance = Random(f"{seed} plan")  # noqa: S311 - to be repeated
    faults = [*EVERY_FAULT, *_LATE_WORKERS]
    chance.shuffle(faults)
    frozen = (1.3 * lease, 2 * lease)
    return [
        _fault(chance, first + gap * number, fault, frozen) for number, fault in enumerate(faults)
    ]


def at_random(seed: int, *, until: float, gaps: tuple[float, float], lease: float) -> list[Fault]:
    """Faults until a moment, with pauses between these bounds; frozen for up to two leases."""
    chance = Random(f"{seed} plan")  # noqa: S311 - to be repeated
    return list(_at_random(chance, until, gaps, (0.2, 2 * lease)))


def _at_random(
    chance: Random, until: float, gaps: tuple[float, float], frozen: tuple[float, float]
) -> Iterator[Fault]:
    weights = [_WEIGHTS[kind] for _, kind in EVERY_FAULT]
    at = chance.uniform(*gaps)
    while at < until:
        yield _fault(chance, at, chance.choices(EVERY_FAULT, weights)[0], frozen)
        at += chance.uniform(*gaps)


def _fault(chance: Random, at: float, fault: tuple[Act, str], frozen: tuple[float, float]) -> Fault:
    act, kind = fault
    seconds = chance.uniform(*frozen) if act is Act.FREEZE else chance.uniform(0.1, 2.0)
    return Fault(at, act, kind, chance.random(), seconds)

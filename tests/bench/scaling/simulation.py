"""The same installations, played turn by turn: queues, chance, and cores that are shared.

Turns arrive at random.  At each station a turn waits for a free server, then for a free core
of one of its hosts, and computes for as long as it costs, more or less.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from tests.bench.scaling.model import Installation, Station

# How much the cost of a stage varies: half fixed, half by chance.
_FIXED: Final = 0.5
# Turns that are not counted: the queues are empty when they come.
_WARM_UP: Final = 0.2
_QUEUES_GROW: Final = 1.5


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one rate.

    Attributes:
        latency_ms: middle and 99th percentile of what turns took, waits included.
        busiest: the station whose turns waited longest for it.
        is_stable: whether the last turns waited no longer than the first.
    """

    latency_ms: tuple[float, float]
    busiest: str
    is_stable: bool


@dataclass
class _Pool:
    """So many of something, and who waits for one."""

    free: int
    waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def take(self, then: Callable[[], None]) -> None:
        if self.free:
            self.free -= 1
            then()
        else:
            self.waiting.append(then)

    def give(self) -> None:
        if self.waiting:
            self.waiting.popleft()()
        else:
            self.free += 1


class _Play:
    """One run of the clock."""

    def __init__(self, installation: Installation, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - to be repeated
        self._stations = installation.stations
        self._servers = {each.name: _Pool(each.servers) for each in installation.stations}
        self._cores = {host: _Pool(cores) for host, cores in installation.cores.items()}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._now = 0.0
        self.took: list[float] = []
        self.waited = dict.fromkeys(self._servers, 0.0)

    def run(self, turns: int, rate: float) -> None:
        moment = 0.0
        for _ in range(turns):
            moment += self._chance.expovariate(rate / 1000)
            self._at(moment, self._begin)
        while self._agenda:
            self._now, _, action = heapq.heappop(self._agenda)
            action()

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), action))

    def _begin(self) -> None:
        self._enter(0, began=self._now)

    def _enter(self, place: int, *, began: float) -> None:
        if place == len(self._stations):
            self.took.append(self._now - began)
            return
        station, came = self._stations[place], self._now
        core = self._cores[self._chance.choice(station.hosts)]
        self._servers[station.name].take(
            lambda: core.take(lambda: self._compute(station, place, core, began, came))
        )

    def _compute(
        self, station: Station, place: int, core: _Pool, began: float, came: float
    ) -> None:
        self.waited[station.name] += self._now - came
        cost = station.cost_ms
        spent = cost * _FIXED + self._chance.expovariate(1) * cost * (1 - _FIXED)

        def done() -> None:
            core.give()
            self._servers[station.name].give()
            self._enter(place + 1, began=began)

        self._at(self._now + spent, done)


def play(installation: Installation, rate: float, *, turns: int = 8_000, seed: int = 1) -> Played:
    """Turns at this rate, one after the other."""
    run = _Play(installation, seed)
    run.run(turns, rate)
    counted = run.took[int(len(run.took) * _WARM_UP) :]
    half = len(counted) // 2
    first, second = sum(counted[:half]) / half, sum(counted[half:]) / (len(counted) - half)
    ordered = sorted(counted)
    return Played(
        latency_ms=(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]),
        busiest=max(run.waited, key=lambda name: run.waited[name]),
        is_stable=second < first * _QUEUES_GROW,
    )

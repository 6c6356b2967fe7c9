"""What installations carry, by arithmetic on what one turn costs each process.  Pure.

A station is what one kind of process can do at once: a worker process or Redis has one
thread that computes, PostgreSQL as many backends as its host has cores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Station:
    """Servers of one kind.

    Attributes:
        cost_ms: processor time of one turn.
        servers: how many turns' work it can do at the same time, over all its hosts.
        hosts: machines it is spread over, with everything else that is there.
    """

    name: str
    cost_ms: float
    servers: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Installation:
    """Stations in the order in which a turn passes them, and the cores of each host."""

    name: str
    stations: tuple[Station, ...]
    cores: Mapping[str, int]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """What ends first: turns a second, and where."""

    turns_a_second: float
    by: str


def bounds(installation: Installation) -> list[Bound]:
    """Every bound there is, the lowest first."""
    found = [
        Bound(station.servers * 1000 / station.cost_ms, station.name)
        for station in installation.stations
        if station.cost_ms > 0
    ]
    for host, cores in installation.cores.items():
        share = sum(
            station.cost_ms / len(station.hosts)
            for station in installation.stations
            if host in station.hosts
        )
        if share > 0:
            found.append(Bound(cores * 1000 / share, f"the cores of {host}"))
    return sorted(found, key=lambda bound: bound.turns_a_second)


def spread(costs: Mapping[str, float], hosts: Sequence[str], cores: int) -> dict[str, int]:
    """How many of the processes of each kind so many cores are best given to."""
    total = sum(costs.values())
    available = len(hosts) * cores
    return {
        name: max(1, round(available * cost / total)) if total else 1
        for name, cost in costs.items()
    }

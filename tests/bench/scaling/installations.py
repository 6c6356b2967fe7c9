"""One box, ten and a hundred: which processes are where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.bench.scaling.model import Installation, Station, spread

# In the order of a turn's way.  PostgreSQL and Redis are asked all along; here at once.
KINDS: Final = ("api", "worker", "postgres", "redis", "stream")
_OURS: Final = ("api", "worker", "stream")


def one_box(costs: Mapping[str, float], *, cores: int, workers: int = 1) -> Installation:
    """Everything on one machine."""
    servers = {"api": cores, "worker": workers, "postgres": cores, "redis": 1, "stream": 1}
    stations = tuple(Station(kind, costs[kind], servers[kind], ("the box",)) for kind in KINDS)
    return Installation("one box", stations, {"the box": cores})


def boxes(
    costs: Mapping[str, float],
    *,
    number: int,
    cores: int,
    databases: int = 1,
    caches: int = 1,
    note: str = "",
) -> Installation:
    """Boxes for PostgreSQL and for Redis, and the rest for our processes."""
    stores = [f"postgres {place + 1}" for place in range(databases)]
    # A Redis computes on one core: several share a box.
    redis_boxes = max(1, -(-caches // cores))
    hurrying = [f"redis {place + 1}" for place in range(redis_boxes)]
    ours = [f"box {place + 1}" for place in range(number - databases - redis_boxes)]
    counts = spread({kind: costs[kind] for kind in _OURS}, ours, cores)
    placed = {
        **{kind: (counts[kind], tuple(ours)) for kind in _OURS},
        "postgres": (databases * cores, tuple(stores)),
        "redis": (caches, tuple(hurrying)),
    }
    stations = tuple(Station(kind, costs[kind], *placed[kind]) for kind in KINDS)
    hosts = dict.fromkeys((*stores, *hurrying, *ours), cores)
    return Installation(f"{number} boxes", stations, hosts, note)

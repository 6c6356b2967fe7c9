"""`make scaling`: what installations carry, from the newest run of `make bench`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dev.paths import ROOT
from tests.bench.scaling.installations import KINDS, boxes, one_box
from tests.bench.scaling.model import Installation, bounds
from tests.bench.scaling.simulation import play

_RESULTS: Final = ROOT / "tests" / "bench" / "results"
_REPORT: Final = ROOT / "docs" / "scaling.md"
_BEGIN, _END = "<!-- the arithmetic begins -->", "<!-- the arithmetic ends -->"
_COSTS: Final = "turn at the sustained rate, CPU ms by process"
_SUSTAINED: Final = "complete text turns, sustained"
# Of the bound: the rate at which it is played.
_LOADS: Final = (0.5, 0.8, 0.95, 1.1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write it; 0 when playing agrees with the arithmetic."""
    parser = argparse.ArgumentParser(prog="scaling", description=__doc__)
    parser.add_argument("--cores", type=int, default=8, help="of a box of ten or a hundred")
    parser.add_argument("--dry", action="store_true", help="leave docs/scaling.md alone")
    given = parser.parse_args(arguments)
    result = newest_result()
    costs = {kind: float(result["costs"][_COSTS][kind]) for kind in KINDS}
    kinds = planned(costs, cores=given.cores)
    report = f"{_measured(result, costs)}\n\n{_table(kinds)}"
    sys.stdout.write(f"{report}\n")
    if not given.dry:
        before, _, rest = _REPORT.read_text().partition(_BEGIN)
        _, _, after = rest.partition(_END)
        _REPORT.write_text(f"{before}{_BEGIN}\n\n{report}\n\n{_END}{after}")
    return 0 if all(agrees(each) for each in kinds) else 1


def planned(costs: Mapping[str, float], *, cores: int) -> list[Installation]:
    """The installations that docs/scaling.md speaks of."""
    return [
        one_box(costs, cores=2),
        one_box(costs, cores=cores, workers=cores // 2),
        boxes(costs, number=10, cores=cores),
        boxes(costs, number=10, cores=cores, caches=3, note="Redis split in three by purpose"),
        boxes(costs, number=100, cores=cores, caches=3, note="Redis split in three by purpose"),
        boxes(
            costs,
            number=100,
            cores=cores,
            databases=14,
            caches=40,
            note="PostgreSQL in 14 shards, Redis in 40",
        ),
    ]


def agrees(installation: Installation) -> bool:
    """Whether queues stay short below the bound and grow above it."""
    limit = bounds(installation)[0].turns_a_second
    return (
        play(installation, limit * 0.8).is_stable and not play(installation, limit * 1.3).is_stable
    )


def newest_result() -> dict[str, Any]:
    """The last run that measured a sustained rate."""
    for path in sorted(_RESULTS.glob("*.json"), reverse=True):
        found: dict[str, Any] = json.loads(path.read_text())
        if _COSTS in found["costs"]:
            return found
    raise LookupError("no run of `make bench` has measured turns")


def _measured(result: Mapping[str, Any], costs: Mapping[str, float]) -> str:
    rate = next(row for row in result["rows"] if row["title"] == _SUSTAINED)["ours"]["median"]
    bound = bounds(one_box(costs, cores=2))[0]
    shown = ", ".join(f"{kind} {cost:.2f}" for kind, cost in costs.items())
    return (
        f"Processor time of a turn in ms (commit `{result['commit']}`): {shown}; together"
        f" {sum(costs.values()):.1f}. By these, one box of two cores carries"
        f" {bound.turns_a_second:.0f} turns/s; measured with the load beside it: {rate:.0f}."
    )


def _table(kinds: Sequence[Installation]) -> str:
    lines = [
        "| installation | turns/s, by arithmetic | ends first | then | played at "
        + " | ".join(f"{load:.0%}" for load in _LOADS)
        + " |",
        "|---|---|---|---|" + "---|" * len(_LOADS),
    ]
    for each in kinds:
        first, second = bounds(each)[:2]
        cells = [_played(each, first.turns_a_second * load) for load in _LOADS]
        cores = max(each.cores.values())
        name = f"{each.name} of {cores} cores" + (f"; {each.note}" if each.note else "")
        lines.append(
            f"| {name} | {first.turns_a_second:,.0f} | {first.by} | {second.by}"
            f" ({second.turns_a_second:,.0f}) | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def _played(installation: Installation, rate: float) -> str:
    found = play(installation, rate)
    if not found.is_stable:
        return f"grows, at {found.busiest}"
    return f"{found.latency_ms[0]:.0f} / {found.latency_ms[1]:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: the machine's limits and our figures in the same run, as ratios.

The table goes into docs/performance.md, everything else into tests/bench/results; what follows
for larger installations goes into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvloop

from common.clock import now
from dev.paths import ROOT
from tests.bench import machine, rows_growth, rows_memory, rows_rate, rows_relay, rows_turn, soak
from tests.bench.figures import Row, Sheet
from tests.bench.scaling import __main__ as scaling
from tests.bench.site import Site, built

Measure = Callable[[Site, dict[str, Any]], Awaitable[list[Row]]]

_REPORT: Final = ROOT / "docs" / "performance.md"
_RESULTS: Final = ROOT / "tests" / "bench" / "results"
_BEGIN, _END = "<!-- the last run begins -->", "<!-- the last run ends -->"
_ROUNDS, _QUICK_ROUNDS, _QUICK_SCALE = 9, 3, 0.4

_SCENARIOS: Final[dict[str, Measure]] = {
    "turn": rows_turn.measure,
    "rate": rows_rate.measure_turns,
    "tokens": rows_rate.measure_tokens,
    "relay": rows_relay.measure,
    "streams": rows_memory.measure_idle_streams,
    "waiting": rows_memory.measure_waiting_turns,
    "bytes": rows_memory.measure_bytes,
    "sizes": rows_growth.measure_sizes,
    "million": rows_growth.measure_million,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when every target was met."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"some of {', '.join(_SCENARIOS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="three short rounds: a first look")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="memory over that time alone")
    parser.add_argument("--dry", action="store_true", help="write nothing into the repository")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args(arguments)
    unknown = set(given.rows) - set(_SCENARIOS)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")
    rounds = _QUICK_ROUNDS if given.quick else given.rounds
    began = time.monotonic()
    told = sys.stderr if given.json else sys.stdout

    def say(what: str) -> None:
        told.write(f"[{time.monotonic() - began:7.1f}] {what}\n")
        told.flush()

    with tempfile.TemporaryDirectory(prefix="everturn-bench-") as directory:
        scale = _QUICK_SCALE if given.quick else 1.0
        with built(Path(directory), rounds=rounds, scale=scale) as site:
            sheet, facts = _measured(site, _scenarios(given, say), say)
    say(f"{json.dumps(sheet.costs, indent=1, ensure_ascii=False)}\n\n{sheet.table()}\n")
    if given.json:
        sys.stdout.write(_as_json(facts, sheet))
    if not given.dry:
        _store(facts, sheet)
        if not (given.rows or given.quick or given.soak):
            _write(_report(facts, sheet))
            scaling.main([])
    return 0 if all(row.is_met is not False for row in sheet.rows) else 1


def _scenarios(given: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Measure]:
    if given.soak:
        return {"soak": partial(soak.measure, minutes=given.soak, say=say)}
    return {n: act for n, act in _SCENARIOS.items() if not given.rows or n in given.rows}


def _measured(
    site: Site, scenarios: Mapping[str, Measure], say: Callable[[str], None]
) -> tuple[Sheet, dict[str, Any]]:
    sheet = Sheet()
    facts = machine.described(site)
    loads = {"before": machine.load_average()}
    for name, measure in scenarios.items():
        say(f"{name} …")
        rows = uvloop.run(_run(measure, site, sheet.costs))
        loads[name] = machine.load_average()
        sheet.rows += rows
        for row in rows:
            say(f"  {row.title}: {row.ours}" + (f", ratio {row.ratio}" if row.ratio else ""))
    facts["rounds"], facts["load_average"] = site.rounds, loads
    return sheet, facts


async def _run(measure: Measure, site: Site, costs: dict[str, Any]) -> list[Row]:
    return await measure(site, costs)


def _store(facts: dict[str, Any], sheet: Sheet) -> None:
    _RESULTS.mkdir(exist_ok=True)
    commit = facts["commit"].removesuffix("-dirty")
    path = _RESULTS / f"{now().astimezone(UTC):%Y%m%d-%H%M}-{commit}.json"
    path.write_text(_as_json(facts, sheet))


def _as_json(facts: dict[str, Any], sheet: Sheet) -> str:
    content = {
        "at": now().astimezone(UTC).isoformat(timespec="seconds"),
        **facts,
        "rows": [row.to_json() for row in sheet.rows],
        "costs": sheet.costs,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _report(facts: dict[str, Any], sheet: Sheet) -> str:
    on, versions = facts["machine"], facts["versions"]
    return (
        f"Commit `{facts['commit']}`, {on['cores']} cores ({on['processor']}),"
        f" Python {versions['python']}, PostgreSQL {versions['postgresql']},"
        f" Valkey {versions['redis']}; {facts['rounds']} rounds, load average"
        f" {facts['load_average']['before'][0]} before.\n\n{sheet.table()}"
    )


def _write(report: str) -> None:
    before, _, rest = _REPORT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _REPORT.write_text(f"{before}{_BEGIN}\n\n{report}\n\n{_END}{after}")


if __name__ == "__main__":
    sys.exit(main())

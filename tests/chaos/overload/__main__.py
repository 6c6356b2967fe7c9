"""The long run: `make overload minutes=5`; its report goes into docs/limits.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from common.storage.engine import Database
from dev.paths import ROOT
from tests.chaos.overload.overload import PARTS, TIMES, Figures, Overload, run
from tests.chaos.storm.installation import installed
from tests.chaos.storm.report import percentile

_REPORT: Final = ROOT / "docs" / "limits.md"
_BEGIN: Final = "<!-- the last long run begins -->"
_END: Final = "<!-- the last long run ends -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="overload", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=40, help="turns of a second at once")
    parser.add_argument("--dry", action="store_true", help="leave docs/limits.md alone")
    given = parser.parse_args(arguments)
    overload = Overload(
        seconds=given.minutes * 60,
        threads=given.threads,
        turn_seconds=1.0,
        organizations=4,
        open_turns=500,
        queued=1500,
    )
    with tempfile.TemporaryDirectory(prefix="everturn-overload-") as directory:
        figures = _run(overload, Path(directory))
    wrong = figures.faults()
    report = _report(overload, given.minutes, figures, wrong)
    sys.stdout.write(f"{report}\n")
    if not given.dry:
        _write(report)
    return 1 if wrong else 0


def _run(overload: Overload, directory: Path) -> Figures:
    with installed(directory, overload.settings) as installation:
        database = Database(installation.postgres.url, pool_size=2, application="overload")
        try:
            for name in PARTS:
                installation.system.start(name)
            installation.system.wait_ready()
            return run(overload, installation.system, database)
        finally:
            database.close()


def _report(overload: Overload, minutes: float, figures: Figures, wrong: Sequence[str]) -> str:
    outcome = figures.outcome
    verdict = "**Wrong: " + "; ".join(wrong) + "**" if wrong else "Nothing was wrong."
    refused = ", ".join(f"{count:,} times {why}" for why, count in sorted(outcome.refused.items()))
    rows = [
        ("offered", f"{outcome.offered:,}, {outcome.offered / figures.seconds:.0f} a second"),
        ("accepted", f"{len(outcome.accepted):,}"),
        ("refused", refused or "none"),
        ("without an answer", f"{outcome.broken.total():,}"),
        ("not sent, for want of connections", f"{outcome.not_sent:,}"),
        ("turns done meanwhile", f"{figures.turns_while_offering / figures.seconds:.0f} a second"),
        ("accepted and answered in the end", f"{figures.answered:,}"),
        ("time to drain", f"{figures.drain_seconds:.0f} s"),
        ("an accepted request takes", _times(outcome.accepted_seconds)),
        ("a refused request takes", _times(outcome.refused_seconds)),
        ("processes that ended", ", ".join(figures.ended) or "none"),
    ]
    rows += [
        (f"memory of {name}, first half and second", f"{before:.0f} and {after:.0f} MB")
        for name, (before, after) in figures.memory.items()
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"{minutes:g} minutes at {TIMES} times {overload.sustainable:.0f} messages a second,"
        f" {overload.threads} turns of {overload.turn_seconds:g} s at once;"
        f" {overload.organizations} organizations of at most {overload.open_turns} open turns,"
        f" at most {overload.queued:,} queued. {verdict}\n\n| what | how much |\n|---|---|\n{table}"
    )


def _times(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    middle, late = percentile(ordered, 0.5) * 1000, percentile(ordered, 0.99) * 1000
    return f"{middle:.0f} ms, the slowest of a hundred {late:.0f} ms"


def _write(report: str) -> None:
    before, _, rest = _REPORT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _REPORT.write_text(f"{before}{_BEGIN}\n\n{report}\n\n{_END}{after}")


if __name__ == "__main__":
    sys.exit(main())

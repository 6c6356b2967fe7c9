"""The long run: `make chaos seed=7 minutes=30`; its report goes into docs/reliability.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common.settings import Settings
from dev.paths import ROOT
from tests.chaos.storm.checker import Figures
from tests.chaos.storm.plan import Fault, at_random
from tests.chaos.storm.report import percentile, table
from tests.chaos.storm.storm import COUNTS, Storm, run

_REPORT = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- the last long run begins -->", "<!-- the last long run ends -->"
_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--talkers", type=int, default=24, help="users at a time")
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md alone")
    given = parser.parse_args(arguments)
    storm = _storm(given.seed, given.minutes * 60, given.talkers)
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began:7.1f}] {what}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="everturn-chaos-") as directory:
        figures, done = run(storm, Path(directory), say)
    wrong = _verdict(figures)
    report = _report(storm, given.minutes, figures, done, wrong)
    say(f"\n{report}\n")
    slow = [f"slow: {each}" for each in figures.recoveries if each.seconds > _longest_recovery()]
    for example in (*figures.examples[:_SHOWN], *slow):
        say(example[:2000])
    if not given.dry:
        _write(report)
    return 1 if wrong else 0


def _storm(seed: int, seconds: float, talkers: int) -> Storm:
    return Storm(
        seed=seed,
        seconds=seconds,
        talkers=talkers,
        plan=at_random(seed, until=seconds - 5, gaps=(4.0, 12.0), lease=_defaults().lease_seconds),
        settings={
            "CLIENT_TOOL_DEADLINE_SECONDS": "5",
            "APPROVAL_DEADLINE_SECONDS": "5",
            "SSE_HEARTBEAT_INTERVAL_SECS": "2",
            "SSE_REALTIME_CYCLE_SECS": "60",
        },
        quiet_seconds=180.0,
        counts=COUNTS,
    )


def _verdict(figures: Figures) -> list[str]:
    wrong = [f"{name}: {number:,}" for name, number in sorted(figures.wrong.items())]
    limit = _longest_recovery()
    seconds = [each.seconds for each in figures.recoveries]
    if seconds and percentile(seconds, 0.99) > limit:
        wrong.append(f"p99 of recovery is over {limit:g} s")
    return wrong


def _longest_recovery() -> float:
    """Lease, sweep, and five seconds: what was promised."""
    return _defaults().lease_seconds + _defaults().sweep_seconds + 5


def _defaults() -> Settings:
    return Settings.from_env({"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://"})


def _report(
    storm: Storm, minutes: float, figures: Figures, done: Sequence[Fault], wrong: Sequence[str]
) -> str:
    processes = ", ".join(f"{number} {name}" for name, number in storm.counts.items())
    verdict = "Nothing was wrong." if not wrong else "**Wrong: " + "; ".join(wrong) + "**"
    return (
        f"Seed {storm.seed}, {minutes:g} minutes, commit `{_commit()}`; {processes},"
        f" {storm.talkers} users at a time. {verdict}\n\n{table(figures, done)}"
    )


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"


def _write(report: str) -> None:
    before, _, rest = _REPORT.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _REPORT.write_text(f"{before}{_BEGIN}\n\n{report}\n\n{_END}{after}")


if __name__ == "__main__":
    sys.exit(main())

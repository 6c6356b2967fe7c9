"""`everturn dev` and `everturn bench`: what a checkout of the project does, and a package cannot.

Both start servers of their own, from files that are beside these packages in a
checkout and are not installed with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

NAMES: Final = frozenset({"dev", "bench"})

_ROOT: Final = Path(__file__).resolve().parent.parent

_DEV: Final = "serve everything on this machine, databases too"
_DEV_EPILOG: Final = "What `python3 dev.py run` does; in a checkout of the project only."
_BENCH: Final = "measure what this machine can do, and how near to it everturn comes"
_BENCH_EPILOG: Final = (
    "Stores nothing; `make bench` does.  In a checkout of the project only.  Exits with 0 when"
    " every target was met, else with 1, with 2 when it could not run."
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands."""
    starting = commands.add_parser("dev", help=_DEV, description=_DEV, epilog=_DEV_EPILOG)
    starting.add_argument("--flower", action="store_true", help="Celery Flower, too")
    starting.add_argument("--restart", action="store_true", help="start again what dies")
    measuring = commands.add_parser("bench", help=_BENCH, description=_BENCH, epilog=_BENCH_EPILOG)
    measuring.add_argument("rows", nargs="*", help="measure these alone, such as turn or relay")
    measuring.add_argument("--quick", action="store_true", help="three short rounds: a first look")
    measuring.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(given: argparse.Namespace) -> int:
    """Become what is asked for; 2 when this is no checkout."""
    if not (_ROOT / "dev.py").is_file():
        sys.stderr.write(
            f"everturn {given.command}: this package was installed without the checkout that"
            " holds what is needed; get the project's sources, and say it there\n"
        )
        return 2
    wishes = [f"--{name}" for name in ("flower", "restart", "quick", "json") if name in given]
    chosen = [wish for wish in wishes if getattr(given, wish.removeprefix("--"))]
    if given.command == "dev":
        command = [str(_ROOT / "dev.py"), "run", *chosen]
    else:
        command = ["-m", "tests.bench", "--dry", *chosen, *given.rows]
    return _become(command)


def _become(command: list[str]) -> int:
    sys.stdout.flush()
    os.chdir(_ROOT)
    os.execv(sys.executable, [sys.executable, *command])

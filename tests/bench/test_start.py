"""How long `dev.py run` takes to be ready the second time, against what starts alone cost.

The limit is the longest of the parts that have to start one after the other at best: a Python
that imports the worker, behind a PostgreSQL that comes up.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.services import remove, start_and_wait, throw_away_directory, throw_away_postgres
from tests.dev.launched import data, port, running_dev

# Fixtures, by their names.
__all__ = ["data", "port"]

_REPETITIONS = 5
_MOST_SECONDS = 10


def _seconds_of_parts() -> float:
    directory = throw_away_directory(unprivileged_account())
    server = throw_away_postgres(directory)
    try:
        start_and_wait(server, log=directory / "log")
        server.stop()
        began = time.perf_counter()
        start_and_wait(server, log=directory / "log")
        subprocess.run([sys.executable, "-c", "import worker.tasks"], cwd=ROOT, check=True)
        return time.perf_counter() - began
    finally:
        server.stop()
        remove(directory)


@pytest.mark.timeout(300)
def test_the_second_start(data: Path, port: int) -> None:
    with running_dev(data, port) as first:
        first.seconds_to_ready()
    seconds, parts = [], []
    for _ in range(_REPETITIONS):
        parts.append(_seconds_of_parts())
        with running_dev(data, port) as run:
            seconds.append(run.seconds_to_ready())
    median, limit = statistics.median(seconds), statistics.median(parts)
    print(f"\nready again after {median:.1f} s (from {min(seconds):.1f} to {max(seconds):.1f})")
    print(f"the parts alone {limit:.1f} s; ratio {median / limit:.1f}")
    assert median < _MOST_SECONDS

"""A whole run: start, load, faults, quiet, verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import psycopg2

from tests.chaos.storm.checker import Checker, Figures
from tests.chaos.storm.installation import Installation, installed
from tests.chaos.storm.load import Evidence, Places, Talker
from tests.chaos.storm.plan import Fault
from tests.chaos.storm.recorder import Recorder
from tests.chaos.storm.rest import Rest

COUNTS: Final = {"api": 2, "stream": 2, "worker": 3, "sweeper": 2}


@dataclass(frozen=True, slots=True)
class Storm:
    """What a run is like; together with the code it is determined by this.

    Attributes:
        seconds: how long turns are begun.
        quiet_seconds: how long what was begun has to end once all is up again.
    """

    seed: int
    seconds: float
    talkers: int
    plan: list[Fault]
    settings: Mapping[str, str]
    quiet_seconds: float
    counts: Mapping[str, int]


def run(storm: Storm, directory: Path, say: Callable[[str], None]) -> tuple[Figures, list[Fault]]:
    """Go through it; returns the figures and the faults that were done."""
    with Recorder() as recorder:
        settings = {**storm.settings, "EFFECTS": recorder.url}
        with installed(directory, settings) as installation:
            installation.start(storm.counts)
            say(f"up: {dict(storm.counts)}, seed {storm.seed}")
            evidence = _weather(storm, installation, say)
            chance = Random(storm.seed)  # noqa: S311 - to be repeated
            rest = Rest(installation.ports("api"), chance)
            checker = Checker(installation.postgres.url, rest)
            figures = checker.check(evidence, recorder.made(), installation.held)
            for name in installation.ended_by_themselves:
                figures.blame("processes that ended by themselves", name)
            return figures, installation.done


def _weather(storm: Storm, installation: Installation, say: Callable[[str], None]) -> Evidence:
    evidence = Evidence()
    places = Places(installation.ports("api"), installation.ports("stream"))
    talkers = [
        Talker(number, storm.seed, places, evidence, patience=storm.quiet_seconds)
        for number in range(storm.talkers)
    ]
    installation.go_through(storm.plan, until=storm.seconds, say=say)
    say("the storm is over")
    for talker in talkers:
        talker.stop()
    deadline = time.monotonic() + storm.quiet_seconds
    while time.monotonic() < deadline:
        installation.supervise()
        if not any(talker.is_talking for talker in talkers) and not _open_turns(installation):
            break
        time.sleep(0.1)
    say(f"quiet: {_open_turns(installation)} turns are open")
    for talker in talkers:
        talker.end(max(1.0, deadline - time.monotonic()))
    return evidence


def _open_turns(installation: Installation) -> int:
    with (
        closing(psycopg2.connect(installation.postgres.url)) as database,
        database.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM turns WHERE ended_at IS NULL")
        found = cursor.fetchone()
        return int(found[0]) if found else 0

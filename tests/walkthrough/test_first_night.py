"""docs/first-night.md from its first command to its last, on a real `dev.py run`."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.services import free_test_port, remove, throw_away_directory
from tests import documented
from tests.conditions import wait_until
from tests.dev.launched import Run, running_dev
from tests.system import FAST_RECOVERY

_PAGE = "docs/first-night.md"
_START = "FLOWER_BASIC_AUTH=operator:secret python3 dev.py run --flower --restart\n"
_PATIENCE_SECONDS = 40.0
_HALF_A_MINUTE_AGO = """
    UPDATE turns SET created_at = created_at - interval '31 s',
        available_at = available_at - interval '31 s'
    WHERE status = 'queued'
"""
# What finds something wrong exits with 1, and says so.
_TYPED = [
    "1. Start it",
    "2. Give it something slow to do",
    "3. Find its turn",
    "4. Ask what it is doing",
    "5. Kill its worker",
    *["6. Watch it recover"] * 2,
    *["7. A session that does not go on"] * 5,
]
_PRELUDE = 'everturn() { python3 dev.py everturn "$@" || test $? -eq 1; }\n'


@dataclass
class Terminal:
    """The second terminal: what one block has set the next one knows."""

    run: Run
    ports: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)

    def type(self, heading: str, number: int = 1) -> str:
        """Type a block of the page; returns what it says."""
        code = documented.block(_PAGE, heading, number)
        for shown, real in self.ports.items():
            code = code.replace(f":{shown}", f":{real}")
        code = code.replace("python3 dev.py everturn", "everturn")
        done = subprocess.run(  # noqa: S603 - what the page says
            ["/bin/sh", "-e", "-c", f"{_PRELUDE}{code}\nset >&2"],
            cwd=ROOT,
            env={**self.run.environment, "PATH": _path(), **self.known},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for name in ("SESSION", "PROCESS", "WORKER"):
            if found := re.search(rf"^{name}='?([^'\n]+)", done.stderr, flags=re.MULTILINE):
                self.known[name] = found[1]
        return done.stdout

    def shows(self, words: str, heading: str, number: int = 1) -> None:
        """Type it again until it says that."""
        wait_until(
            lambda: re.search(words, self.type(heading, number), flags=re.DOTALL),
            description=f"{heading} shows {words}",
            timeout_seconds=_PATIENCE_SECONDS,
        )


def _path() -> str:
    return f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    assert [block.heading for block in documented.blocks("docs/first-night.md")] == _TYPED
    assert documented.block(_PAGE, "1. Start it") == _START
    directory = throw_away_directory(unprivileged_account())
    settings = {**FAST_RECOVERY, "FLOWER_BASIC_AUTH": "operator:secret"}
    try:
        with running_dev(directory, free_test_port(), "--flower", "--restart", **settings) as run:
            run.seconds_to_ready()
            found = json.loads((directory / "local" / "run.json").read_text())
            ports = {
                "9300": found["PORT"],
                "9314": found["SWEEPER_METRICS_PORT"],
                "9355": found["FLOWER_PORT"],
            }
            yield Terminal(run, ports)
    finally:
        remove(directory)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_page_leads_through_the_night(terminal: Terminal) -> None:
    terminal.type("2. Give it something slow to do")
    session = terminal.known["SESSION"]
    terminal.shows(f"turn.run.*STARTED|STARTED.*{session}.*running", "3. Find its turn")
    assert session in terminal.type("3. Find its turn")
    terminal.shows('"code":"running"', "4. Ask what it is doing")

    terminal.type("5. Kill its worker")
    terminal.shows(r'"code":"running".*recoveries_total 1\.0', "6. Watch it recover")
    assert '"attempts":2' in terminal.type("6. Watch it recover")
    assert terminal.known["PROCESS"] not in terminal.type("4. Ask what it is doing")
    assert "starting another" in terminal.run.said()
    story = terminal.type("6. Watch it recover", 2)
    assert "reason.recovered" in story
    assert "turn.cancelled" in story

    terminal.type("7. A session that does not go on")
    terminal.type("7. A session that does not go on", 2)
    terminal.shows('"code":"workers_draining"', "7. A session that does not go on", 3)
    _make_it_late(terminal)
    found = terminal.type("7. A session that does not go on", 4)
    assert terminal.known["SESSION"] in found
    assert "BAD" in found
    terminal.shows('"code":"idle"', "7. A session that does not go on", 5)


def _make_it_late(terminal: Terminal) -> None:
    """Half a minute passes."""
    place = Path(terminal.run.environment["EVERTURN_LOCAL"])
    found = json.loads((place / "run.json").read_text())
    with closing(psycopg2.connect(found["DATABASE_URL"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_HALF_A_MINUTE_AGO)

"""A `dev.py run` of a test: started, waited for, stopped."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.services import free_test_port, remove, throw_away_directory
from tests.conditions import wait_until

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
GONE_SECONDS = 15.0
_RUN = (sys.executable, str(ROOT / "dev.py"), "run")


@dataclass
class Run:
    """One `dev.py run` on a data folder of its own."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int
    environment: dict[str, str]

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    def said(self) -> str:
        return self.output.read_text()

    def seconds_to_ready(self) -> float:
        def ready() -> re.Match[str] | None:
            assert self.process.poll() is None, self.said()
            return re.search(r"^ready in ([\d.]+) s$", self.said(), flags=re.MULTILINE)

        match = wait_until(ready, description="the run is ready", timeout_seconds=READY_SECONDS)
        assert match is not None
        return float(match.group(1))

    def everturn(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`dev.py everturn` in another terminal."""
        return subprocess.run(
            [sys.executable, str(ROOT / "dev.py"), "everturn", *arguments],
            cwd="/",
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_SECONDS,
        )

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    directory = throw_away_directory(unprivileged_account())
    yield directory
    remove(directory)


@pytest.fixture(scope="module")
def port() -> int:
    return free_test_port()


@contextmanager
def running_dev(
    data: Path, port: int, *arguments: str, command: Sequence[str] = _RUN, **settings: str
) -> Iterator[Run]:
    output = data / f"screen-{port}"
    environment = os.environ | {
        "EVERTURN_LOCAL": str(data / "local"),
        "PORT": str(port),
        "FLOWER_PORT": str(free_test_port()),
        "PYTHONPATH": "",
        **settings,
    }
    with (
        output.open("wb") as screen,
        subprocess.Popen(
            [*command, *arguments],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
        ) as process,
    ):
        try:
            yield Run(process, output, port, environment)
        finally:
            process.kill()


def alive(processes: list[psutil.Process]) -> list[str]:
    return [command for process in processes if (command := command_of(process))]


def command_of(process: psutil.Process) -> str:
    """What it runs; nothing when it has ended meanwhile, as helpers of PostgreSQL do."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""

"""The whole system as separate processes, for tests from outside and tests that kill."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev.children import spawn
from dev.paths import ROOT
from dev.services import free_test_port
from tests.conditions import wait_until

_READY_SECONDS = 40.0
_END_SECONDS = 20.0

# Recovery in a second or two instead of twenty: the mechanism is the same.
FAST_RECOVERY = {"LEASE_SECONDS": "2", "RENEW_SECONDS": "0.5", "SWEEP_SECONDS": "0.3"}

_CELERY_ARGUMENTS = ["--quiet", "worker", "--pool=threads", "--without-gossip", "--without-mingle"]
# What is started otherwise than `everturn <name>`.
_MODULES = {
    "front": ["dev.front"],
    "effectworker": [
        "celery",
        "--app=tests.chaos.effect_worker",
        *_CELERY_ARGUMENTS,
        "--queues=turns.priority,turns",
    ],
    "auditedworker": ["celery", "--app=tests.chaos.audited_worker", *_CELERY_ARGUMENTS],
    "stormworker": [
        "celery",
        "--app=tests.chaos.storm.worker",
        *_CELERY_ARGUMENTS,
        "--concurrency=32",
        "--queues=turns.priority,turns",
        "--events",
    ],
    # What tests/bench measures the machine's limits with.
    "emptyapi": [
        "gunicorn",
        "--config=python:api.gunicorn_conf",
        "tests.bench.limits.empty_view:app",
    ],
    "floorapi": [
        "gunicorn",
        "--config=python:api.gunicorn_conf",
        "tests.bench.limits.floor_view:app",
    ],
    "rawrelay": ["tests.bench.limits.raw_relay"],
    "noopworker": [
        "celery",
        "--app=tests.bench.limits.noop_worker",
        *_CELERY_ARGUMENTS,
        "--concurrency=200",
        "--queues=turns",
        "--events",
    ],
}
_PORTS = {
    "api": "API_PORT",
    "emptyapi": "API_PORT",
    "floorapi": "API_PORT",
    "stream": "STREAM_PORT",
    "rawrelay": "STREAM_PORT",
    "front": "PORT",
}


@dataclass
class Part:
    """One started process, with its output in a file."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    port: int = 0

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and whatever it started."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.signal(signal.SIGKILL)
        self.process.wait(_END_SECONDS)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def said(self, words: str) -> int:
        """How often the words stand in its output."""
        return self.output.read_text(errors="replace").count(words)


@dataclass
class System:
    """Started parts of one installation, behind a front as in `dev.py run`."""

    environment: dict[str, str]
    directory: Path
    port: int
    parts: list[Part] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, **settings: str) -> Part:
        """Start one more process of a kind; does not wait for it."""
        number = sum(part.name.partition("-")[0] == name for part in self.parts) + 1
        output = self.directory / f"{name}-{number}.log"
        environment = {**self.environment, **settings}
        module = _MODULES.get(name, ["common.cli", name])
        with output.open("wb") as sink:
            process = spawn(
                [sys.executable, "-m", *module],
                environment=environment,
                output=sink,
                death_signal=signal.SIGKILL,
                directory=ROOT,
            )
        port = _PORTS.get(name)
        part = Part(
            f"{name}-{number}", process, output, int(environment[port]) if port is not None else 0
        )
        self.parts.append(part)
        return part

    def wait_ready(self, *parts: Part) -> None:
        """Wait until each of the parts says that it can work."""
        for part in parts or tuple(self.parts):
            wait_until(
                lambda part=part: _is_ready(part),  # type: ignore[misc]  # bound now
                description=f"{part.name} is ready",
                timeout_seconds=_READY_SECONDS,
            )

    def stop(self, *parts: Part) -> None:
        """End these, or everything, politely first; fails when something had to be killed."""
        chosen = parts or tuple(self.parts)
        for part in chosen:
            if part.is_alive:
                # A stopped process does not hear SIGTERM.
                part.signal(signal.SIGCONT)
                part.signal(signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        stubborn = []
        for part in chosen:
            try:
                part.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stubborn.append(part.name)
                part.kill()
        assert not stubborn, f"had to be killed: {stubborn}"


def _is_ready(part: Part) -> bool:
    assert part.is_alive, f"{part.name} ended:\n{part.output.read_text(errors='replace')[-3000:]}"
    match part.name.partition("-")[0]:
        case "api" | "stream" | "front" | "emptyapi" | "floorapi" | "rawrelay":
            return _answers(part.port)
        case "worker" | "effectworker" | "stormworker" | "auditedworker" | "noopworker":
            return part.said("worker_ready") > 0
        case "sweeper":
            return part.said("sweeper_ready") > 0
        case _:
            return True


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def running(
    database_url: str,
    redis_url: str,
    directory: Path,
    *,
    parts: tuple[str, ...] = ("api", "stream", "front", "worker", "sweeper"),
    settings: Mapping[str, str] | None = None,
) -> Iterator[System]:
    """A system on a migrated database, ready for use."""
    ports = {name: str(free_test_port()) for name in ("API_PORT", "STREAM_PORT", "PORT")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DEPLOYMENT_GRADE": "dev",
        "DEFAULT_MODEL": "llmsim",
        "AUTH_MODE": "none",
        "API_WORKERS": "1",
        "WORKER_THREADS": "32",
        "SSE_PER_ORG_MAX": "0",
        # Systems of several tests share the machine.
        **{f"{name}_METRICS_PORT": "0" for name in ("API", "STREAM", "WORKER", "SWEEPER")},
        "ORG_MAX_ACTIVE_TURNS": "0",
        "SECRETS_ENCRYPTION_KEY": f"test:{base64.b64encode(bytes(range(32))).decode()}",
        "STORAGE_DIRECTORY": str(directory / "storage"),
        **ports,
        **(settings or {}),
    }
    system = System(environment, directory, int(environment["PORT"]))
    try:
        for name in parts:
            system.start(name)
        system.wait_ready()
        yield system
    finally:
        system.stop()

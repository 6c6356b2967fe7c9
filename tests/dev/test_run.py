"""`dev.py run` as a newcomer meets it: start, post, stream, stop, start again, kill."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.services import free_test_port, remove, throw_away_directory
from tests.conditions import wait_until

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_GONE_SECONDS = 15.0

pytestmark = pytest.mark.slow


@dataclass
class _Run:
    """One `dev.py run` on a data folder of its own."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    def said(self) -> str:
        return self.output.read_text()

    def seconds_to_ready(self) -> float:
        def ready() -> re.Match[str] | None:
            assert self.process.poll() is None, self.said()
            return re.search(r"^ready in ([\d.]+) s$", self.said(), flags=re.MULTILINE)

        match = wait_until(ready, description="the run is ready", timeout_seconds=_READY_SECONDS)
        assert match is not None
        return float(match.group(1))

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
def _running(data: Path, port: int, *arguments: str) -> Iterator[_Run]:
    output = data / f"screen-{port}"
    environment = os.environ | {
        "EVERTURN_LOCAL": str(data / "local"),
        "PORT": str(port),
        "FLOWER_PORT": str(free_test_port()),
        "PYTHONPATH": "",
    }
    with (
        output.open("wb") as screen,
        subprocess.Popen(
            [sys.executable, str(ROOT / "dev.py"), "run", *arguments],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
        ) as process,
    ):
        try:
            yield _Run(process, output, port)
        finally:
            process.kill()


def _alive(processes: list[psutil.Process]) -> list[str]:
    return [command for process in processes if (command := _command_of(process))]


def _command_of(process: psutil.Process) -> str:
    """What it runs; nothing when it has ended meanwhile, as helpers of PostgreSQL do."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _post(base_url: str, path: str, body: dict[str, object]) -> dict[str, str]:
    answer = httpx.post(f"{base_url}{path}", json=body, timeout=10)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    created: dict[str, str] = answer.json()
    return created


def _talk(base_url: str) -> str:
    """Agent, session, message, answer; returns the session's id."""
    agent = _post(base_url, "/v1/agents", {"name": "Assistant", "system_prompt": "Be kind."})
    session = _post(base_url, "/v1/sessions", {"agent_id": agent["id"]})
    content = [{"type": "text", "text": "Hello!"}]
    messages = f"/v1/sessions/{session['id']}/messages"
    _post(base_url, messages, {"message": {"content": content}})
    with httpx.stream("GET", f"{base_url}/v1/sessions/{session['id']}/sse", timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = [line for line in _until_idle(stream) if line.startswith("event:")]
    assert "event: output.message.completed" in events
    return session["id"]


def _until_idle(stream: httpx.Response) -> Iterator[str]:
    for line in stream.iter_lines():
        yield line
        if line == "event: session.idled":
            return


def test_a_run_answers_keeps_its_data_and_leaves_nothing_behind(data: Path, port: int) -> None:
    with _running(data, port, "--flower") as run:
        run.seconds_to_ready()
        session = _talk(run.base_url)
        started = run.descendants()
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(_STOP_SECONDS) == 0, run.said()
        assert "killing" not in run.said()
        assert _alive(started) == []

    with _running(data, port) as run:
        assert run.seconds_to_ready() < 10
        assert httpx.get(f"{run.base_url}/v1/sessions/{session}").status_code == httpx.codes.OK
        with _running(data, free_test_port()) as second:
            assert second.process.wait(_STOP_SECONDS) == 1
            assert "running already" in second.said()
        started = run.descendants()
        run.process.kill()
        wait_until(
            lambda: not _alive(started),
            description="a killed launcher leaves nothing behind",
            timeout_seconds=_GONE_SECONDS,
        )

    with _running(data, port) as run:  # on what the kill has left
        run.seconds_to_ready()
        assert httpx.get(f"{run.base_url}/v1/sessions/{session}").status_code == httpx.codes.OK
        worker = next(
            process for process in run.descendants() if " celery " in _command_of(process)
        )
        worker.kill()
        assert run.process.wait(_STOP_SECONDS) == 1
        assert "worker was killed by SIGKILL, so everything stops" in run.said()

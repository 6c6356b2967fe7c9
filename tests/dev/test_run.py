"""`dev.py run` as a newcomer meets it: start, post, stream, stop, start again, kill."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from dev.paths import VENV
from dev.services import free_test_port
from tests import plain_http
from tests.conditions import wait_until
from tests.dev.launched import (
    GONE_SECONDS,
    STOP_SECONDS,
    Run,
    alive,
    command_of,
    data,
    port,
    running_dev,
)

# Fixtures, by their names.
__all__ = ["data", "port"]

pytestmark = pytest.mark.slow


def _post(base_url: str, path: str, body: dict[str, object]) -> dict[str, str]:
    answer = plain_http.post(f"{base_url}{path}", json=body, timeout=10)
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


def _its_worker(run: Run) -> psutil.Process:
    return next(process for process in run.descendants() if " celery " in command_of(process))


def test_a_run_answers_keeps_its_data_and_leaves_nothing_behind(data: Path, port: int) -> None:
    by_its_other_name = (str(VENV / "bin" / "everturn"), "dev")
    with running_dev(data, port, "--flower", command=by_its_other_name) as run:
        run.seconds_to_ready()
        session = _talk(run.base_url)
        started = run.descendants()
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(STOP_SECONDS) == 0, run.said()
        assert "killing" not in run.said()
        assert alive(started) == []

    with running_dev(data, port) as run:
        run.seconds_to_ready()
        assert plain_http.get(f"{run.base_url}/v1/sessions/{session}").status_code == httpx.codes.OK
        with running_dev(data, free_test_port()) as second:
            assert second.process.wait(STOP_SECONDS) == 1
            assert "running already" in second.said()
        started = run.descendants()
        run.process.kill()
        wait_until(
            lambda: not alive(started),
            description="a killed launcher leaves nothing behind",
            timeout_seconds=GONE_SECONDS,
        )
        asked = run.everturn("doctor")
        assert (asked.returncode, "nothing runs here" in asked.stderr) == (1, True)

    with running_dev(data, port) as run:  # on what the kill has left
        run.seconds_to_ready()
        assert plain_http.get(f"{run.base_url}/v1/sessions/{session}").status_code == httpx.codes.OK
        _its_worker(run).kill()
        assert run.process.wait(STOP_SECONDS) == 1
        assert "worker was killed by SIGKILL, so everything stops" in run.said()

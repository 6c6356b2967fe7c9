"""The same from a terminal: `everturn chat`, `everturn tail` and `everturn turns`."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from dev.paths import ROOT
from tests.conditions import wait_until
from tests.system import System
from tests.talk import simulated_model
from tests.walkthrough.test_first_steps import new_session, post, read_until, watching

Json = dict[str, Any]
EVERTURN = [sys.executable, "-m", "common.cli"]


def run(
    system: System, *arguments: str, given: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "EVERTURN_URL": system.base_url, **settings}
    return subprocess.run(  # noqa: S603 - our own program
        [*EVERTURN, *arguments],
        cwd=ROOT,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_answer_can_be_piped_on(system: System, api: httpx.Client) -> None:
    """Without a terminal the answer alone goes to the output."""
    api.post("/agents", json={"name": "piper", "system_prompt": "You are brief."})
    answer = run(system, "chat", "--agent", "piper", given="Which day is it?\n")
    assert answer.stdout == "Echo: Which day is it?\n"
    assert answer.returncode == 0

    session = answer.stderr.split()[-1]
    again = run(system, "chat", "--session", session, "And", "tomorrow?")
    assert (again.stdout, again.returncode) == ("Echo: And tomorrow?\n", 0)


def test_programs_follow_a_session_as_lines_of_json(system: System, api: httpx.Client) -> None:
    """With `--since 0` from its beginning, with `--until-idle` to its next rest."""
    session = new_session(api)
    post(api, session, "Hello")
    told = run(system, "tail", session, "--since", "0", "--until-idle", "--json")
    assert told.returncode == 0
    events = [json.loads(line) for line in told.stdout.splitlines()]
    stored = api.get(f"/sessions/{session}/events").json()["data"]
    assert events == stored

    cursor = events[3]["id"]
    rest = run(system, "tail", session, "--since", cursor, "--until-idle", "--type", "session.*")
    assert [line.split()[2] for line in rest.stdout.splitlines()] == ["session.idled"]


def test_what_cannot_be_done_is_told_by_the_exit_code(system: System) -> None:
    missing = "session_" + "0" * 32
    refused = run(system, "tail", missing)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "everturn tail: Session not found (404)\n"
    unknown = run(system, "chat", "--agent", "nobody-of-this-name", "Hello")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_an_operator_sees_what_is_under_way(system: System, api: httpx.Client) -> None:
    """`turns` reads the database; a turn that goes on is not stuck."""
    session = new_session(api)
    with watching(api, session) as events:
        post(api, session, "Wait", llmsim={"first_token_delay_ms": 60_000})
        read_until(events, "output.message.started")
    settings = {name: system.environment[name] for name in ("DATABASE_URL", "REDIS_URL")}
    listed = run(system, "turns", "--json", **settings)
    assert session in {turn["session_id"] for turn in json.loads(listed.stdout)}
    assert f"  {session}  on worker_" in run(system, "turns", **settings).stdout
    stuck = run(system, "turns", "--stuck", **settings)
    assert (stuck.returncode, stuck.stdout) == (0, "")
    api.post(f"/sessions/{session}/cancel")


# As a terminal's shell starts it; one that runs these tests in the background lets them, and
# whatever they start, ignore Ctrl-C.
_HEARS_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_person_talks_and_stops_an_answer(system: System, tmp_path: Path) -> None:
    """On a terminal: the answer as it comes; Ctrl-C cancels it, `/quit` leaves."""
    controller, terminal = pty.openpty()
    environment = {"PATH": os.defpath, "TERM": "dumb", "HOME": str(tmp_path)}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _HEARS_CTRL_C, *EVERTURN, "chat", "--url", system.base_url],
        cwd=ROOT,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        with closing(os.fdopen(controller, "r+b", buffering=0)) as screen:
            shows = shown_on(screen)
            shows("you> ")
            screen.write(b"Hello\n")
            shows("Echo: Hello")
            shows("you> ")
            with simulated_model(system) as simulate:
                simulate(tokens_per_second=5)
                screen.write(b"Tell me everything that you know about whales\n")
                shows("Echo: T")
                process.send_signal(signal.SIGINT)
                shows("cancelled")
            shows("you> ")
            screen.write(b"/quit\n")
            assert process.wait(30) == 0


def shown_on(screen: Any) -> Callable[[str], None]:
    """Wait until the terminal shows the words after what was waited for before."""
    os.set_blocking(screen.fileno(), False)
    text = ""

    def has(words: str) -> bool:
        nonlocal text
        text += (screen.read(65536) or b"").decode()
        _, found, rest = text.partition(words)
        if found:
            text = rest
        return bool(found)

    def shows(words: str) -> None:
        wait_until(lambda: has(words), description=f"the terminal shows {words!r}")

    return shows

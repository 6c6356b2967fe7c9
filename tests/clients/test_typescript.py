"""The TypeScript client against the running system: the guide, streams, tools, resources."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource

from dev import node
from tests.clients import browser
from tests.clients.typescript import TESTS, names_of, run_test_file
from tests.system import System
from tests.talk import Simulate, Talk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("_built")]

_CONVERSATION = "conversation.test.ts"
SPEEDS: dict[str, dict[str, Any]] = {
    "instant": {},
    "slow": {"first_token_delay_ms": 150, "tokens_per_second": 25},
    "silent, then all at once": {"first_token_delay_ms": 400},
}


@pytest.mark.parametrize("name", [each for each in names_of("system") if each != _CONVERSATION])
def test_against_the_system(system: System, name: str) -> None:
    run_test_file(TESTS / "system" / name, EVERRUNS_URL=system.base_url)


@pytest.mark.parametrize("behaviour", SPEEDS.values(), ids=SPEEDS)
def test_the_complete_example(
    system: System, simulate: Simulate, behaviour: dict[str, Any]
) -> None:
    simulate(**behaviour)
    run_test_file(TESTS / "system" / _CONVERSATION, EVERRUNS_URL=system.base_url)


def test_a_page_in_chromium_streams_a_turn(system: System, page_port: int, tmp_path: Path) -> None:
    """Where no browser can be had, it is said by name that this did not run."""
    chromium = browser.find()
    if chromium is None:
        pytest.skip("not run: test_a_page_in_chromium_streams_a_turn, there is no Chromium here")
    screenshot = tmp_path / "page.png"
    run_test_file(
        TESTS / "browser" / "browser.test.ts",
        CHROMIUM=chromium,
        EVERRUNS_URL=system.base_url,
        PAGE_PORT=str(page_port),
        SCREENSHOT=str(screenshot),
    )
    assert screenshot.stat().st_size > 1000


def test_the_code_of_the_readme_is_right_and_runs(system: System, tmp_path: Path) -> None:
    guide = tmp_path / "README.md"
    text = (node.CLIENT / "README.md").read_text()
    guide.write_text(text.replace("http://localhost:9300", system.base_url))
    folder = node.CLIENT / "build" / "readme"
    environment = {"EVERRUNS_URL": system.base_url}
    said = node.run("tools/run-blocks.mjs", guide, folder, environment=environment)
    assert "FAILED" not in said
    options = {"noUnusedLocals": False, "rootDir": "../.."}
    project = {"extends": "../../tsconfig.check.json", "compilerOptions": options}
    (folder / "tsconfig.json").write_text(json.dumps({**project, "include": ["."]}))
    node.run("node_modules/typescript/bin/tsc", "-p", folder)


FRAMES = """
import { readFileSync } from 'node:fs';
import { FrameReader } from 'everruns-sdk';
process.stdout.write(JSON.stringify(new FrameReader().push(readFileSync(process.argv[1]))));
"""


def test_the_servers_bytes_read_the_same_with_httpx_sse(system: System, tmp_path: Path) -> None:
    """A third reader, beside npm's eventsource; it splits lines as Python does."""
    words = "eins\u2028zwei\u0085drei\x0b\x0c \u2029\r\nvier\r\n\n: data: 5"
    llmsim = {"response": {"type": "fixed", "text": words * 3}, "tokens_per_second": 100}
    with closing(Talk(system.base_url)) as talk:
        session_id = talk.open_session()
        talk.say(session_id, words, llmsim=llmsim)
        received = _bytes_of_turn(talk, session_id)
    (tmp_path / "bytes").write_bytes(received)

    ours = json.loads(node.run("--input-type=module", "-e", FRAMES, tmp_path / "bytes"))

    headers = {"content-type": "text/event-stream"}
    source = EventSource(httpx.Response(200, headers=headers, content=received))
    theirs = [{"event": e.event, "data": e.data, "id": e.id} for e in source.iter_sse()]
    assert ours == theirs
    assert {"connected", "output.message.delta", "session.idled"} <= {e["event"] for e in ours}


def _bytes_of_turn(talk: Talk, session_id: str) -> bytes:
    received = b""
    with talk.http.stream("GET", f"/v1/sessions/{session_id}/sse?start=all") as reply:
        for chunk in reply.iter_raw():
            received += chunk
            if b"event: session.idled" in received and received.endswith(b"\n\n"):
                return received
    raise AssertionError("the stream ended before the turn")

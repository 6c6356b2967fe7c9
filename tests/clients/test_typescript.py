"""The TypeScript client against the running system: the guide, streams, tools, resources."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dev import node
from tests.clients.typescript import TESTS, names_of, run_test_file
from tests.system import System
from tests.talk import Simulate

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("_built")]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    """`CHROMIUM`, or what is on PATH; without any it is said by name that this did not run."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
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

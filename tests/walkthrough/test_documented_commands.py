"""What the pages tell to type: run here as it stands, or by the test that is named."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dev.paths import ROOT
from tests import documented
from tests.corpus import saved, two_halves
from tests.system import System
from tests.walkthrough.test_first_steps import new_session

HERE = "here"
# By whom each block is run, or why it is not.
RUN = {
    "README.md / Run it / 1": "tests/dev/test_run.py",
    "README.md / Run it / 2": HERE,
    "README.md / Run it / 3": "tests/walkthrough/test_terminal.py",
    "README.md / Test it / 1": "not run: it is what runs this",
    "clients/typescript/README.md / everruns-sdk for TypeScript / 1": (
        "tests/clients/test_typescript_package.py"
    ),
    "docs/cli.md / Talk to an agent / 1": "tests/walkthrough/test_terminal.py",
    "docs/cli.md / Talk to an agent / 2": "tests/walkthrough/test_terminal.py",
    "docs/cli.md / Watch a session / 1": "tests/walkthrough/test_terminal.py",
    "docs/cli.md / Find what does not go on / 1": "tests/walkthrough/test_terminal.py",
    "docs/cli.md / Completion / 1": "tests/unit/common/test_cli.py",
    "docs/deployment.md / With compose / 1": "not run: needs a container engine",
    "docs/deployment.md / Kubernetes / 1": "not run: needs a cluster",
    "docs/images.md / Images / 1": HERE,
    "docs/images.md / Images / 2": HERE,
    "docs/llmsim.md / The simulated model / 1": HERE,
    "docs/llmsim.md / The simulated model / 2": HERE,
    "docs/operations.md / Backup and restore / 1": "tests/integration/backup/test_backup.py",
    "docs/operations.md / Backup and restore / 2": "tests/integration/backup/test_backup.py",
    "docs/operations.md / Upgrade without downtime / 1": "tests/integration/backup/test_backup.py",
    "docs/operations.md / Upgrade without downtime / 2": "not run: needs a container engine",
    "docs/providers.md / Models and their providers / 1": HERE,
    "docs/providers.md / Start in a minute / 1": "not run: asks a real provider",
    "docs/providers.md / OpenAI / 1": "not run: asks a real provider",
    "docs/providers.md / Anthropic / 1": HERE,
    "docs/providers.md / Anthropic / 2": HERE,
    "docs/providers.md / Ollama, vLLM, and other servers of your own / 1": (
        "not run: asks servers of your own"
    ),
    "docs/providers.md / Ollama, vLLM, and other servers of your own / 2": HERE,
    "docs/providers.md / OpenRouter / 1": "not run: asks a real provider",
    "docs/providers.md / Azure OpenAI / 1": "not run: asks a real provider",
    "docs/providers.md / When a provider is down / 1": HERE,
    "docs/providers.md / Keys at rest / 1": HERE,
    "docs/reliability.md / Every crossing of a turn, by number / 1": (
        "tests/chaos/crash_points/test_every_crash_point.py"
    ),
    "docs/identity.md / The first user / 1": "tests/integration/access/test_user_commands.py",
    "docs/performance.md / Performance / 1": "not run: takes a quarter of an hour of the machine",
    "docs/reliability.md / The storm / 1": "tests/chaos/storm/test_storm.py",
    "docs/security.md / The first key / 1": "tests/integration/access/test_key_commands.py",
    "docs/security.md / The first key / 2": HERE,
    "docs/your-own-tools.md / 6. Test it / 1": "tests/example_tools/test_parcels.py",
    "docs/your-own-tools.md / 7. Install it and use it / 1": (
        "tests/integration/worker/test_installed_tools.py"
    ),
    "docs/your-own-tools.md / 7. Install it and use it / 2": (
        "tests/integration/worker/test_installed_tools.py"
    ),
    "docs/your-own-tools.md / 7. Install it and use it / 3": (
        "tests/integration/worker/test_installed_tools.py"
    ),
}
BLOCKS = {block.name: block for page in documented.pages() for block in documented.blocks(page)}
# A refusal fails the block; a stream, which has no end, is watched for a moment.
_CURL = """
curl() {
  case " $* " in
    *" -N "*) command curl --max-time 1 "$@" || test $? -eq 28 ;;
    *) command curl --fail-with-body --max-time 20 "$@" ;;
  esac
}
"""


@dataclass(frozen=True)
class Place:
    """A folder with a photo, and one of each thing that a page leaves to be filled in."""

    directory: Path
    ids: dict[str, str]


@pytest.fixture(scope="module")
def place(system: System, tmp_path_factory: pytest.TempPathFactory) -> Place:
    directory = tmp_path_factory.mktemp("documented")
    (directory / "photo.jpg").write_bytes(saved(two_halves(), "JPEG"))
    with httpx.Client(base_url=f"{system.base_url}/v1", timeout=30) as api:
        provider = _made(
            api, "/providers", name="filled in", provider_type="anthropic", api_key="x"
        )
        _made(api, "/agents", name="writer", system_prompt="You write.")
        photo = {"file": ("photo.jpg", (directory / "photo.jpg").read_bytes())}
        ids = {
            "agent": _made(api, "/agents", name="filled-in", system_prompt="You are."),
            "session": new_session(api),
            "provider": provider,
            "model": _made(api, f"/providers/{provider}/models", model_id="m", display_name="M"),
            "image": api.post("/images", files=photo).raise_for_status().json()["id"],
        }
    return Place(directory, ids)


def _made(api: httpx.Client, path: str, **body: str) -> str:
    return str(api.post(path, json=body).raise_for_status().json()["id"])


def filled_in(code: str, place: Place, base_url: str) -> str:
    """The code with an id for each `session_…`, and with this server's address."""
    for kind, found in place.ids.items():
        code = code.replace(f"{kind}_…", found)
    code = re.sub(r'"(sk-[a-z-]*)…"', r'"\1x"', code)
    code = code.replace('"image_id": "…"', f'"image_id": "{place.ids["image"]}"')
    return code.replace("http://localhost:9300", base_url)


def test_every_block_is_run_by_somebody_or_says_why_not() -> None:
    assert RUN.keys() == BLOCKS.keys()
    for runner in set(RUN.values()) - {HERE}:
        assert runner.startswith("not run: ") or (ROOT / runner).is_file(), runner


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages' commands need curl")
@pytest.mark.parametrize("name", [name for name, runner in RUN.items() if runner == HERE])
def test_what_a_page_tells_to_type_works(name: str, system: System, place: Place) -> None:
    code = filled_in(BLOCKS[name].code, place, system.base_url)
    assert "…" not in code, "nothing is left to be filled in"
    done = subprocess.run(  # noqa: S603 - what the page says
        ["/bin/sh", "-e", "-c", f"API={system.base_url}/v1\n{_CURL}{code}"],
        cwd=place.directory,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("number", [1, 2])
def test_the_python_of_the_readme_gets_an_answer(number: int, system: System) -> None:
    code = documented.block("README.md", "Run it", number, language="python")
    done = subprocess.run(  # noqa: S603 - what the page says
        [sys.executable, "-c", code.replace("http://localhost:9300", system.base_url)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello!" in done.stdout

"""What the pages tell to type: run here as it stands, or by a test that can be held to it."""

import argparse
import inspect
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from common import cli
from dev import bootstrap
from dev.paths import ROOT
from tests import documented, documented_shell, documented_use, plain_http
from tests.corpus import saved, two_halves
from tests.system import System
from tests.walkthrough.commands import RUN, By, Here, NotRun
from tests.walkthrough.test_first_steps import new_session, post, read_until, watching

pytestmark = pytest.mark.slow

BLOCKS = {block.name: block for page in documented.pages() for block in documented.blocks(page)}
_COMMAND = re.compile(
    r"^(\$ )?(curl|docker|everturn|git|kubectl|make|npm|pip|python3|\.venv/bin/)", re.MULTILINE
)
_INLINE = re.compile(r"`((?:everturn|python3 dev\.py|make) [^`…]+)`")
_TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


@dataclass(frozen=True)
class Place:
    """A folder with a photo, and one of each thing that a page leaves to be filled in."""

    directory: Path
    ids: dict[str, str]


@pytest.fixture(scope="module")
def place(system: System, tmp_path_factory: pytest.TempPathFactory) -> Place:
    directory = tmp_path_factory.mktemp("documented")
    (directory / "photo.jpg").write_bytes(saved(two_halves(), "JPEG"))
    with plain_http.client(base_url=f"{system.base_url}/v1", timeout=30) as api:
        provider = _made(
            api, "/providers", name="filled in", provider_type="anthropic", api_key="x"
        )
        for name in ("writer", "assistant"):
            _made(api, "/agents", name=name, system_prompt="You write.")
        photo = {"file": ("photo.jpg", (directory / "photo.jpg").read_bytes())}
        ids = {
            "agent": _made(api, "/agents", name="filled-in", system_prompt="You are."),
            "session": _talked_in(api),
            "provider": provider,
            "model": _made(api, f"/providers/{provider}/models", model_id="m", display_name="M"),
            "image": api.post("/images", files=photo).raise_for_status().json()["id"],
        }
    return Place(directory, ids)


def _talked_in(api: httpx.Client) -> str:
    """A session that has something to show, and idles."""
    session = new_session(api)
    post(api, session, "Hello")
    with watching(api, session, after_sequence="0") as events:
        read_until(events, "session.idled")
    return session


def _made(api: httpx.Client, path: str, **body: str) -> str:
    return str(api.post(path, json=body).raise_for_status().json()["id"])


def filled_in(code: str, place: Place) -> str:
    """The code with an id for each `session_…`, and with keys."""
    for kind, found in place.ids.items():
        code = code.replace(f"{kind}_…", found)
    code = re.sub(r'"(sk-[a-z-]*|)…"', r'"\1x"', code)
    return code.replace('"image_id": "x"', f'"image_id": "{place.ids["image"]}"')


def left_of(block: documented.Block, here: Here) -> str:
    """The code without the commands that cannot be run here, each of which is on its own line."""
    if here.without is None:
        return block.code
    word, _ = here.without
    kept = [line for line in block.code.splitlines(keepends=True) if word not in line]
    assert len(kept) < len(block.code.splitlines()), f"{block.name}: nothing to leave out"
    return "".join(kept)


def test_every_block_is_in_the_list() -> None:
    assert RUN.keys() == BLOCKS.keys()


@pytest.mark.parametrize("name", [name for name, by in RUN.items() if isinstance(by, By)])
def test_a_block_that_is_run_elsewhere_is_run_there(name: str) -> None:
    by = RUN[name]
    assert isinstance(by, By)
    assert documented_use.missing(BLOCKS[name], by.tests) == set()


@pytest.mark.parametrize("name", [name for name, by in RUN.items() if isinstance(by, NotRun)])
def test_a_block_that_cannot_be_run_is_checked_otherwise(name: str) -> None:
    by = RUN[name]
    assert isinstance(by, NotRun)
    assert documented_use.takes_from_the_page(ROOT / by.checked_by, BLOCKS[name])


def test_a_command_that_a_test_does_not_say_is_missed() -> None:
    code = 'everturn tail "$SESSION" --since 0\nHALF=1 python3 dev.py run --never-heard\n'
    invented = documented.Block("docs/cli.md", "Nowhere", "sh", 1, code)
    told = documented_use.missing(invented, ("tests/walkthrough/test_terminal.py",))
    assert {"HALF", "--never-heard"} <= told
    assert not {"tail", "--since"} & told


def test_no_command_hides_in_a_block_of_another_kind() -> None:
    for page in documented.pages():
        for language in ("", "text", "bash", "shell", "console"):
            for block in documented.blocks(page, language):
                assert not _COMMAND.search(block.code), block.name


def test_every_command_in_a_sentence_is_one_that_there_is() -> None:
    for page in documented.pages():
        for command in _INLINE.findall((ROOT / page).read_text()):
            assert _is_known(command.split()), f"{page}: {command}"


def _is_known(words: list[str]) -> bool:
    program, *rest = words
    if program == "make":
        return rest[0] in _TARGETS
    if program == "python3":
        return f"\n  {rest[1]} " in bootstrap.USAGE
    parser = cli.make_parser()
    while rest and (parsers := _below(parser)) and rest[0] in parsers:
        parser = parsers[rest.pop(0)]
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    return parser.prog != "everturn" and options <= set(parser._option_string_actions)


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def test_what_takes_too_long_here_is_spelled_right() -> None:
    from tests.bench import __main__ as bench  # noqa: PLC0415 - it needs a server's libraries

    (suite,) = documented_use.commands_of(documented.block("README.md", "Test it"))
    assert suite == ["python3", "dev.py", "test"]
    assert _is_known(suite)
    options = set(re.findall(r'"(--\w+)"', inspect.getsource(bench)))
    known = {"make", "bench", *options, *bench._SCENARIOS}
    measuring = documented.block("docs/performance.md", "Performance")
    for command in documented_use.commands_of(measuring):
        said = {word.removeprefix("args=") for word in command if not word.isdecimal()}
        assert said - known == set()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages' commands need curl")
@pytest.mark.parametrize("name", [name for name, by in RUN.items() if isinstance(by, Here)])
def test_what_a_page_tells_to_type_works(name: str, system: System, place: Place) -> None:
    by = RUN[name]
    assert isinstance(by, Here)
    code = filled_in(left_of(BLOCKS[name], by), place)
    environment = {**system.environment, "SESSION": place.ids["session"]}
    assert "…" not in re.sub(r"#.*", "", code), "nothing is left to be filled in"
    documented_shell.run(
        code, system.base_url, place.directory, environment=environment, given=by.given
    )


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

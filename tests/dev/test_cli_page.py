"""docs/cli.md tells of every command what its parser takes."""

from common.cli import make_parser
from dev import cli_page
from dev.paths import PROCFILE, ROOT
from dev.procfile import read


def test_the_page_is_as_the_parser_is() -> None:
    page = cli_page.PAGE.read_text()
    assert page == cli_page.with_commands(page), "run: python -m dev.cli_page"


def test_every_command_of_the_product_is_on_it() -> None:
    page = cli_page.PAGE.read_text()
    commands = {" ".join(process.command) for process in read(PROCFILE)}
    assert all(f"### `{command}`" in page for command in commands)
    assert (ROOT / "docs" / "cli.md") == cli_page.PAGE


def test_whatever_tells_something_tells_programs_too() -> None:
    parser = make_parser()
    told = {"migrate", "doctor", "turns", "rotate-secrets", "chat", "tail", "bench"}
    for command in told:
        needed = ["session_1"] if command == "tail" else []
        assert parser.parse_args([command, *needed, "--json"]).json is True

"""The part of docs/cli.md that is written from the parser: `python -m dev.cli_page`."""

import argparse
from collections.abc import Iterator

from common.cli import make_parser
from dev.paths import ROOT

PAGE = ROOT / "docs" / "cli.md"
_BEGIN = "<!-- the commands begin -->\n"
_END = "<!-- the commands end -->\n"


def main() -> None:
    """Write that part anew."""
    PAGE.write_text(with_commands(PAGE.read_text()))


def with_commands(page: str) -> str:
    """The page with its part about the commands as they are now."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{''.join(_sections(make_parser()))}{_END}{after}"


def _sections(parser: argparse.ArgumentParser) -> Iterator[str]:
    """A section for each command; for one that has commands of its own, one for each of these."""
    below = _commands_of(parser)
    for command in below.values():
        yield from _sections(command)
    if not below:
        yield _section(parser)


def _section(parser: argparse.ArgumentParser) -> str:
    rows = [_row(action) for action in parser._actions if action.dest != "help"]  # noqa: SLF001
    table = "".join(["| | |\n|---|---|\n", *rows, "\n"]) if rows else ""
    words = parser.description or ""
    summary = words[:1].upper() + words[1:]
    more = f"{' '.join(parser.epilog.split())}\n\n" if parser.epilog else ""
    return f"### `{parser.prog}`\n\n{summary}.\n\n{table}{more}"


def _row(action: argparse.Action) -> str:
    value = action.metavar or ("\\|".join(action.choices) if action.choices else "")
    if action.option_strings:
        takes = action.nargs != 0
        name = f"{action.option_strings[-1]} {value or action.dest.upper()}" if takes else ""
        name = name or action.option_strings[-1]
    else:
        name = f"[{action.dest} …]" if action.nargs == "*" else str(value or action.dest)
    default = action.default if isinstance(action.default, str | int) else None
    known = f" ({default})" if default and default is not True else ""
    return f"| `{name}` | {action.help or ''}{known} |\n"


def _commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return dict(action.choices)
    return {}


if __name__ == "__main__":
    main()

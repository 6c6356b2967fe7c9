"""What to look for in files: expressions that cost linear time, and globs on paths.  Pure.

The expressions are RE2's: no caller can write one that takes for ever, which is why they may
run on a thread of ours at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import re2

from common.domain.errors import BadRequest, FieldProblem

PATTERN_CHARACTERS: Final = 1000
LINE_CHARACTERS: Final = 500

_LINES_AT_ONCE: Final = 1000
_MEMORY_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was found: its number from 1, and its start."""

    number: int
    text: str


class Pattern:
    """An expression that is looked for in each line."""

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            BadRequest: it is too long, or RE2 does not take it.
        """
        self._compiled = _compiled(text, field="pattern")

    def lines_of(self, text: str, *, is_over: Callable[[], bool]) -> Iterator[Line]:
        """The lines that it is found in, long ones cut; ends early once `is_over`."""
        for number, line in enumerate(_lines(text), 1):
            if number % _LINES_AT_ONCE == 0 and is_over():
                return
            if self._compiled.search(line):
                yield Line(number, line.removesuffix("\r")[:LINE_CHARACTERS])


class PathGlob:
    """A glob such as `*.py` or `/src/**/*.py`; without a slash it means names anywhere."""

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            BadRequest: it is too long.
        """
        pattern = _translated(text)
        # `/a` and `a/b` are paths from the root, `*.py` is a name in any directory.
        prefix = "/?" if "/" in text else "(?:.*/)?"
        self._compiled = _compiled(f"(?s)^{prefix}{pattern}$", field="path_pattern")

    def matches(self, path: str) -> bool:
        return self._compiled.search(path) is not None


def _lines(text: str) -> Iterator[str]:
    """One after the other: a file of nothing but line ends has ten million."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    if start < len(text):
        yield text[start:]


def _translated(glob: str) -> str:
    if len(glob) > PATTERN_CHARACTERS:
        raise _bad("path_pattern", f"Must not be longer than {PATTERN_CHARACTERS} characters")
    signs = glob.removeprefix("/") if "/" in glob else glob
    made, place = [], 0
    while place < len(signs):
        if signs.startswith("**/", place):
            made.append("(?:.*/)?")
            place += 3
        elif signs.startswith("**", place):
            made.append(".*")
            place += 2
        else:
            made.append({"*": "[^/]*", "?": "[^/]"}.get(signs[place]) or re2.escape(signs[place]))
            place += 1
    return "".join(made)


def _compiled(text: str, *, field: str) -> Any:
    # A glob grows when it is translated; what a caller wrote is bounded before.
    if field == "pattern" and len(text) > PATTERN_CHARACTERS:
        raise _bad(field, f"Must not be longer than {PATTERN_CHARACTERS} characters")
    options = re2.Options()
    # It would write the pattern to stderr, and patterns are content (I10).
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        return re2.compile(text, options=options)
    except re2.error as refused:
        raise _bad(field, f"Is no valid expression: {_reason(refused)}") from None


def _reason(refused: Exception) -> str:
    given = refused.args[0] if refused.args else ""
    return given.decode(errors="replace") if isinstance(given, bytes) else str(given)


def _bad(field: str, message: str) -> BadRequest:
    return BadRequest(f"{field}: {message}", problems=(FieldProblem(field, message),))

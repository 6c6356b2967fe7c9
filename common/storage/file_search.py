"""Look for an expression in the files of a workspace, within bounds of time and answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from common.domain.file import ROOT, FileEntry, as_text
from common.domain.file_pattern import Line, PathGlob, Pattern
from common.storage import file_queries
from common.storage.engine import Database
from common.storage.files import Place

MOST_MATCHES: Final = 1000
SECONDS: Final = 10.0


@dataclass(slots=True)
class Found:
    """Lines by path; `is_partial` when there may be more than was looked for."""

    matches: dict[str, list[Line]] = field(default_factory=dict)
    is_partial: bool = False

    @property
    def count(self) -> int:
        return sum(map(len, self.matches.values()))


def search(
    database: Database,
    place: Place,
    pattern: Pattern,
    glob: PathGlob | None,
    *,
    directory: str = ROOT,
    monotonic: Callable[[], float] = time.monotonic,
) -> Found:
    """Search the text files, by path; binary ones are passed over."""
    found, deadline = Found(), monotonic() + SECONDS
    left = MOST_MATCHES

    def is_over() -> bool:
        found.is_partial = found.is_partial or monotonic() > deadline
        return found.is_partial

    for path, content in _contents(database, place, directory, glob):
        if is_over():
            break
        lines = _lines(content, pattern, left + 1, is_over)
        if lines:
            found.matches[path] = lines[:left]
        if len(lines) > left:
            found.is_partial = True
            break
        left -= len(lines)
    found.matches = {path: lines for path, lines in found.matches.items() if lines}
    return found


def _contents(
    database: Database, place: Place, directory: str, glob: PathGlob | None
) -> Iterator[tuple[str, bytes]]:
    named = place.organization_id, place.workspace_id
    entries: Iterator[FileEntry] = file_queries.entries(database, *named, directory, recursive=True)
    if glob is not None:
        entries = (entry for entry in entries if glob.matches(entry.path))
    return file_queries.contents(database, *named, entries)


def _lines(
    content: bytes, pattern: Pattern, at_most: int, is_over: Callable[[], bool]
) -> list[Line]:
    text = as_text(content)
    if text is None:
        return []
    lines: list[Line] = []
    for line in pattern.lines_of(text, is_over=is_over):
        lines.append(line)
        if len(lines) == at_most:
            break
    return lines

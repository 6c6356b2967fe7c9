"""The words of a search as an SQL condition: all of them, anywhere, in any letter case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_WORDS: Final = 8


def like_patterns(search: str | None) -> list[str]:
    """A LIKE pattern for each of the first words, with what LIKE gives a meaning to escaped."""
    words = (search or "").split()[:MAX_WORDS]
    return [f"%{_escaped(word)}%" for word in words]


def matches_all(patterns: Sequence[str], *, of: str) -> tuple[str, dict[str, str]]:
    """A condition that every pattern is found in the SQL expression `of`, and its parameters."""
    if not patterns:
        return "true", {}
    names = {f"word_{number}": pattern for number, pattern in enumerate(patterns)}
    return " AND ".join(f"{of} ILIKE :{name}" for name in names), names


def contains_pattern(text: str) -> str:
    """A LIKE pattern for a text as a whole."""
    return f"%{_escaped(text)}%"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

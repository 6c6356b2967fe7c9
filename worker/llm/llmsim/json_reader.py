"""Reads a JSON value that anyone may have written, and says where it is wrong.

A place knows its path, so an error names `llmsim.response.turns[2].error` and not
just a type.  Values are never part of a message: they may be content (I10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

_SHOWN_KEY_CHARACTERS: Final = 60


class InvalidSimulation(Exception):
    """The object is not one that a simulated model understands."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Place:
    """A value and the path to it; each method reads it as one kind of thing.

    All methods raise `InvalidSimulation` when the value is something else.
    """

    path: str
    value: object

    def mapping(self) -> dict[str, Any]:
        """An object, as it is."""
        if not isinstance(self.value, Mapping):
            raise InvalidSimulation(self.path, "must be an object")
        if not all(isinstance(key, str) for key in self.value):
            raise InvalidSimulation(self.path, "must have strings as keys")
        return dict(self.value)

    def fields(self) -> Fields:
        """An object whose keys are read one by one."""
        return Fields(self.path, self.mapping())

    def items(self) -> list[Place]:
        """A list, possibly empty."""
        if not isinstance(self.value, list | tuple):
            raise InvalidSimulation(self.path, "must be a list")
        return [Place(f"{self.path}[{at}]", each) for at, each in enumerate(self.value)]

    def some_items(self) -> list[Place]:
        """At least one item."""
        items = self.items()
        if not items:
            raise InvalidSimulation(self.path, "must not be empty")
        return items

    def text(self, *, may_be_empty: bool = True) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise InvalidSimulation(self.path, "must be a string")
        if not self.value and not may_be_empty:
            raise InvalidSimulation(self.path, "must not be empty")
        return self.value

    def choice(self, allowed: Collection[str]) -> str:
        """One of some strings."""
        text = self.text()
        if text not in allowed:
            raise InvalidSimulation(self.path, f"must be one of {', '.join(allowed)}")
        return text

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise InvalidSimulation(self.path, "must be true or false")
        return self.value

    def number(self, *, least: float, most: float) -> float:
        """A finite number within both bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidSimulation(self.path, "must be a number")
        # Compared before it is converted: an int may be too large for a float.  NaN fails too.
        if not least <= value <= most:
            raise InvalidSimulation(self.path, f"must be from {least:g} to {most:g}")
        return float(value)

    def count(self, *, least: int, most: int) -> int:
        """A whole number within both bounds."""
        number = self.number(least=least, most=most)
        if not number.is_integer():
            raise InvalidSimulation(self.path, "must be a whole number")
        return int(number)


class Fields:
    """The keys of one object, each taken at most once."""

    def __init__(self, path: str, left: dict[str, Any]) -> None:
        self._path = path
        self._left = left

    def optional(self, name: str) -> Place | None:
        """The value of a key, None when it is absent."""
        if name not in self._left:
            return None
        return Place(f"{self._path}.{name}", self._left.pop(name))

    def required(self, name: str) -> Place:
        """The value of a key, which must be there."""
        place = self.optional(name)
        if place is None:
            raise InvalidSimulation(f"{self._path}.{name}", "is missing")
        return place

    def finish(self) -> None:
        """Refuse the keys that nobody took."""
        for name in self._left:
            shown = name[:_SHOWN_KEY_CHARACTERS]
            raise InvalidSimulation(f"{self._path}.{shown}", "is not an option here")

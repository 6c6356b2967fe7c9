"""What was measured: figures of several rounds, and how they stand to the machine's limits."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

MILLISECONDS = "ms"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of them are not above; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = min(len(ordered) - 1, int(len(ordered) * percent / 100))
    return ordered[place]


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, a value for each round."""

    unit: str
    values: tuple[float, ...]

    @classmethod
    def of(cls, unit: str, values: Sequence[float]) -> Self:
        return cls(unit, tuple(values))

    @classmethod
    def constant(cls, unit: str, value: float, rounds: int) -> Self:
        """What was noted elsewhere and does not vary."""
        return cls(unit, (value,) * rounds)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def per(self, limit: Figure) -> Figure:
        """Round by round: what disturbs the machine disturbs both."""
        pairs = zip(self.values, limit.values, strict=True)
        return Figure("", tuple(ours / theirs for ours, theirs in pairs))

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if min(self.values) == max(self.values):
            return f"{_short(self.median)}{unit}"
        least, most = _short(min(self.values)), _short(max(self.values))
        return f"{_short(self.median)}{unit} ({least} … {most})"

    def to_json(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "median": self.median,
            "least": min(self.values),
            "most": max(self.values),
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True)
class Target:
    """What the ratio to the limit is to be, or the figure itself where there is no limit."""

    bound: float
    is_most: bool

    @classmethod
    def at_most(cls, bound: float) -> Self:
        return cls(bound, is_most=True)

    @classmethod
    def at_least(cls, bound: float) -> Self:
        return cls(bound, is_most=False)

    def is_met_by(self, value: float) -> bool:
        return value <= self.bound if self.is_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.is_most else '≥'} {_short(self.bound)}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        limit: what the machine does at best, measured in the same rounds.
        note: what has to be said beside it, such as what the load cost.
    """

    title: str
    ours: Figure
    limit: Figure | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> Figure | None:
        return None if self.limit is None else self.ours.per(self.limit)

    @property
    def is_met(self) -> bool | None:
        """None where nothing is asked of it."""
        if self.target is None:
            return None
        return self.target.is_met_by((self.ratio or self.ours).median)

    def to_json(self) -> dict[str, Any]:
        ratio = self.ratio
        return {
            "title": self.title,
            "ours": self.ours.to_json(),
            "limit": None if self.limit is None else self.limit.to_json(),
            "ratio": None if ratio is None else ratio.to_json(),
            "target": None if self.target is None else str(self.target),
            "is_met": self.is_met,
            "note": self.note,
        }


@dataclass
class Sheet:
    """All rows of a run, and what things cost."""

    rows: list[Row] = field(default_factory=list)
    costs: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """The rows in Markdown."""
        lines = [
            "| what | ours | the machine's limit | ratio | target | |",
            "|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            verdict = {None: "", True: "met", False: "**missed**"}[row.is_met]
            cells = (row.ours, row.limit or "", row.ratio or "", row.target or "", verdict)
            lines.append(f"| {row.title} | {' | '.join(map(str, cells))} |")
        return "\n".join(lines)


def _short(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"

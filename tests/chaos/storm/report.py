"""What a run came to, as a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos.storm.checker import Figures, Recovery
from tests.chaos.storm.plan import Fault

# Said even when there was none: these are what a run is for.
_MUST_BE_NOUGHT = (
    "messages lost or doubled",
    "messages without an answer",
    "messages with another answer",
    "holes or repeats in a log",
    "time going back in a log",
    "logs that API and database tell differently",
    "turns with other than one end",
    "turns that ended otherwise than they should",
    "events that a subscriber lost",
    "events that came twice",
    "events out of order",
    "events that are not in the log",
    "texts that are not the answer's",
    "calls with other than one result",
    "effects that are told and were not had",
    "effects of calls without a result",
    "effects repeated that must not be",
    "requests without a good answer",
    "sessions stuck",
    "processes that ended by themselves",
)


def table(figures: Figures, done: Sequence[Fault]) -> str:
    """The figures in Markdown."""
    return "\n".join(
        [
            *_part("counted", sorted(figures.counts.items())),
            "",
            *_part("must be nought", _wrong(figures)),
            "",
            *_recovery(figures.recoveries),
            "",
            *_part("faults", sorted(Counter(map(_name, done)).items())),
        ]
    )


def _part(title: str, rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    yield f"| {title} | |"
    yield "|---|---:|"
    for name, number in rows:
        yield f"| {name} | {number:,} |"


def _wrong(figures: Figures) -> list[tuple[str, int]]:
    others = sorted(set(figures.wrong) - set(_MUST_BE_NOUGHT))
    return [(name, figures.wrong[name]) for name in (*_MUST_BE_NOUGHT, *others)]


def _recovery(recoveries: Sequence[Recovery]) -> Iterator[str]:
    """Ascending by what they took."""
    again = [each.from_first for each in recoveries if len(each.hits) > 1]
    yield "| from a worker's hit to its turn's next event | |"
    yield "|---|---:|"
    yield f"| turns that were held | {len(recoveries):,} |"
    if recoveries:
        seconds = [each.seconds for each in recoveries]
        for name, part in (("median", 0.5), ("p99", 0.99), ("longest", 1.0)):
            yield f"| {name} | {percentile(seconds, part):.1f} s |"
    yield f"| turns whose next worker was hit before they moved on | {len(again):,} |"
    if again:
        yield f"| longest of these, from the first hit | {max(again):.1f} s |"


def percentile(ascending: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of all does not exceed."""
    return ascending[max(0, math.ceil(part * len(ascending)) - 1)]


def _name(fault: Fault) -> str:
    return f"{fault.kind} {fault.act}" if fault.kind else str(fault.act)

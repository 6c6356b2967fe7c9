"""The Grafana dashboard as a page: its panels, drawn from what Prometheus answers.  Pure.

Grafana draws them finer; the queries, the places and the legends are the dashboard's own.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
# The answer to a query: its series.
Ask = Callable[[str], Sequence[Json]]

_WIDTH, _HEIGHT = 400, 130
_COLOURS = ("#3274d9", "#e0752d", "#299c46", "#a352cc", "#e02f44", "#0aa5a5", "#b8860b", "#6b7280")
_STYLE = """
body { margin: 0; padding: 14px; background: #f4f5f5; font: 12px sans-serif; color: #222; }
h1 { font-size: 20px; margin: 0 0 2px; }
p { margin: 0 0 10px; color: #555; }
.grid { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px; }
.row { grid-column: 1 / -1; font-size: 15px; font-weight: bold; margin-top: 6px; }
.panel { background: white; border: 1px solid #d8d9da; border-radius: 3px; padding: 6px 8px; }
.panel b { display: block; margin-bottom: 3px; }
.legend span { display: inline-block; margin-right: 10px; white-space: nowrap; color: #444; }
.stat { font-size: 34px; color: #299c46; margin-right: 16px; display: inline-block; }
.stat small { font-size: 12px; color: #666; display: block; }
.none { color: #999; height: 60px; padding-top: 20px; text-align: center; }
svg { width: 100%; height: auto; display: block; }
"""


@dataclass(frozen=True)
class Line:
    """One series of a panel; `points` are time and value."""

    name: str
    points: Sequence[tuple[float, float]]


def page(dashboard: Json, ask: Ask, *, note: str) -> str:
    """The whole dashboard as HTML."""
    cells = [_cell(panel, ask) for panel in dashboard["panels"]]
    title = html.escape(dashboard["title"])
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{html.escape(note)}</p><div class=grid>{''.join(cells)}</div>"
    )


def _cell(panel: Json, ask: Ask) -> str:
    title = html.escape(panel["title"])
    if panel["type"] == "row":
        return f"<div class=row>{title}</div>"
    lines = list(_lines(panel["targets"], ask))
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    draw = _stat if panel["type"] == "stat" else _chart
    drawn = draw(lines, unit) if lines else _NOTHING
    place = f"grid-column: span {panel['gridPos']['w']}"
    return f"<div class=panel style='{place}'><b>{title}</b>{drawn}</div>"


_NOTHING = "<div class=none>nothing happened</div>"


def _lines(targets: Sequence[Json], ask: Ask) -> Iterator[Line]:
    for target in targets:
        for series in ask(target["expr"]):
            points = [(float(at), float(value)) for at, value in series["values"]]
            finite = [point for point in points if math.isfinite(point[1])]
            if finite:
                yield Line(_named(target["legendFormat"], series["metric"]), finite)


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend) or "none"


def _stat(lines: Sequence[Line], unit: str) -> str:
    return "".join(
        f"<span class=stat>{_shown(line.points[-1][1], unit)}"
        f"<small>{html.escape(line.name)}</small></span>"
        for line in lines
    )


def _chart(lines: Sequence[Line], unit: str) -> str:
    times = [at for line in lines for at, _ in line.points]
    first, last = min(times), max(times)
    top = max((value for line in lines for _, value in line.points), default=0.0) * 1.05 or 1.0
    left, bottom = 46, _HEIGHT - 4

    def place(at: float, value: float) -> str:
        x = left + (_WIDTH - left) * (at - first) / ((last - first) or 1.0)
        return f"{x:.1f},{bottom - (bottom - 6) * value / top:.1f}"

    marks = "".join(
        f"<line x1={left} x2={_WIDTH} y1={y} y2={y} stroke='#e5e5e5'/>"
        f"<text x={left - 4} y={y + 3} font-size=9 text-anchor=end fill='#777'>"
        f"{_shown(top * share, unit)}</text>"
        for share in (0.0, 0.5, 1.0)
        for y in [round(bottom - (bottom - 6) * share)]
    )
    paths = "".join(
        f"<polyline fill=none stroke='{colour}' stroke-width=1.4"
        f" points='{' '.join(place(*point) for point in line.points)}'/>"
        for line, colour in _coloured(lines)
    )
    legend = "".join(
        f"<span><b style='display:inline;color:{colour}'>—</b> {html.escape(line.name)}</span>"
        for line, colour in _coloured(lines)
    )
    drawn = f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}'>{marks}{paths}</svg>"
    return f"{drawn}<div class=legend>{legend}</div>"


def _coloured(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    for number, line in enumerate(lines):
        yield line, _COLOURS[number % len(_COLOURS)]


def _shown(value: float, unit: str) -> str:
    """A value as people read it."""
    match unit:
        case "s" if value >= 1 or value == 0:
            return f"{value:.3g} s"
        case "s":
            return f"{1000 * value:.3g} ms"
        case "percentunit":
            return f"{100 * value:.3g} %"
        case "bytes":
            return f"{value / 2**20:.0f} MiB"
        case "ops" | "reqps":
            return f"{value:.3g}/s"
        case _:
            return f"{value:.3g}"

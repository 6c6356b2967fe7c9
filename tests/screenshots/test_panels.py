"""The dashboard as a page: every panel is there, with what its queries give."""

import html
import json
import re
from typing import Any

import pytest

from dev.paths import ROOT
from tests import documented
from tests.screenshots.panels import page

pytestmark = pytest.mark.unit

DASHBOARD = json.loads((ROOT / "docs" / "deploy" / "grafana" / "everturn.json").read_text())


def _answers(query: str) -> list[dict[str, Any]]:
    if "everturn_tool_calls_total{status" in query:
        return []
    labels = {"status": "queued", "outcome": "<completed>", "reason": "stop"}
    return [{"metric": labels, "values": [[1.0, "0.5"], [3.0, "NaN"], [5.0, "2"]]}]


def test_every_panel_is_drawn_from_its_queries() -> None:
    drawn = page(DASHBOARD, _answers, note="a note")
    for panel in DASHBOARD["panels"]:
        assert html.escape(panel["title"]) in drawn
    charts = [panel for panel in DASHBOARD["panels"] if panel["type"] == "timeseries"]
    assert drawn.count("<svg") == len(charts) - 1
    assert drawn.count("nothing happened") == 1
    assert "&lt;completed&gt;" in drawn
    # What is no number is left out, and time goes from left to right.
    (first, *_) = re.findall(r"points='([^']*)'", drawn)
    assert [point.split(",")[0] for point in first.split()] == ["46.0", "400.0"]


def test_every_picture_of_the_pages_is_there() -> None:
    for name in documented.pages():
        path = ROOT / name
        for picture in re.findall(r"\]\(([^)]*\.png)\)", path.read_text()):
            assert (path.parent / picture).is_file(), f"{name}: {picture}"

"""`make screenshots`: the pictures of docs/images, from a real run with real work.

`dev.py run --flower --restart` on a folder of its own, turns of all kinds, a worker that is killed
half-way, a real Prometheus that scrapes it, and headless Chromium for the pictures.  Grafana is not
needed: its dashboard's queries are answered by Prometheus and drawn by `panels.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.services import free_test_port, remove, throw_away_directory
from tests.clients import browser
from tests.dev.launched import Run, command_of, running_dev
from tests.screenshots import camera, first_run, panels, prometheus, traffic
from tests.screenshots.camera import Camera
from tests.screenshots.prometheus import Prometheus

_IMAGES = ROOT / "docs" / "images"
_DASHBOARD = ROOT / "docs" / "deploy" / "grafana" / "everturn.json"
# What Grafana puts there for so short a scrape interval.
_RATE = "20s"
_POINTS = 120
# What newcomers will see, too.
_USUAL_PORT = 9300


def main(arguments: Sequence[str] | None = None) -> int:
    """Make them; 2 when a program is missing."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="how long there is work")
    parser.add_argument("--into", type=Path, default=_IMAGES)
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument("--first-run", action="store_true", help="the first run alone")
    alone.add_argument("--reference", action="store_true", help="the API reference alone")
    given = parser.parse_args(arguments)
    chromium, scraper = browser.find(), prometheus.find()
    if chromium is None or scraper is None:
        sys.stderr.write("needs Chromium and Prometheus: CHROMIUM and PROMETHEUS, or on PATH\n")
        return 2
    with camera.opened(chromium, given.into) as taking:
        if not given.reference:
            _first_run(taking)
        if not given.first_run:
            _work(taking, scraper, given)
    return 0


def _first_run(taking: Camera) -> None:
    directory = throw_away_directory(unprivileged_account())
    try:
        simulated = json.dumps(first_run.SIMULATED)
        with running_dev(directory, _USUAL_PORT, LLMSIM=simulated) as run:
            run.seconds_to_ready()
            _take_drawn(taking, "first-run", first_run.page(run, directory), (1180, 1300), "pre")
    finally:
        remove(directory)


def _work(taking: Camera, scraper: str, given: argparse.Namespace) -> None:
    directory = throw_away_directory(unprivileged_account())
    try:
        with (
            running_dev(directory, free_test_port(), "--flower", "--restart") as run,
        ):
            run.seconds_to_ready()
            taking.take("api-reference", f"{run.base_url}/docs", (1300, 1000), shows=".opblock")
            if not given.reference:
                settings = json.loads((directory / "local" / "run.json").read_text())
                with prometheus.scraping(scraper, _ports(settings), directory) as asked:
                    _work_and_shoot(run, taking, asked, given.minutes * 60)
    finally:
        remove(directory)


def _take_drawn(taking: Camera, name: str, page: str, size: tuple[int, int], shows: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        drawn = Path(directory) / f"{name}.html"
        drawn.write_text(page)
        taking.take(name, drawn.as_uri(), size, shows=shows)


def _ports(settings: Mapping[str, str]) -> dict[str, int]:
    kinds = ("api", "stream", "worker", "sweeper")
    return {kind: int(settings[f"{kind.upper()}_METRICS_PORT"]) for kind in kinds}


def _work_and_shoot(run: Run, taking: Camera, asked: Prometheus, seconds: float) -> None:
    began = time.time()
    talking = Thread(target=traffic.talk, args=(run.base_url,), kwargs={"seconds": seconds})
    talking.start()
    time.sleep(seconds / 2)
    next(each for each in run.descendants() if "worker.celery_app" in command_of(each)).kill()
    time.sleep(seconds / 2 - 2)
    flower = f"http://127.0.0.1:{run.environment['FLOWER_PORT']}"
    taking.take("flower-tasks", f"{flower}/tasks", (1500, 660), shows="#tasks-table td a")
    taking.take("flower-workers", f"{flower}/", (1500, 520), shows="#workers-table td a")
    talking.join()
    drawn = _dashboard(asked, began, time.time())
    _take_drawn(taking, "dashboard", drawn, (1500, 3300), "svg")


def _dashboard(asked: Prometheus, start: float, end: float) -> str:
    step = max(1.0, (end - start) / _POINTS)

    def ask(query: str) -> list[dict[str, Any]]:
        whole = query.replace("$__rate_interval", _RATE)
        return asked.range(whole, start=start, end=end, step=step)

    minutes = (end - start) / 60
    note = (
        f"docs/deploy/grafana/everturn.json over {minutes:.1f} minutes of a local run with"
        f" simulated models, a worker killed half-way. Evaluated by Prometheus {asked.version},"
        " drawn by tests/screenshots; Grafana draws it finer."
    )
    return panels.page(json.loads(_DASHBOARD.read_text()), ask, note=note)


if __name__ == "__main__":
    sys.exit(main())

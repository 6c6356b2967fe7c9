"""A real Prometheus for a while: it scrapes a run as docs/deploy/prometheus says, and is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from dev.paths import ROOT
from dev.services import free_test_port
from tests.conditions import wait_until

Json = dict[str, Any]

SCRAPE_SECONDS = 2
_CONFIG = ROOT / "docs" / "deploy" / "prometheus"
_START_SECONDS = 30.0


def find() -> str | None:
    """The program: `PROMETHEUS`, or what is on PATH, such as Debian's package of that name."""
    return os.environ.get("PROMETHEUS") or shutil.which("prometheus")


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    http: httpx.Client

    @property
    def version(self) -> str:
        return str(self._asked("status/buildinfo", {})["version"])

    def range(self, query: str, *, start: float, end: float, step: float) -> list[Json]:
        """The series of a query, each with its `metric` and its `values`."""
        span = {"start": str(start), "end": str(end), "step": str(step)}
        return list(self._asked("query_range", {"query": query, **span})["result"])

    def missing(self, jobs: int) -> int:
        """How many of the jobs have not been scraped yet."""
        found = self._asked("query", {"query": "up == 1"})["result"]
        return jobs - len(found)

    def _asked(self, path: str, parameters: Mapping[str, str]) -> Json:
        answer = self.http.get(f"/api/v1/{path}", params=dict(parameters)).raise_for_status()
        data: Json = answer.json()["data"]
        return data


@contextmanager
def scraping(program: str, ports: Mapping[str, int], directory: Path) -> Iterator[Prometheus]:
    """Prometheus with the repository's configuration, but for where the processes are."""
    config = yaml.safe_load((_CONFIG / "prometheus.yml").read_text())
    config["global"]["scrape_interval"] = f"{SCRAPE_SECONDS}s"
    config["rule_files"] = [str(_CONFIG / "alerts.yml")]
    for job in config["scrape_configs"]:
        (found,) = job.pop("dns_sd_configs")
        (name,) = found["names"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[name]}"]}]
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_test_port()}"
    with (
        (directory / "prometheus.log").open("wb") as log,
        subprocess.Popen(
            [
                program,
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        ) as process,
        httpx.Client(base_url=f"http://{address}", timeout=30) as http,
    ):
        try:
            made = Prometheus(http)
            jobs = len(config["scrape_configs"])
            wait_until(
                lambda: _has_scraped(made, jobs),
                description="Prometheus has scraped every process",
                timeout_seconds=_START_SECONDS,
            )
            yield made
        finally:
            process.terminate()


def _has_scraped(prometheus: Prometheus, jobs: int) -> bool:
    try:
        return prometheus.missing(jobs) == 0
    except httpx.HTTPError:
        return False

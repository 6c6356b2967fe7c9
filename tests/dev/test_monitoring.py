"""Alerts, dashboard and autoscaling: their queries are PromQL, of metrics that there are.

promtool is no package of ours; the parser here is Prometheus's grammar as a library.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from api.metrics import ApiMetrics
from api.streaming.metrics import StreamMetrics
from common.domain.service_health import ServiceHealth, TurnCounts
from common.domain.worker import Fleet
from common.metrics import BuildInfo
from dev.paths import ROOT
from worker.metrics import WorkerMetrics
from worker.sweep_metrics import Installation, InstallationState, SweepMetrics

_DEPLOY = ROOT / "docs" / "deploy"
_ALERTS = yaml.safe_load((_DEPLOY / "prometheus" / "alerts.yml").read_text())
_DASHBOARD = json.loads((_DEPLOY / "grafana" / "everturn.json").read_text())
_SCALING = yaml.safe_load((_DEPLOY / "kubernetes" / "worker-autoscaling-keda.yaml").read_text())
_OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
_OBSERVABILITY = (ROOT / "docs" / "observability.md").read_text()
# What Grafana puts there: any range will do for a parser.
_GRAFANA_RANGE = "$__rate_interval"
# Of the metrics that the library has for every process.
_SHARED = ("everturn_build_info", "everturn_process_", "everturn_database_pool_")


def _alerts() -> list[dict[str, Any]]:
    return [rule for group in _ALERTS["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    return [panel for panel in _DASHBOARD["panels"] if panel["type"] != "row"]


def _queries() -> Iterator[tuple[str, str]]:
    for alert in _alerts():
        yield alert["alert"], alert["expr"]
    for panel in _panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace(_GRAFANA_RANGE, "5m")
    for trigger in _SCALING["spec"]["triggers"]:
        yield "autoscaling", trigger["metadata"]["query"]


def _state() -> Installation:
    fleet = Fleet(total=0, live=0, draining=0, accepting=0, capacity=0, load=0)
    names = ("queued", "running", "waiting", "begun", "completed", "failed", "dead_letters")
    counts = TurnCounts(**dict.fromkeys(names, 0), oldest_queued_seconds=0.0)
    return Installation(ServiceHealth(fleet, counts), 0, {"provider_1": "closed"})


def _families() -> list[Metric]:
    api, sweeper = CollectorRegistry(), SweepMetrics()
    ApiMetrics(api)
    api.register(BuildInfo("api"))
    sweeper.registry.register(InstallationState(_state))
    registries = (api, StreamMetrics().registry, WorkerMetrics().registry, sweeper.registry)
    return [family for registry in registries for family in registry.collect()]


_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
_SERIES = {
    f"{family.name}{suffix}": family for family in _families() for suffix in _SUFFIXES[family.type]
}


@pytest.mark.parametrize(("where", "query"), list(_queries()))
def test_a_query_parses_and_asks_for_what_there_is(where: str, query: str) -> None:
    promql_parser.parse(query)
    asked = set(re.findall(r"everturn_\w+", query))
    assert asked, f"{where} asks for nothing of ours"
    assert asked - set(_SERIES) == set()


def test_the_parser_refuses_what_is_no_query() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is the library's
        promql_parser.parse("sum by (le (rate(everturn_turns_total[5m])))")


def test_a_query_groups_and_selects_by_labels_that_there_are() -> None:
    known = {"instance", "job", "le"}
    for where, query in _queries():
        labels = {
            label
            for name in re.findall(r"everturn_\w+", query)
            for label in _labels_of(_SERIES[name])
        }
        used = {
            label.strip()
            for group in re.findall(r"by \(([^)]*)\)", query)
            for label in group.split(",")
        }
        used |= set(re.findall(r"[{,]\s*(\w+)\s*[=!]", query))
        assert used - labels - known == set(), where


def _labels_of(family: Metric) -> set[str]:
    found = {label for sample in family.samples for label in sample.labels}
    for metrics in (ApiMetrics(), StreamMetrics(), WorkerMetrics(), SweepMetrics()):
        for metric in vars(metrics).values():
            if getattr(metric, "_name", None) == family.name:
                found |= set(metric._labelnames)
    return found


def test_every_alert_has_its_runbook() -> None:
    headings = set(re.findall(r"^#+ (\w+)$", _OPERATIONS, flags=re.MULTILINE))
    for alert in _alerts():
        name = alert["alert"]
        assert name in headings
        assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in ("critical", "warning")
    assert {name for name in headings if name.startswith("Everturn")} == {
        alert["alert"] for alert in _alerts()
    }


def test_every_metric_is_explained() -> None:
    explained = set(re.findall(r"`(everturn_\w+)`", _OBSERVABILITY))
    names = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in _families()
        if not family.name.startswith("everturn_process_")
    }
    assert explained - {"everturn_process_"} == names


def test_every_metric_has_our_prefix_and_a_sentence() -> None:
    for family in _families():
        assert family.name.startswith("everturn_")
        assert family.documentation


def test_a_route_that_is_not_built_wakes_nobody() -> None:
    (errors,) = (alert for alert in _alerts() if alert["alert"] == "EverturnApiErrors")
    above, _ = errors["expr"].split(" / ")
    assert 'status!="501"' in above


def test_panels_have_a_place_and_an_id_of_their_own() -> None:
    panels = _DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)


def test_what_is_scraped_is_where_the_processes_serve_it() -> None:
    from common.settings import Settings  # noqa: PLC0415

    scraped = yaml.safe_load((_DEPLOY / "prometheus" / "prometheus.yml").read_text())
    ports = {
        name: config["port"]
        for job in scraped["scrape_configs"]
        for config in job["dns_sd_configs"]
        for name in config["names"]
    }
    required = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache/0"}
    settings = Settings.from_env(required)
    assert ports == {
        name: getattr(settings, f"{name}_metrics_port")
        for name in ("api", "stream", "worker", "sweeper")
    }
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert compose["services"]["worker"]["environment"]["METRICS_HOST"] == "0.0.0.0"  # noqa: S104
    published = [port for body in compose["services"].values() for port in body.get("ports", ())]
    assert not any(str(port) in entry for port in ports.values() for entry in published)

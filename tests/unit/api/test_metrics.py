"""Numbers of the api over several processes, living and dead."""

import json
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from api.metrics import ApiMetrics, bury, registry_of_all

_NAME = "everturn_http_requests"
_LABELS = {"method": "GET", "route": "/v1/agents", "status": "200"}


def _write(file: Path, key: str, value: float) -> None:
    kept = MmapedDict(str(file))  # type: ignore[no-untyped-call]
    kept.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    kept.close()  # type: ignore[no-untyped-call]


def _process(folder: Path, pid: int, *, requests: float, connections: float) -> None:
    """What the library keeps of a process."""
    values = list(_LABELS.values())
    counted = mmap_key(_NAME, f"{_NAME}_total", list(_LABELS), values, "Requests.")
    _write(folder / f"counter_{pid}.db", counted, requests)
    seconds = "everturn_http_request_seconds"
    for suffix, labels, value in (
        ("_sum", {}, 2.0 * requests),
        ("_bucket", {"le": "1.0"}, requests),
        ("_bucket", {"le": "+Inf"}, 0.0),
    ):
        key = json.dumps([seconds, f"{seconds}{suffix}", labels, "Time."], sort_keys=True)
        _write(folder / f"histogram_{pid}.db", key, value)
    used = "everturn_database_pool_in_use"
    gauge = mmap_key(used, used, [], [], "In use.")
    _write(folder / f"gauge_livesum_{pid}.db", gauge, connections)


def test_processes_are_added_up_and_the_dead_keep_what_they_counted(tmp_path: Path) -> None:
    _process(tmp_path, 11, requests=3, connections=2)
    _process(tmp_path, 12, requests=4, connections=1)

    def value(name: str, **labels: str) -> float | None:
        return registry_of_all(tmp_path).get_sample_value(f"everturn_{name}", labels)

    for pid, connections in ((None, 3), (11, 1), (12, None)):
        if pid is not None:
            bury(tmp_path, pid)
        assert value("http_requests_total", **_LABELS) == 7
        assert value("http_request_seconds_sum") == 14
        assert value("http_request_seconds_bucket", le="1.0") == 7
        assert value("http_request_seconds_count") == 7
        assert value("database_pool_in_use") == connections


def test_the_files_of_the_dead_do_not_pile_up(tmp_path: Path) -> None:
    for pid in range(100, 120):
        _process(tmp_path, pid, requests=1, connections=1)
        bury(tmp_path, pid)
    bury(tmp_path, 999)
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_0.db", "histogram_0.db"]
    registry = registry_of_all(tmp_path)
    assert registry.get_sample_value("everturn_http_requests_total", _LABELS) == 20


def test_a_request_is_counted_by_the_template_of_its_route() -> None:
    registry = CollectorRegistry()
    metrics = ApiMetrics(registry)
    metrics.answered("GET", "/v1/sessions/<session_id>", 200, seconds=0.02)
    metrics.answered("GET", None, 404, seconds=0.001)
    metrics.answered("what a client made up", None, 405, seconds=0.001)
    counted = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"])
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "everturn_http_requests_total"
    }
    assert counted == {
        ("GET", "/v1/sessions/<session_id>", "200"),
        ("GET", "none", "404"),
        ("other", "none", "405"),
    }

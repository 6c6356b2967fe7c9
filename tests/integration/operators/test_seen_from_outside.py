"""What an operator sees of real processes that do real work: Flower, metrics, traces."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.domain.ids import Kind, parse_id
from dev.services import free_test_port
from tests import plain_http
from tests import servers as test_servers
from tests.chaos.client import Client
from tests.conditions import wait_until
from tests.fakes.otlp import Collector, collecting
from tests.servers import Servers
from tests.system import FAST_RECOVERY, Part, System, running

pytestmark = pytest.mark.slow

_LOGIN = ("operator", "let-me-see")
_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_WORD = "xyzzy-plugh-4711"
_METRICS = ("API", "STREAM", "WORKER", "SWEEPER")


@dataclass
class View:
    """A running system and an operator's tools."""

    system: System
    client: Client
    flower: httpx.Client
    collector: Collector

    def sent(self, turn_id: str) -> list[dict[str, Any]]:
        """What Flower finds of the tasks that were sent for a turn."""
        return [task for task in self._find(turn_id) if turn_id in task["args"]]

    def ran(self, turn_id: str, outcome: str) -> list[dict[str, Any]]:
        """The tasks of which Flower says that they ran the turn, and what became of it there.

        A wake-up that a test before has left may be the one that does.
        """
        said = f"'outcome': '{outcome}', 'turn': '{turn_id}'"
        return [task for task in self._find(turn_id) if said in (task["result"] or "")]

    def _find(self, words: str) -> list[dict[str, Any]]:
        answer = self.flower.get("/api/tasks", params={"search": words})
        assert answer.status_code == 200, answer.text
        return list(answer.json().values())

    def series(self, name: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """All that a process's page says."""
        port = self.system.environment[f"{name}_METRICS_PORT"]
        page = plain_http.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        assert page.status_code == 200
        assert _WORD not in page.text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
        }

    def value(self, process: str, name: str, **labels: str) -> float:
        """One number; 0 when there is none yet."""
        return self.series(process).get((f"everturn_{name}", frozenset(labels.items())), 0.0)

    def talk(self, session_id: str, words: str = "Hello", **llmsim: Any) -> str:
        """A message and its turn's end; returns the turn."""
        before = self.client.types(session_id).count("session.idled")
        self.client.post(session_id, words, **llmsim)
        wait_until(
            lambda: self.client.types(session_id).count("session.idled") > before,
            description="the turn is over",
            timeout_seconds=30,
        )
        return self.turns(session_id)[-1]

    def turns(self, session_id: str) -> list[str]:
        return [
            event["context"]["turn_id"]
            for event in self.client.events(session_id)
            if event["type"] == "turn.started"
        ]


@contextmanager
def _viewing(servers: Servers, redis_url: str, directory: Path) -> Iterator[View]:
    database_url = servers.create_database()
    ports = {f"{name}_METRICS_PORT": str(free_test_port()) for name in _METRICS}
    with collecting() as collector:
        settings = {
            **FAST_RECOVERY,
            **ports,
            "API_WORKERS": "2",
            "SHUTDOWN_GRACE_SECONDS": "2",
            "FLOWER_PORT": str(free_test_port()),
            "FLOWER_BASIC_AUTH": ":".join(_LOGIN),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        parts = ("api", "stream", "front", "worker", "sweeper", "flower")
        with running(database_url, redis_url, directory, parts=parts, settings=settings) as system:
            base = f"http://127.0.0.1:{system.environment['FLOWER_PORT']}"
            with (
                Client(system.base_url) as client,
                plain_http.client(base_url=base, auth=_LOGIN, timeout=10) as flower,
            ):
                wait_until(
                    lambda: _answers(flower), description="Flower answers", timeout_seconds=40
                )
                yield View(system, client, flower, collector)
    servers.drop_database(database_url)


def _answers(flower: httpx.Client) -> bool:
    try:
        # Until then it has not heard of the worker, and would miss its events.
        return bool(flower.get("/api/workers", params={"refresh": "1"}).json())
    except (httpx.TransportError, ValueError):
        return False


@pytest.fixture(scope="module")
def view(
    servers: Servers, _redis_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[View]:
    test_servers.empty_redis_database(_redis_database, servers.run_name)
    with _viewing(servers, _redis_database, tmp_path_factory.mktemp("system")) as made:
        yield made


def _eventually(description: str, predicate: Callable[[], Any]) -> Any:
    return wait_until(predicate, description=description, timeout_seconds=20)


def test_flower_shows_whose_task_it_is_and_nothing_that_was_said(view: View) -> None:
    session = view.client.session()
    turn = view.talk(session, f"Words {_WORD}")
    (ran,) = _eventually("Flower has heard of the end", lambda: view.ran(turn, "completed"))
    (sent,) = _eventually("Flower has heard of what was sent", lambda: view.sent(turn))
    for shown in (sent["kwargs"], ran["result"]):
        assert f"'session': '{session}'" in shown
        assert "'organization': 'org_" in shown
        assert "'attempt': 1" in shown
    assert (ran["name"], ran["state"]) == ("turn.run", "SUCCESS")
    assert ran["worker"].startswith("turns-")
    by_session = view.flower.get("/api/tasks", params={"search": session}).json()
    assert set(by_session) == {sent["uuid"], ran["uuid"]}
    assert _WORD not in view.flower.get("/api/tasks").text
    page = view.flower.get("/tasks")
    assert page.status_code == 200


def test_a_turn_that_failed_at_its_provider_is_a_task_that_succeeded(view: View) -> None:
    turn = view.talk(view.client.session(), response={"type": "error", "message": _WORD})
    (task,) = _eventually("Flower has heard of the end", lambda: view.ran(turn, "failed"))
    assert task["state"] == "SUCCESS"


def test_flower_lets_nobody_in_without_a_password_and_changes_nothing(view: View) -> None:
    for path in ("/tasks", "/workers", "/api/tasks", "/api/workers"):
        assert (
            plain_http.get(f"{view.flower.base_url}{path}".replace("//a", "/a")).status_code == 401
        )
    alive = [part for part in view.system.parts if part.is_alive]
    worker = next(iter(view.flower.get("/api/workers").json()))
    assert view.flower.post(f"/api/worker/shutdown/{worker}").status_code in (403, 405)
    assert all(part.is_alive for part in alive)


def test_a_turn_that_is_handed_over_is_no_failure(view: View) -> None:
    session = view.client.session()
    leaving = next(
        part for part in view.system.parts if part.name.startswith("worker") and part.is_alive
    )
    view.client.post(session, "Slow", response={"type": "lorem"}, tokens_per_second=5)
    _eventually("the turn streams", lambda: "output.message.started" in view.client.types(session))
    _end(leaving)
    # Its own metrics port is free again.
    view.system.wait_ready(view.system.start("worker"))
    turn = view.turns(session)[0]
    (first,) = _eventually("the first task is over", lambda: view.ran(turn, "handed_over"))
    assert first["state"] == "SUCCESS"
    _eventually("another has it", lambda: "reason.recovered" in view.client.types(session))
    _eventually(
        "Flower has heard of the second that was sent",
        lambda: any("'attempt': 2" in task["kwargs"] for task in view.sent(turn)),
    )
    view.client.http.post(f"/sessions/{session}/cancel").raise_for_status()
    (second,) = _eventually("the second is over", lambda: view.ran(turn, "taken_away"))
    assert "'attempt': 2" in second["result"]
    assert second["worker"] != first["worker"]


def _end(part: Part) -> None:
    part.signal(signal.SIGTERM)
    part.process.wait(20)


def test_every_process_has_its_page_and_says_what_it_is(view: View) -> None:
    session = view.client.session(capabilities=["test_weather"])
    call = {"name": "get_weather", "arguments": {"location": _WORD}}
    with view.client.stream(session, start="all") as frames:
        view.talk(session, tool_calls={"type": "fixed", "tool_calls": [call]})
        next(frame for frame in frames if frame.event == "session.idled")
        assert view.value("STREAM", "streams_open") >= 1
    assert view.value("STREAM", "relay_lag_seconds_count") > 0
    for name in _METRICS:
        said = [labels for (metric, labels) in view.series(name) if metric == "everturn_build_info"]
        assert ("process", name.lower()) in {pair for labels in said for pair in labels}
        assert view.value(name, "database_pool_size") > 0
    route = "/v1/sessions/<session_id>/messages"
    accepted = {"method": "POST", "route": route, "status": "201"}
    assert view.value("API", "http_requests_total", **accepted) >= 1
    assert view.value("WORKER", "turns_total", outcome="completed", code="") >= 1
    assert view.value("WORKER", "turn_pickup_seconds_count") >= 1
    assert view.value("WORKER", "tool_calls_total", tool="get_weather", status="success") >= 1
    assert view.value("WORKER", "tasks_completed_total", outcome="completed") >= 1
    assert view.value("SWEEPER", "installation_readable") == 1
    # Of a worker that the test before has started it hears with a heartbeat.
    _eventually(
        "the worker is seen to take turns",
        lambda: view.value("SWEEPER", "workers_accepting") >= 1,
    )
    assert view.value("SWEEPER", "sweeps_total", outcome="done") >= 1
    other = plain_http.get(
        f"http://127.0.0.1:{view.system.environment['API_METRICS_PORT']}/v1/agents"
    )
    assert other.status_code == 404
    assert plain_http.get(f"{view.system.base_url}/metrics").status_code == 404


def test_a_process_of_the_api_that_dies_takes_nothing_of_the_sum_with_it(view: View) -> None:
    def asked() -> float:
        counted = {"method": "GET", "route": "/v1/agents", "status": "200"}
        return view.value("API", "http_requests_total", **counted)

    for _ in range(10):
        view.client.http.get("/agents").raise_for_status()
    api = next(part for part in view.system.parts if part.name.startswith("api"))
    before, connections = asked(), view.value("API", "database_pool_size")
    victim, *_ = children = psutil.Process(api.process.pid).children()
    assert len(children) == 2
    os.kill(victim.pid, signal.SIGKILL)
    _eventually(
        "another process has taken its place",
        lambda: (
            {child.pid for child in psutil.Process(api.process.pid).children()} - {victim.pid}
            and len(psutil.Process(api.process.pid).children()) == 2
            and view.value("API", "database_pool_size") == connections
        ),
    )
    assert asked() == before
    view.client.http.get("/agents").raise_for_status()
    assert asked() == before + 1


def test_a_silent_worker_is_seen_in_the_sweepers_numbers(view: View) -> None:
    session = view.client.session()
    lost = next(
        part for part in view.system.parts if part.name.startswith("worker") and part.is_alive
    )
    recovered = view.value("SWEEPER", "lease_recoveries_total")
    view.client.post(session, "Slow", response={"type": "lorem"}, tokens_per_second=5)
    _eventually("the turn streams", lambda: "output.message.started" in view.client.types(session))
    lost.kill()
    _eventually("it waits", lambda: view.value("SWEEPER", "oldest_queued_turn_seconds") > 0)
    assert view.value("SWEEPER", "open_turns", status="queued") >= 1
    assert view.value("SWEEPER", "lease_recoveries_total") > recovered
    view.system.wait_ready(view.system.start("worker"))
    view.client.http.post(f"/sessions/{session}/cancel").raise_for_status()


def test_a_callers_trace_goes_through_to_the_turn(view: View) -> None:
    session = view.client.session()
    sent = {"traceparent": f"00-{_TRACE}-00f067aa0ba902b7-01"}
    message = {"message": {"content": [{"type": "text", "text": _WORD}]}}
    view.client.http.post(
        f"/sessions/{session}/messages", json=message, headers=sent
    ).raise_for_status()
    spans = _eventually(
        "the whole trace is there",
        lambda: (
            [each for each in view.collector.of(_TRACE) if each.name.startswith("invoke_agent")]
            and [each for each in view.collector.of(_TRACE) if each.process == "api"]
            and view.collector.of(_TRACE)
        ),
    )
    by_name = {span.name.split()[0]: span for span in spans}
    request, turn = by_name["POST"], by_name["invoke_agent"]
    assert (request.process, turn.process) == ("api", "worker")
    assert request.parent_id == "00f067aa0ba902b7"
    assert turn.parent_id == request.span_id
    assert by_name["reason"].parent_id == turn.span_id
    assert by_name["chat"].parent_id == by_name["reason"].span_id
    assert _WORD not in str(spans)
    events = view.client.http.get(f"/sessions/{session}/events", params={"trace_id": _TRACE})
    assert {event["context"]["turn_id"] for event in events.json()["data"]} == {
        turn.attributes["everturn.turn.id"]
    }
    parse_id(Kind.TURN, turn.attributes["everturn.turn.id"])

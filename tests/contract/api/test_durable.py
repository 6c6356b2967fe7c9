"""Health, workers and circuit breakers over HTTP."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION, OPENAI_PROVIDER, Kind, show_id
from common.domain.worker import WorkerReport, WorkerStatus
from common.storage import workers
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Document, Json
from tests.fakes.live import RecordingLive

BUILT_IN = show_id(Kind.PROVIDER, OPENAI_PROVIDER)


@pytest.fixture
def operator(app: APIFlask, document: Document) -> Api:
    shown = show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)
    return Api(app, {"X-Org-Id": shown}, document)


@pytest.fixture(autouse=True)
def no_workers(database: Database) -> Iterator[None]:
    """The table is the whole installation's."""
    _run(database, "DELETE FROM workers")
    yield
    _run(database, "DELETE FROM workers")


def _run(database: Database, statement: str, **values: Any) -> None:
    with database.transaction() as tx:
        tx.execute(text(statement), values)


def beat(database: Database, worker_id: UUID, **fields: Any) -> str:
    known = {"status": WorkerStatus.ACTIVE, "load": 1, "capacity": 4, **fields}
    report = WorkerReport(id=worker_id, hostname="node-7", pid=42, version="1", **known)
    with database.transaction() as tx:
        workers.beat(tx, report)
    return show_id(Kind.WORKER, worker_id)


def listed(api: Api, query: str = "") -> Json:
    reply = api.get(f"/v1/durable/workers{query}")
    assert reply.status == 200, reply.text
    body: Json = reply.body
    return body


def test_workers_are_listed_with_what_they_do(api: Api, database: Database) -> None:
    active, full, gone = (new_id() for _ in range(3))
    beat(database, active, tasks_completed=5, tasks_failed=1)
    beat(database, full, load=4)
    beat(database, gone)
    _run(
        database,
        "UPDATE workers SET last_heartbeat_at = now() - interval '16 s' WHERE id = :id",
        id=gone,
    )
    found = listed(api)
    assert found["total"] == 3
    assert [each["status"] for each in found["data"]] == ["active", "active", "stopped"]
    assert [each["backpressure_reason"] for each in found["data"]] == [
        None,
        "at_capacity",
        "silent",
    ]
    first = found["data"][0]
    assert (first["hostname"], first["metadata"]) == ("node-7", {"pid": 42})
    assert (first["tasks_completed"], first["tasks_failed"]) == (5, 1)
    assert (first["max_concurrency"], first["current_load"]) == (4, 1)
    assert found["summary"] == {
        "active": 2,
        "draining": 0,
        "stopped": 1,
        "total_capacity": 8,
        "total_load": 5,
    }
    assert listed(api, "?status=stopped")["total"] == 1
    assert listed(api, "?worker_group=default")["total"] == 3
    assert listed(api, "?worker_group=other")["data"] == []
    assert api.get("/v1/durable/workers?status=x").status == 400


def test_a_worker_is_drained_and_resumed(
    operator: Api, database: Database, live: RecordingLive
) -> None:
    worker_id = new_id()
    shown = beat(database, worker_id)
    drained = operator.post(f"/v1/durable/workers/{shown}/drain")
    assert (drained.status, drained.body["status"]) == (200, "draining")
    assert drained.body["accepting_tasks"] is False
    assert live.looked == [worker_id]
    with database.transaction() as tx:
        report = WorkerReport(
            id=worker_id,
            hostname="node-7",
            pid=42,
            version="1",
            status=WorkerStatus.ACTIVE,
            capacity=4,
            load=1,
        )
        assert workers.beat(tx, report) is WorkerStatus.DRAINING
    assert operator.post(f"/v1/durable/workers/{shown}/drain").status == 200
    resumed = operator.post(f"/v1/durable/workers/{shown}/resume")
    assert (resumed.status, resumed.body["status"]) == (200, "active")
    assert live.looked == [worker_id] * 3


def test_a_worker_that_is_not_there_cannot_be_drained(operator: Api) -> None:
    unknown = show_id(Kind.WORKER, new_id())
    for verb in ("drain", "resume"):
        assert operator.post(f"/v1/durable/workers/{unknown}/{verb}").status == 404
        assert operator.post(f"/v1/durable/workers/x/{verb}").status == 400


def test_only_the_operator_changes_what_all_share(
    api: Api, operator: Api, database: Database, live: RecordingLive
) -> None:
    worker_id = new_id()
    shown = beat(database, worker_id)
    for verb in ("drain", "resume"):
        assert api.post(f"/v1/durable/workers/{shown}/{verb}").status == 403
    assert live.looked == []
    address = f"/v1/durable/circuit-breakers/{BUILT_IN}"
    for method, path in (("POST", "/open"), ("POST", "/close"), ("DELETE", "")):
        assert api.send(method, address + path).status == 403
    assert api.get(address).body["state"] == "closed"
    policies = api.get("/v1/durable/config").body["policies"]
    assert (policies["drain_workers"], policies["retry_dead_letters"]) == (False, True)
    assert all(operator.get("/v1/durable/config").body["policies"].values())


def test_health_is_that_of_all_organizations(api: Api, stranger: Api, database: Database) -> None:
    assert api.get("/v1/durable/health").body["status"] == "unhealthy"
    worker_id = new_id()
    beat(database, worker_id)
    before = api.get("/v1/durable/health").body
    assert (before["active_workers"], before["workers_accepting"]) == (1, 1)
    assert (before["total_capacity"], before["current_load"]) == (4, 1)
    assert before["load_percentage"] == 25.0

    queued, dead = (api.message(api.session()["id"])["session_id"] for _ in range(2))
    worker.seal(database, dead)
    after = stranger.get("/v1/durable/health").body
    assert after["pending_tasks"] == after["pending_workflows"] == before["pending_tasks"] + 1
    assert after["dlq_size"] == before["dlq_size"] + 1
    assert after["failed_tasks"] == before["failed_tasks"] + 1
    worker.start_turn(database, queued)
    assert api.get("/v1/durable/health").body["claimed_tasks"] == before["claimed_tasks"] + 1

    beat(database, worker_id, load=4)
    assert api.get("/v1/durable/health").body["status"] == "degraded"
    beat(database, worker_id, status=WorkerStatus.DRAINING)
    assert api.get("/v1/durable/health").body["status"] == "unhealthy"


def test_breakers_of_all_providers_are_listed(api: Api) -> None:
    provider = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"}).body
    found = api.get("/v1/durable/circuit-breakers").body
    keys = [each["key"] for each in found["data"]]
    assert found["total"] == len(keys) == 4
    assert provider["id"] in keys
    assert BUILT_IN in keys
    assert {each["state"] for each in found["data"]} == {"closed"}


def test_a_breaker_is_opened_closed_and_reset(api: Api) -> None:
    provider = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"}).body
    address = f"/v1/durable/circuit-breakers/{provider['id']}"
    opened = api.post(f"{address}/open")
    assert (opened.status, opened.body["state"]) == (200, "open")
    assert opened.body["held_by_operator"] is True
    assert opened.body["open_until"] > opened.body["opened_at"]
    assert api.get(address).body == opened.body
    assert api.post(f"{address}/close").body["state"] == "closed"
    api.post(f"{address}/open")
    assert api.delete(address).status == 204
    assert api.get(address).body["state"] == "closed"


def test_the_operator_may_open_a_built_in_one(operator: Api) -> None:
    address = f"/v1/durable/circuit-breakers/{BUILT_IN}"
    assert operator.post(f"{address}/open").body["state"] == "open"
    assert operator.delete(address).status == 204


def test_the_stream_is_served_elsewhere(api: Api) -> None:
    assert api.get("/v1/durable/sse").status == 421

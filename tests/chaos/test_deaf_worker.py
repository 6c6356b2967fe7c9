"""A worker that lives and consumes nothing is noticed by that, and replaced by one that does."""

from pathlib import Path

import pytest
from celery import Celery

from common.turn_queue import ALL_QUEUES
from tests.chaos.client import Client, assert_one_whole_turn
from tests.conditions import wait_until
from tests.system import FAST_RECOVERY, running

pytestmark = pytest.mark.slow


def test_a_worker_that_lost_its_subscription_leaves(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {**FAST_RECOVERY, "WORKER_DEAF_SECONDS": "2", "SHUTDOWN_GRACE_SECONDS": "4"}
    with running(database_url, redis_url, tmp_path, settings=settings) as system:
        (worker,) = [part for part in system.parts if part.name == "worker-1"]
        control = Celery(broker=redis_url, set_as_current=False).control
        for queue in ALL_QUEUES:
            control.cancel_consumer(queue, reply=True, limit=1, timeout=5)
        with Client(system.base_url) as client:
            session_id = client.session()
            assert client.post(session_id, "Hello").status_code == 201
            wait_until(
                lambda: not worker.is_alive, description="the worker ends", timeout_seconds=20
            )
            assert worker.said("worker_deaf") == 1
            system.start("worker")
            wait_until(
                lambda: client.types(session_id)[-1] == "session.idled",
                description="another answers",
                timeout_seconds=25,
            )
            assert_one_whole_turn(client.events(session_id), answer="Echo: Hello")


def test_a_drained_worker_takes_nothing_and_is_not_taken_for_deaf(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {**FAST_RECOVERY, "WORKER_DEAF_SECONDS": "1"}
    with running(database_url, redis_url, tmp_path, settings=settings) as system:
        (worker,) = [part for part in system.parts if part.name == "worker-1"]
        with Client(system.base_url) as client:
            (row,) = wait_until(
                lambda: client.http.get("/durable/workers").json()["data"],
                description="the worker is seen",
            )
            address = f"/durable/workers/{row['id']}"
            assert client.http.post(f"{address}/drain").status_code == 200
            wait_until(lambda: worker.said("worker_draining") == 1, description="the worker drains")
            session_id = client.session()
            client.post(session_id, "Hello")
            diagnosis = wait_until(
                lambda: _diagnosis(client, session_id, "workers_draining"),
                description="the diagnosis names it",
            )
            assert diagnosis is not None
            assert diagnosis["suggestions"]
            assert client.types(session_id)[-1] == "input.message"
            assert worker.is_alive
            assert client.http.post(f"{address}/resume").status_code == 200
            wait_until(
                lambda: client.types(session_id)[-1] == "session.idled",
                description="it answers after all",
                timeout_seconds=15,
            )
            assert worker.said("worker_deaf") == 0


def _diagnosis(client: Client, session_id: str, code: str) -> dict[str, object] | None:
    found: dict[str, object] = client.http.get(f"/sessions/{session_id}/diagnosis").json()
    return found if found["code"] == code else None

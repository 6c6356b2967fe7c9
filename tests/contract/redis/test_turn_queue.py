"""A wake-up that we push is one that Celery's workers read, whatever Celery's version writes."""

import json
from base64 import b64decode
from typing import Any

import pytest
from celery import Celery

from common.clock import new_id
from common.redis_client import Breaker
from common.settings import Settings
from common.turn_queue import PRIORITY_QUEUE, RUN_TURN, TURNS_QUEUE, TurnQueue, celery_config
from tests.contract.redis.conftest import Server


@pytest.fixture(autouse=True)
def _real(server: Server) -> None:
    if not server.is_real:
        pytest.skip("Celery opens connections of its own")


def _settings(server: Server) -> Settings:
    return Settings.from_env({"DATABASE_URL": "postgresql://", "REDIS_URL": server.url})


def _pushed(server: Server, queue: str) -> dict[str, Any]:
    raw = server.client().rpop(queue)
    assert isinstance(raw, bytes)
    message: dict[str, Any] = json.loads(raw)
    message["body"] = json.loads(b64decode(message["body"]))
    return message


def _by_celery(server: Server, turn_id: str, queue: str) -> dict[str, Any]:
    app = Celery("theirs", set_as_current=False)
    app.conf.update(celery_config(_settings(server), socket_timeout_seconds=1))
    app.send_task(RUN_TURN, args=(turn_id,), queue=queue, retry=False, ignore_result=True)
    app.close()
    kept = server.client()
    for name in kept.scan_iter("_kombu.*"):
        kept.delete(name)
    return _pushed(server, queue)


def _without_ids(message: dict[str, Any]) -> dict[str, Any]:
    headers, properties = message["headers"], message["properties"]
    task_id = headers["id"]
    assert headers["root_id"] == properties["correlation_id"] == task_id
    for name in ("id", "root_id", "origin", "argsrepr"):  # ours names the turn as it is shown
        del headers[name]
    for name in ("correlation_id", "delivery_tag", "reply_to"):
        del properties[name]
    return message


@pytest.mark.parametrize(("priority", "queue"), [(0, TURNS_QUEUE), (5, PRIORITY_QUEUE)])
def test_a_wake_up_is_what_celery_would_have_written(
    server: Server, priority: int, queue: str
) -> None:
    turn_id = new_id()

    assert TurnQueue(_settings(server), Breaker()).send(turn_id, priority=priority)

    ours = _without_ids(_pushed(server, queue))
    assert ours == _without_ids(_by_celery(server, str(turn_id), queue))
    assert ours["body"][0] == [str(turn_id)]


def test_no_two_wake_ups_are_the_same_to_the_broker(server: Server) -> None:
    turn_id, queue = new_id(), TurnQueue(_settings(server), Breaker())

    assert queue.send(turn_id)
    assert queue.send(turn_id)

    first, second = _pushed(server, TURNS_QUEUE), _pushed(server, TURNS_QUEUE)
    assert first["headers"]["id"] != second["headers"]["id"]
    assert first["properties"]["delivery_tag"] != second["properties"]["delivery_tag"]

"""The wake-up that tells a worker of a queued turn.  It carries an id, no content (I10).

The turn's row is the outbox: a wake-up that is lost is sent again by the sweeper, a
doubled one claims nothing, or another turn that waits (`common.storage.fair_share`).
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from celery import Celery
from kombu.utils.url import parse_url
from redis.exceptions import RedisError

from common.clock import new_id
from common.domain.ids import Kind, show_id
from common.domain.turn_task import TaskLabel
from common.redis_client import Breaker, make_client
from common.settings import Settings

RUN_TURN: Final = "turn.run"
TURNS_QUEUE: Final = "turns"
PRIORITY_QUEUE: Final = "turns.priority"
MAINTENANCE_QUEUE: Final = "maintenance"
ALL_QUEUES: Final = (PRIORITY_QUEUE, TURNS_QUEUE, MAINTENANCE_QUEUE)

# Of Celery's canvas: what is to follow the task.
_EMBEDDED: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

_log = structlog.get_logger()


def celery_config(settings: Settings, *, socket_timeout_seconds: float) -> dict[str, Any]:
    """Celery's configuration; measured and explained in docs/adr/0005."""
    return {
        "broker_url": settings.broker_url,
        "broker_use_ssl": _broker_tls(settings.broker_url),
        "result_backend": None,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": TURNS_QUEUE,
        "task_create_missing_queues": True,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        "task_send_sent_event": False,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 20,
        "broker_transport_options": {
            # Lost workers are found by lease, and lost wake-ups by the turns' rows.
            "ack_emulation": False,
            "socket_timeout": socket_timeout_seconds,
            "socket_connect_timeout": socket_timeout_seconds,
            "socket_keepalive": True,
            "max_connections": 512,
            "queue_order_strategy": "priority",
        },
        "task_publish_retry": False,
    }


def _broker_tls(url: str) -> dict[str, Any] | None:
    """What `rediss://` means: a certificate that holds; left alone Celery believes any."""
    if not url.startswith("rediss://"):
        return None
    given = parse_url(url).get("ssl", {})
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, **given}


class TurnQueue:
    """Sends wake-ups.  Best effort and bounded in time: failures are logged, never raised.

    A wake-up is one push to the list that workers take from.  What is pushed is what Celery
    writes; Celery's own way there costs more than all else that a message is accepted with.
    """

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        self._breaker = breaker
        self._redis = make_client(
            settings.broker_url, timeout_seconds=settings.redis_timeout_seconds
        )
        self._forms = {
            queue: _written_by_celery(settings, queue) for queue in (TURNS_QUEUE, PRIORITY_QUEUE)
        }

    def send(self, turn_id: UUID, *, priority: int = 0, label: TaskLabel | None = None) -> bool:
        """Wake a worker for the turn; False when the broker could not be reached.

        The label is for people who look at the queue; no worker reads it.
        """
        if self._breaker.is_open:
            return False
        queue = PRIORITY_QUEUE if priority > 0 else TURNS_QUEUE
        try:
            self._redis.lpush(queue, _filled_in(self._forms[queue], turn_id, label))
        except (RedisError, OSError) as failure:
            self._breaker.trip()
            _log.warning("enqueue_failed", turn_id=str(turn_id), error=type(failure).__name__)
            return False
        return True


def _written_by_celery(settings: Settings, queue: str) -> dict[str, Any]:
    """A wake-up as Celery and Kombu make it, whose ids are to be replaced."""
    app = Celery("everturn-producer", set_as_current=False)
    app.conf.update(celery_config(settings, socket_timeout_seconds=1.0))
    app.conf.update(
        broker_url="memory://localhost/", broker_transport_options={}, broker_use_ssl=None
    )
    app.send_task(RUN_TURN, args=("",), queue=queue, retry=False, ignore_result=True)
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        form: dict[str, Any] = channel.queues[queue].get(block=False)
    app.close()
    return form


def _filled_in(form: dict[str, Any], turn_id: UUID, label: TaskLabel | None) -> bytes:
    task_id = str(new_id())
    headers = {
        "id": task_id,
        "root_id": task_id,
        "argsrepr": f"('{show_id(Kind.TURN, turn_id)}',)",
        "kwargsrepr": "{}" if label is None else str(label.to_json()),
    }
    properties = {"correlation_id": task_id, "delivery_tag": str(new_id())}
    body = orjson.dumps([[str(turn_id)], {}, _EMBEDDED])
    return orjson.dumps(
        {
            **form,
            "body": b64encode(body).decode(),
            "headers": {**form["headers"], **headers},
            "properties": {**form["properties"], **properties},
        }
    )


class Backlog:
    """Asks the broker how many wake-ups lie there that no worker has taken yet."""

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        self._breaker = breaker
        self._redis = make_client(
            settings.broker_url, timeout_seconds=settings.redis_timeout_seconds
        )

    def count(self) -> int | None:
        """How many, None when the broker cannot be asked."""
        return self._breaker.attempt("backlog", self._count)

    def _count(self) -> int:
        # Celery keeps a queue without priorities in one list of its name.
        pipeline = self._redis.pipeline(transaction=False)
        for queue in ALL_QUEUES:
            pipeline.llen(queue)
        return sum(int(length) for length in pipeline.execute())

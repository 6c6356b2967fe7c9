"""Celery at the worker's edge: one task, and the worker process's beginning and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from celery import Celery, bootsteps
from celery.signals import (
    task_received,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from kombu.transport import redis as broker

from common import logs
from common.settings import Settings
from common.turn_queue import RUN_TURN, celery_config
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability

_SOCKET_TIMEOUT_SECONDS = 5.0


class _Deliveries(broker.QoS):
    """Kombu's account of messages that were delivered and are not acknowledged yet.

    Kombu wants to acknowledge them, or to give them back, over the connection that they came
    on; when that is lost it fails in a way that ends the process with all its turns.  Nothing
    is lost by letting them be: a message is a wake-up, and the rows know who needs one.
    """

    @property
    def _is_lost(self) -> bool:
        connection = self.channel.connection
        return connection is None or connection.client is None

    def restore_unacked(self, client: Any = None) -> None:
        if not self._is_lost:
            super().restore_unacked(client)
        elif self._delivered is not None:
            self._delivered.clear()

    def ack(self, delivery_tag: str) -> None:
        if not self._is_lost:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - as kombu's
        if not self._is_lost:
            super().reject(delivery_tag, requeue)


def make_app(settings: Settings, *, capabilities: Mapping[str, Capability] | None = None) -> Celery:
    """A Celery application whose worker runs turns, with these capabilities or the built ones."""
    broker.Channel.QoS = _Deliveries
    app = Celery("everturn")
    app.conf.update(celery_config(settings, socket_timeout_seconds=_SOCKET_TIMEOUT_SECONDS))
    running: list[Worker] = []

    @app.task(name=RUN_TURN, ignore_result=True)
    def run_turn(turn_id: str) -> None:
        """Run a queued turn; the message carries its id and nothing else (I10)."""
        running[0].run(UUID(turn_id))

    class Threads(bootsteps.StartStopStep):
        """Starts the threads when Celery has put its variables into the environment.

        Who connects to PostgreSQL reads the environment; changed meanwhile by another thread
        it ends the process (setenv(3)).
        """

        def start(self, _celery_worker: Any) -> None:
            for worker in running:
                worker.start()

    app.steps["worker"].add(Threads)

    # Celery passes each of these more than it is asked for.
    @worker_init.connect(weak=False)
    def prepare(**_: Any) -> None:
        logs.configure(settings, process="worker")
        running.append(Worker(settings, capabilities=capabilities))

    @worker_ready.connect(weak=False)
    def announce(sender: Any, **_: Any) -> None:
        for worker in running:
            worker.presence.capacity = sender.controller.concurrency
            worker.consumption.attach(sender)
        structlog.get_logger().info("worker_ready")

    @task_received.connect(weak=False)
    def count(**_: Any) -> None:
        for worker in running:
            worker.tally.received()

    @worker_shutting_down.connect(weak=False)
    def leave(**_: Any) -> None:
        for worker in running:
            worker.shutdown.begin()

    @worker_shutdown.connect(weak=False)
    def stop(**_: Any) -> None:
        for worker in running:
            worker.stop()

    return app

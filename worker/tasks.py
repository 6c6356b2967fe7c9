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

from common import logs
from common.domain.ids import Kind, show_id
from common.domain.turn_task import TaskLabel
from common.metrics import expose
from common.settings import Settings
from common.turn_queue import RUN_TURN, celery_config
from worker import broker_messages
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability
from worker.task_events import TaskEvents
from worker.turn.entry import Ran

_SOCKET_TIMEOUT_SECONDS = 5.0


def _turn_of(given: tuple[object, ...], named: Mapping[str, object]) -> UUID | None:
    """The turn that a message names; None for one that nobody of us has sent."""
    if named or len(given) != 1 or not isinstance(given[0], str):
        return None
    try:
        return UUID(given[0])
    except ValueError:
        return None


class TurnNotRun(Exception):
    """Something of ours went wrong, which the log has; the turn is tried again, or sealed.

    Says which outcome it was and nothing else, since Celery tells everybody (I10).
    """


def _shown(ran: Ran) -> dict[str, str | int]:
    """What became of the turn here, for people who look at tasks.

    Raises:
        TurnNotRun: the task is to be shown as failed: it is our fault, not the turn's.
    """
    if ran.is_fault:
        raise TurnNotRun(ran.outcome) from None
    claim = ran.claim
    if claim is None:
        return {"outcome": ran.outcome}
    label = TaskLabel(claim.session_id, claim.organization_id, claim.attempt)
    # Of several that wait it may have been another one's turn than that of the message.
    turn = {"turn": show_id(Kind.TURN, claim.turn_id)}
    return {"outcome": ran.outcome, **turn, **label.to_json()}


def make_app(settings: Settings, *, capabilities: Mapping[str, Capability] | None = None) -> Celery:
    """A Celery application whose worker runs turns, with these capabilities or the built ones."""
    broker_messages.take_over()
    app = Celery("everturn")
    app.conf.update(celery_config(settings, socket_timeout_seconds=_SOCKET_TIMEOUT_SECONDS))
    running: list[Worker] = []

    @app.task(name=RUN_TURN, ignore_result=True, typing=False, throws=(TurnNotRun,))
    def run_turn(*given: object, **named: object) -> dict[str, str | int]:
        """Run a queued turn; the message carries its id and nothing else (I10).

        What it returns is kept nowhere: Flower shows it.
        """
        turn_id = _turn_of(given, named)
        if turn_id is None:
            # Raising would have Celery tell of it, arguments and all.
            structlog.get_logger().warning("wake_up_refused")
            return {"outcome": "refused"}
        return _shown(running[0].run(turn_id))

    # Celery's own tasks, with which messages could run one another.
    app.finalize()
    for name in [each for each in app.tasks if each != RUN_TURN]:
        app.tasks.unregister(name)

    class Threads(bootsteps.StartStopStep):
        """Starts the threads when Celery has put its variables into the environment.

        Who connects to PostgreSQL reads the environment; changed meanwhile by another thread
        it ends the process (setenv(3)).
        """

        def start(self, _celery_worker: Any) -> None:
            for worker in running:
                worker.start()
                expose(worker.metrics.registry, settings.metrics_host, settings.worker_metrics_port)

    app.steps["worker"].add(Threads)
    app.steps["consumer"].add(TaskEvents)

    # Celery passes each of these more than it is asked for.
    @worker_init.connect(weak=False)
    def prepare(**_: Any) -> None:
        logs.configure(settings, process="worker")
        running.append(Worker(settings, capabilities=capabilities))

    @worker_ready.connect(weak=False)
    def announce(sender: Any, **_: Any) -> None:
        for worker in running:
            worker.presence.capacity = sender.controller.concurrency
            worker.metrics.may_run(sender.controller.concurrency)
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

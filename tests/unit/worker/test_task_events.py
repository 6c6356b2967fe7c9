"""Events of tasks gather for a moment, and none is lost with a connection or at the end."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from dev.paths import ROOT
from tests.conditions import wait_until
from worker import task_events
from worker.task_events import TaskEvents


class Dispatcher:
    """As Celery's, as far as the step needs it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.on_send_buffered: Any = None
        self.buffer_limit = 24
        self.gathered = 0
        self.sent: list[int] = []
        self._fails = fails

    def send(self) -> None:
        self.gathered += 1
        assert self.gathered < self.buffer_limit
        self.on_send_buffered()

    def flush(self) -> None:
        if self._fails:
            self._fails = False
            raise RuntimeError
        if self.gathered:
            self.sent.append(self.gathered)
            self.gathered = 0


def _started(dispatcher: Dispatcher) -> tuple[TaskEvents, SimpleNamespace]:
    consumer = SimpleNamespace(event_dispatcher=dispatcher)
    step = TaskEvents(consumer)
    step.start(consumer)
    return step, consumer


def test_what_comes_within_a_moment_is_sent_together() -> None:
    dispatcher = Dispatcher()
    _started(dispatcher)
    for _ in range(100):
        dispatcher.send()
    wait_until(lambda: sum(dispatcher.sent) == 100, description="they are sent")
    assert len(dispatcher.sent) < 10
    dispatcher.send()
    wait_until(lambda: sum(dispatcher.sent) == 101, description="the next is sent, too")


def test_a_new_connection_is_served_by_the_same_thread() -> None:
    step, consumer = _started(Dispatcher())
    consumer.event_dispatcher = None
    again = consumer.event_dispatcher = Dispatcher()
    step.start(consumer)
    again.send()
    wait_until(lambda: again.sent == [1], description="it is sent")


def test_a_failure_does_not_end_it() -> None:
    dispatcher = Dispatcher(fails=True)
    _started(dispatcher)
    dispatcher.send()
    wait_until(lambda: not dispatcher._fails, description="it has failed")
    dispatcher.send()
    wait_until(lambda: dispatcher.sent == [2], description="both are sent")


def test_the_last_are_sent_when_the_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_events, "_PAUSE_SECONDS", 3600)
    dispatcher = Dispatcher()
    step, consumer = _started(dispatcher)
    dispatcher.send()
    step.shutdown(consumer)
    assert dispatcher.sent == [1]


def test_a_worker_has_the_step() -> None:
    """In a process of its own: an application takes Celery's signals for good."""
    code = "from worker.celery_app import app; print(*app.steps['consumer'])"
    nowhere = {"DATABASE_URL": "postgresql://nowhere/none", "REDIS_URL": "redis://nowhere"}
    environment = {**nowhere, "DEPLOYMENT_GRADE": "dev"}
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "worker.task_events.TaskEvents" in done.stdout, done.stderr

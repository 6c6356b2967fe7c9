"""What a worker tells Flower of its tasks: ten times a second, and not three times a task.

Celery sends an event with the next turn of its loop, under load nearly each by itself, which
takes a fifth of a worker's time, and just when a turn has begun.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Final

import structlog
from celery import bootsteps
from celery.worker.consumer.events import Events

_PAUSE_SECONDS: Final = 0.1

_log = structlog.get_logger()


class TaskEvents(bootsteps.StartStopStep):
    """A step of Celery's consumer: a thread that sends what has gathered."""

    requires = (Events,)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._is_due = threading.Event()
        self._thread = threading.Thread(
            target=self._tell, args=[consumer], name="task-events", daemon=True
        )

    def start(self, consumer: Any) -> None:
        """Take over a dispatcher, which each connection to the broker has anew."""
        dispatcher = consumer.event_dispatcher
        dispatcher.on_send_buffered = self._is_due.set
        # Else who has the last one to fit sends them all: a turn's thread.
        dispatcher.buffer_limit = sys.maxsize
        if self._thread.ident is None:
            self._thread.start()

    def shutdown(self, consumer: Any) -> None:
        """Send what is left."""
        _flush(consumer)

    def _tell(self, consumer: Any) -> None:
        while True:
            self._is_due.wait()
            time.sleep(_PAUSE_SECONDS)
            self._is_due.clear()
            try:
                _flush(consumer)
            # The thread's edge: without it what gathers would only grow.
            except Exception as failure:  # noqa: BLE001
                _log.warning("task_events_untold", error=type(failure).__name__)


def _flush(consumer: Any) -> None:
    dispatcher = consumer.event_dispatcher
    if dispatcher is not None:
        # What Redis does not take is kept for the next time.
        dispatcher.flush()

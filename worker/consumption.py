"""Celery's consumer, as far as we stop and start it: a draining worker takes nothing more.

It is stopped here and not over the broker, so that a worker can be drained whatever the
broker's state; a consumer that reconnects stays stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Consumer(Protocol):
    """What we need of `celery.worker.consumer.Consumer`."""

    def call_soon(self, action: Callable[..., Any], /, *arguments: Any) -> Any:
        """Run it on the thread that consumes."""

    def add_task_queue(self, queue: str) -> Any:
        """Consume from the queue."""

    def cancel_task_queue(self, queue: str) -> Any:
        """Consume from the queue no more."""


class Consumption:
    """Whether this process consumes; thread-safe."""

    def __init__(self, queues: Sequence[str]) -> None:
        self._queues = queues
        self._consumer: Consumer | None = None
        self._is_paused = False
        self._guard = threading.Lock()

    def attach(self, consumer: Consumer) -> None:
        """Take in the consumer once there is one; it stops at once if that is due."""
        with self._guard:
            self._consumer = consumer
            if self._is_paused:
                self._cancel(consumer)

    def pause(self) -> None:
        """Take nothing more from any queue; safe to call again."""
        with self._guard:
            if self._consumer is not None and not self._is_paused:
                self._cancel(self._consumer)
            self._is_paused = True

    def resume(self) -> None:
        """Take from the queues again; safe to call again."""
        with self._guard:
            if self._consumer is not None and self._is_paused:
                for queue in self._queues:
                    self._consumer.call_soon(self._consumer.add_task_queue, queue)
            self._is_paused = False

    def _cancel(self, consumer: Consumer) -> None:
        for queue in self._queues:
            consumer.call_soon(consumer.cancel_task_queue, queue)

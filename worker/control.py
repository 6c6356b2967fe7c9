"""Hear what is said to all workers: a cancel should stop a model call at once, a drain too.

Redis only hurries here.  A cancel that is not heard is found by the next lease renewal,
and its worker can write nothing in between (I7).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from redis import Redis

from common.live import CONTROL_CHANNEL
from worker.lease import Leases

_PAUSE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.25
_LONGEST_STOP_SECONDS: Final = 3.0
_log = structlog.get_logger()


class ControlListener:
    """The thread that listens."""

    def __init__(
        self, redis: Redis, leases: Leases, *, worker_id: UUID, look: Callable[[], None]
    ) -> None:
        """`look` is called when something new is wanted of this worker."""
        self._redis = redis
        self._leases = leases
        self._id = worker_id
        self._look = look
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; waits for the thread, which may be about to connect."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_LONGEST_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            # The thread's edge; redis-py's pub/sub raises more than its own errors.
            except Exception as failure:  # noqa: BLE001
                _log.info("control_channel_lost", error=type(failure).__name__)
                self._stopped.wait(_PAUSE_SECONDS)

    def _listen(self) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]  # redis-py leaves it bare
            channel.subscribe(CONTROL_CHANNEL)
            while not self._stopped.is_set():
                message = channel.get_message(timeout=_POLL_SECONDS)
                if message is not None:
                    self._obey(message["data"])

    def _obey(self, message: bytes) -> None:
        verb, _, shown = message.decode(errors="replace").partition(" ")
        try:
            named = UUID(hex=shown)
        except ValueError:
            _log.warning("control_message_malformed")
            return
        if verb == "cancel":
            self._leases.cancel(named)
        elif verb == "look" and named == self._id:
            self._look()

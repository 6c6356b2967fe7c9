"""Redis with short time-outs, no retries, and a breaker: it hurries, it never remembers.

redis-py's own defaults retry ten times, which turns a stopped Redis into seconds of
waiting.  After a failure all use is skipped for a second, so that a request pays
for an outage at most once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_PAUSE_SECONDS: Final = 1.0
_SLOW_SECONDS: Final = 0.3
_MAX_CONNECTIONS: Final = 256

T = TypeVar("T")
_log = structlog.get_logger()


def make_client(url: str, *, timeout_seconds: float) -> Redis:
    """A pooled client whose every command ends within the time-out, one way or another."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        max_connections=_MAX_CONNECTIONS,
        health_check_interval=0,
        # The older protocol needs no greeting, so a new connection costs a round trip less.
        protocol=2,
    )


class Breaker:
    """Skips Redis for a second after a failure; one a process, shared by all clients.

    Thread-safe: threads that began before it tripped each finish their one attempt.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._closed_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether use is skipped just now."""
        return self._monotonic() < self._closed_at

    def trip(self) -> None:
        """Skip use from now on for a second."""
        self._closed_at = self._monotonic() + _PAUSE_SECONDS

    def attempt(self, what: str, action: Callable[[], T]) -> T | None:
        """Do it and return its result; None when skipped or failed, which is logged."""
        if self.is_open:
            return None
        began = self._monotonic()
        try:
            return action()
        except (RedisError, OSError) as failure:
            self.trip()
            _log.warning("redis_unavailable", action=what, error=type(failure).__name__)
            return None
        finally:
            # Slow costs a caller as much as gone.
            if self._monotonic() - began >= _SLOW_SECONDS:
                self.trip()

"""Redis for the event loop: short time-outs, no retries, and the process's breaker.

The asyncio counterpart of `common.redis_client`: it hurries, it never remembers, and a
stopped or frozen Redis costs a stream at most one time-out a second.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from common.redis_client import Breaker

_MAX_CONNECTIONS: Final = 64

T = TypeVar("T")
_log = structlog.get_logger()


def make_async_client(url: str, *, timeout_seconds: float) -> Redis:
    """A client whose every command ends within about the time-out."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_MAX_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        protocol=2,
    )
    return Redis(connection_pool=pool)


class RedisLink:
    """One Redis server as the stream process uses it, subscriptions aside."""

    def __init__(self, url: str, breaker: Breaker, *, timeout_seconds: float) -> None:
        self.client = make_async_client(url, timeout_seconds=timeout_seconds)
        self._breaker = breaker

    async def attempt(self, what: str, action: Callable[[], Awaitable[T]]) -> T | None:
        """Do it and return its result; None when skipped or failed, which is logged."""
        if self._breaker.is_open:
            return None
        try:
            return await action()
        except (RedisError, OSError) as failure:
            self._breaker.trip()
            _log.warning("redis_unavailable", action=what, error=type(failure).__name__)
            return None

    async def close(self) -> None:
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

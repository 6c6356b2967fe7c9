"""Look at the circuit breakers of providers, and open and close them by hand.

They live in Redis, where workers decide by them (`worker.llm_breaker`): what a person set
there is lost with it, and costs calls that fail or succeed, never data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

from common.domain.errors import Unavailable
from common.domain.provider_breaker import (
    HELD_OPEN_MS,
    OPEN_MS,
    WINDOW_MS,
    ProviderBreaker,
    read_breaker,
)
from common.live import provider_breaker_key
from common.redis_client import Breaker


class BreakerBoard:
    """All breakers; every method raises `Unavailable` when Redis cannot be asked."""

    def __init__(self, redis: Redis, guard: Breaker) -> None:
        self._redis = redis
        self._guard = guard

    def read(self, provider_ids: Sequence[str]) -> list[ProviderBreaker]:
        """The breakers of these providers, by their shown ids; one round trip."""
        answers = self._guard.attempt("read_breakers", lambda: self._read(provider_ids))
        if answers is None:
            raise _away()
        (seconds, microseconds), *hashes = answers
        now_ms = int(seconds) * 1000 + int(microseconds) // 1000
        return [
            read_breaker(provider_id, _as_text(found), now_ms=now_ms)
            for provider_id, found in zip(provider_ids, hashes, strict=True)
        ]

    def _read(self, provider_ids: Sequence[str]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.time()
        for provider_id in provider_ids:
            pipeline.hgetall(provider_breaker_key(provider_id))
        return pipeline.execute()

    def open(self, provider_id: str) -> None:
        """Let no call through for a day, or until it is closed."""
        if self._guard.attempt("open_breaker", lambda: self._open(provider_id)) is None:
            raise _away()

    def _open(self, provider_id: str) -> list[Any]:
        seconds, microseconds = self._redis.time()
        now_ms = int(seconds) * 1000 + int(microseconds) // 1000
        key = provider_breaker_key(provider_id)
        # Workers count from `opened`; one in the future holds for so much longer.
        opened = now_ms + HELD_OPEN_MS - OPEN_MS
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.delete(key)
        pipeline.hset(key, mapping={"opened": opened, "held": now_ms})
        pipeline.pexpire(key, HELD_OPEN_MS + WINDOW_MS)
        return pipeline.execute()

    def close(self, provider_id: str) -> None:
        """Let every call through, and forget all failures."""
        key = provider_breaker_key(provider_id)
        if self._guard.attempt("close_breaker", lambda: self._redis.delete(key)) is None:
            raise _away()


def _as_text(found: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def _away() -> Unavailable:
    return Unavailable("Redis, where circuit breakers are kept, cannot be reached just now")

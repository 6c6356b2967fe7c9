"""How often one address or account may try to get in, counted in Redis.

Without Redis each process counts for itself: a warning, and still a limit.  What is counted is
known by a digest, so that Redis holds no addresses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from hashlib import blake2b

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import Redis

from common import clock
from common.domain.errors import RateLimited
from common.live import LIMITS_PREFIX
from common.redis_client import Breaker


class Attempt(Enum):
    """What is tried; its limits for one address, and for one account wherever from."""

    LOGIN = ((RateLimitItemPerMinute(10),), (RateLimitItemPerMinute(10), RateLimitItemPerHour(60)))
    REGISTER = ((RateLimitItemPerMinute(5),), ())
    REFRESH = ((RateLimitItemPerMinute(30),), ())
    PASSWORD = ((RateLimitItemPerMinute(10),), (RateLimitItemPerMinute(5),))
    JOIN = ((RateLimitItemPerMinute(10),), ())


class LoginLimits:
    """One a process; thread-safe.  `redis` None: this process counts alone."""

    def __init__(self, redis: Redis | None = None, breaker: Breaker | None = None) -> None:
        self._breaker = breaker or Breaker()
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._shared = None if redis is None else FixedWindowRateLimiter(_storage(redis))

    def spend(self, attempt: Attempt, *, address: str, account: str | None = None) -> None:
        """Count an attempt.

        Raises:
            RateLimited: there were too many of that address, or on that account.
        """
        of_address, of_account = attempt.value
        self._spend(of_address, attempt.name, f"address {address}")
        if account is not None:
            self._spend(of_account, attempt.name, f"account {account}")

    def _spend(self, items: Sequence[RateLimitItem], attempt: str, whose: str) -> None:
        known_by = blake2b(whose.encode(), digest_size=16).hexdigest()
        for item in items:
            seconds = self._count(item, attempt, known_by)
            if seconds > 0:
                raise RateLimited(
                    "Tried too often; wait before trying again",
                    retry_after_seconds=seconds,
                    headers={},
                )

    def _count(self, item: RateLimitItem, *named: str) -> int:
        shared = self._shared
        if shared is not None:
            seconds = self._breaker.attempt("limit", lambda: _hit(shared, item, *named))
            if seconds is not None:
                return seconds
        return _hit(self._alone, item, *named)


def _hit(limiter: FixedWindowRateLimiter, item: RateLimitItem, *named: str) -> int:
    """Count once; 0, or how many seconds are left until it may be once more."""
    if limiter.hit(item, *named):
        return 0
    left = limiter.get_window_stats(item, *named).reset_time - clock.now().timestamp()
    return max(1, math.ceil(left))


def _storage(redis: Redis) -> RedisStorage:
    # The address is that of the pool, which is used as it is.
    return RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=LIMITS_PREFIX)

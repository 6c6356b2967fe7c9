"""Requests counted in Redis, all that one request is counted in by one round trip.

What is counted, and how, is the library's: a window that slides, by a counter of this
minute and one of the last.  Only that several counters are asked at once is ours, and that
a Redis that does not answer refuses nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from redis import Redis
from redis.exceptions import NoScriptError

from common.live import RATES_PREFIX
from common.redis_client import Breaker

WINDOW_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Count:
    """A counter that a request goes into: whose, as what, and the most a minute."""

    name: str
    whose: str
    most: int

    @property
    def item(self) -> RateLimitItem:
        return RateLimitItemPerMinute(self.most)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a counter stands after a request.

    Attributes:
        remaining: requests that it would let pass now.
        reset_seconds: until there is one more, rounded up.
    """

    count: Count
    is_exceeded: bool
    remaining: int
    reset_seconds: int


class RateCounts:
    """Thread-safe."""

    def __init__(self, redis: Redis, breaker: Breaker) -> None:
        self._storage = _Storage(redis)
        self._breaker = breaker

    def add(self, counts: Sequence[Count]) -> tuple[Standing, ...]:
        """Count a request; nothing is said of what could not be asked."""
        if not counts:
            return ()
        return self._breaker.attempt("rate_limit", lambda: self._storage.hit(counts)) or ()


class _Storage(RedisStorage):
    """The library's scripts, sent together."""

    def __init__(self, redis: Redis) -> None:
        super().__init__("redis://", connection_pool=redis.connection_pool, key_prefix=RATES_PREFIX)

    def hit(self, counts: Sequence[Count]) -> tuple[Standing, ...]:
        try:
            replies = self._send(counts)
        except NoScriptError:  # a Redis that was restarted, or is new
            for script in (self.lua_acquire_sliding_window, self.lua_sliding_window):
                self.storage.script_load(script.script)
            replies = self._send(counts)
        pairs = zip(replies[::2], replies[1::2], strict=True)
        return tuple(
            _standing(count, is_in=bool(is_in), window=window)
            for count, (is_in, window) in zip(counts, pairs, strict=True)
        )

    def _send(self, counts: Sequence[Count]) -> list[Any]:
        pipeline = self.storage.pipeline(transaction=False)
        for count in counts:
            item = count.item
            key = item.key_for(count.name, count.whose)
            keys = (
                self.prefixed_key(self._previous_window_key(key)),
                self.prefixed_key(self._current_window_key(key)),
            )
            acquire, read = self.lua_acquire_sliding_window.sha, self.lua_sliding_window.sha
            pipeline.evalsha(acquire, 2, *keys, item.amount, item.get_expiry(), 1)
            pipeline.evalsha(read, 2, *keys, item.get_expiry())
        replies: list[Any] = pipeline.execute()
        return replies


def _standing(count: Count, *, is_in: bool, window: Sequence[Any]) -> Standing:
    """From the library's window: of the last minute and of this one, count and milliseconds."""
    before, before_left, now, now_left = (max(0.0, float(value or 0)) for value in window)
    before_left, now_left = before_left / 1000, now_left / 1000
    used = math.floor(before * before_left / WINDOW_SECONDS) + now
    # The last minute's weight falls evenly; this one's begins to when it is over.
    resets = [before_left % (WINDOW_SECONDS / before)] if before else []
    resets += [now_left % WINDOW_SECONDS] if now else []
    return Standing(
        count=count,
        is_exceeded=not is_in,
        remaining=max(0, count.most - int(used)),
        reset_seconds=max(1, math.ceil(min(resets, default=0))),
    )

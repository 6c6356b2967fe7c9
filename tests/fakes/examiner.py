"""Stands for what an examination asks of Redis: breakers in memory, and a queue of any length."""

from collections.abc import Callable

import fakeredis

from common.examination import Examiner
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker
from common.settings import Settings


def examiner_of(settings: Settings, backlog: Callable[[], int | None] = lambda: 0) -> Examiner:
    """An examiner whose breakers begin closed."""
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)))
    return Examiner(settings, BreakerBoard(redis, Breaker()), backlog)

"""Attempts are counted together by all processes, and by each alone while Redis is gone."""

from collections.abc import Iterator

import pytest
from redis import Redis

from api.login_limits import Attempt, LoginLimits
from common.domain.errors import RateLimited
from common.redis_client import Breaker, make_client
from dev.valkey import Valkey


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = make_client(redis_url, timeout_seconds=1.0)
    yield client
    client.close()


def tried(limits: LoginLimits, *, address: str, account: str | None = None) -> int:
    """How often it may be until it may not."""
    for count in range(100):
        wait = seconds_to_wait(limits, address=address, account=account)
        if wait is not None:
            assert 1 <= wait <= 60
            return count
    raise AssertionError("there is no limit")


def seconds_to_wait(limits: LoginLimits, *, address: str, account: str | None) -> int | None:
    try:
        limits.spend(Attempt.LOGIN, address=address, account=account)
    except RateLimited as refused:
        return refused.retry_after_seconds
    return None


def test_processes_count_together(redis: Redis) -> None:
    one, other = LoginLimits(redis), LoginLimits(redis)

    assert tried(one, address="1.2.3.4") == 10
    assert tried(other, address="1.2.3.4") == 0
    assert tried(other, address="5.6.7.8", account="a") == 10
    assert tried(one, address="9.9.9.9", account="a") == 0


def test_redis_holds_no_address_and_nothing_for_long(redis: Redis) -> None:
    LoginLimits(redis).spend(Attempt.LOGIN, address="1.2.3.4", account="someone@example.com")

    names = [name.decode() for name in redis.scan_iter("everturn:limits*")]
    assert len(names) == 3
    assert not any("1.2.3.4" in name or "someone" in name for name in names)
    assert all(0 < redis.ttl(name) <= 3600 for name in names)


def test_without_redis_a_process_counts_for_itself(own_redis: Valkey) -> None:
    client = make_client(own_redis.url, timeout_seconds=0.3)
    limits = LoginLimits(client, Breaker())
    limits.spend(Attempt.LOGIN, address="1.2.3.4")
    own_redis.stop()

    assert tried(limits, address="1.2.3.4") == 10
    client.close()

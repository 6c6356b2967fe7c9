"""Who asks too often gets 429 with all that is needed to wait; who does not, nothing of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from redis import Connection, ConnectionPool, Redis

from api.app import create_app
from api.deps import Deps
from api.rate_counts import Count, RateCounts
from common.redis_client import Breaker, make_client
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import BOOTSTRAP, Holder, gate_of, guarded_deps

OFF = {
    "rate_limit_api_requests_per_minute": 0,
    "rate_limit_key_requests_per_minute": 0,
    "rate_limit_org_requests_per_minute": 0,
}
PATH = "/v1/agents"

Limited = Callable[..., Api]


@pytest.fixture
def counts(redis_url: str) -> Iterator[RateCounts]:
    client = make_client(redis_url, timeout_seconds=2)
    yield RateCounts(client, Breaker())
    client.close()


@pytest.fixture
def limited(deps: Deps, counts: RateCounts, document: Document) -> Iterator[Limited]:
    """Makes callers without a key of an api with these limits, and no others."""
    apps = []

    def make(*, is_open: bool = False, rates: RateCounts = counts, **limits: Any) -> Api:
        base = deps if is_open else guarded_deps(deps)
        settings = replace(base.settings, **{**OFF, **limits})
        app = create_app(replace(base, settings=settings, rates=rates))
        apps.append(app)
        return Api(app, {}, document)

    yield make
    for app in apps:
        gate_of(app).close()


def as_holder(nobody: Api, key_holder: Api) -> Api:
    return nobody.with_headers(Authorization=key_holder.headers["Authorization"])


def test_a_key_is_limited_and_says_so(limited: Limited, holder: Holder) -> None:
    nobody = limited(rate_limit_key_requests_per_minute=3)
    caller, other = as_holder(nobody, holder()), as_holder(nobody, holder())

    answers = [caller.get(PATH) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"key";q=3;w=60'] * 4
    remaining = [re.match(r'"key";r=(\d+);t=(\d+)$', a.headers["RateLimit"]) for a in answers]
    assert [match and match[1] for match in remaining] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.body["code"] == "rate_limited"
    assert refused.body["error"] == "Too many requests of this key: at most 3 a minute"
    assert 0 < refused.body["retry_after_seconds"] <= 60
    assert refused.headers["Retry-After"] == str(refused.body["retry_after_seconds"])
    assert other.get(PATH).status == 200


def test_an_organizations_keys_share_its_limit(limited: Limited, holder: Holder) -> None:
    nobody = limited(rate_limit_org_requests_per_minute=3)
    callers = [as_holder(nobody, holder()) for _ in range(4)]

    assert [caller.get(PATH).status for caller in callers] == [200, 200, 200, 429]
    assert nobody.with_headers(Authorization=f"Bearer {BOOTSTRAP}").get(PATH).status == 200


def test_an_address_is_limited_before_anybody_is_looked_up(limited: Limited) -> None:
    nobody = limited(rate_limit_api_requests_per_minute=2)
    here = nobody.with_headers(X_Forwarded_For="198.51.100.1, 203.0.113.7")
    there = nobody.with_headers(X_Forwarded_For="203.0.113.8")

    tries = [
        here.with_headers(Authorization=f"Bearer evr_pat_{number:064x}").get(PATH)
        for number in range(3)
    ]

    assert [answer.status for answer in tries] == [401, 401, 429]
    # Another first entry does not make another caller.
    assert nobody.with_headers(X_Forwarded_For="198.51.100.2, 203.0.113.7").get(PATH).status == 429
    assert there.get(PATH).status == 401


def test_routes_for_everyone_are_limited_by_address_and_health_is_not(limited: Limited) -> None:
    caller = limited(rate_limit_api_requests_per_minute=1).with_headers(
        X_Forwarded_For="203.0.113.9"
    )

    assert [caller.get("/v1/auth/config").status for _ in range(2)] == [200, 429]
    assert caller.get("/health").status == 200


def test_with_auth_off_only_other_machines_are_limited(limited: Limited) -> None:
    everything = dict.fromkeys(OFF, 1)
    anyone = limited(is_open=True, **everything)
    remote = anyone.with_headers(X_Forwarded_For="203.0.113.10")

    here = [anyone.get(PATH) for _ in range(3)]
    assert [answer.status for answer in here] == [200] * 3
    assert "RateLimit" not in here[-1].headers
    assert [remote.get(PATH).status for _ in range(2)] == [200, 429]


def test_a_body_that_is_refused_so_is_not_waited_for(limited: Limited, holder: Holder) -> None:
    caller = as_holder(limited(rate_limit_key_requests_per_minute=1), holder())
    caller.get(PATH)

    refused = caller.post(PATH, {"name": "x", "system_prompt": "y"})

    assert refused.status == 429
    assert refused.headers["Connection"] == "close"


def test_a_redis_that_is_away_limits_nobody_and_is_warned_of(
    limited: Limited, holder: Holder
) -> None:
    away = RateCounts(make_client("redis://127.0.0.1:1", timeout_seconds=0.3), Breaker())
    nobody = limited(rates=away, rate_limit_key_requests_per_minute=1)
    caller = as_holder(nobody, holder())

    with structlog.testing.capture_logs() as logs:
        answers = [caller.get(PATH) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert "RateLimit" not in answers[-1].headers
    warned = [line for line in logs if line["event"] == "redis_unavailable"]
    assert [(line["action"], line["log_level"]) for line in warned] == [("rate_limit", "warning")]


class Counting(Connection):
    """Counts what is sent, whatever the number of commands in it."""

    sent = 0

    def send_packed_command(self, *arguments: Any, **more: Any) -> None:
        Counting.sent += 1
        super().send_packed_command(*arguments, **more)  # type: ignore[no-untyped-call]


def test_all_limits_cost_one_round_trip(redis_url: str) -> None:
    pool = ConnectionPool.from_url(redis_url, connection_class=Counting, protocol=2)
    counts = RateCounts(Redis(connection_pool=pool), Breaker())
    all_three = [Count("address", "a", 9), Count("key", "k", 8), Count("organization", "o", 7)]
    counts.add(all_three)  # connects, and loads the scripts
    Counting.sent = 0

    standings = counts.add(all_three)

    assert Counting.sent == 1
    assert [standing.remaining for standing in standings] == [7, 6, 5]
    assert counts.add([]) == ()
    assert Counting.sent == 1
    pool.disconnect()


def test_what_is_counted_is_forgotten_after_two_minutes(redis_url: str, counts: RateCounts) -> None:
    counts.add([Count("key", "k", 5)])
    with Redis.from_url(redis_url, decode_responses=True) as client:
        keys = client.keys("everturn:rate:*")
        assert keys
        assert all(0 < client.ttl(key) <= 120 for key in keys)

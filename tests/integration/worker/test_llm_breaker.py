"""Breakers of model providers on a real Redis, shared by two workers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from common.clock import new_id
from common.domain.provider_breaker import OPEN_MS, THRESHOLD, WINDOW_MS
from common.live import provider_breaker_key
from common.redis_client import Breaker, make_client
from dev.valkey import Valkey
from worker.llm.driver import FailureReason
from worker.llm_breaker import ProviderBreaker, ProviderBreakers

_DOWN = FailureReason.UNAVAILABLE


@dataclass
class _Clock:
    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class _Two:
    """Two workers with the same Redis and the same time, and one provider."""

    redis: Redis
    clock: _Clock = field(default_factory=_Clock)
    provider_id: str = field(default_factory=lambda: f"provider_{new_id().hex}")

    def worker(self) -> ProviderBreaker:
        # Else an answer that a busy machine delays is taken for an outage, and goes uncounted.
        guard = Breaker(monotonic=lambda: 0.0)
        breakers = ProviderBreakers(self.redis, guard, now_ms=self.clock)
        return breakers.of(self.provider_id)

    def fail(self, times: int) -> None:
        for _ in range(times):
            call = self.worker()
            assert call.allows_call()
            call.note(_DOWN)

    @property
    def key(self) -> str:
        return provider_breaker_key(self.provider_id)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = make_client(redis_url, timeout_seconds=1.0)
    yield client
    client.close()


def test_failures_seen_by_one_worker_open_it_for_the_other(redis: Redis) -> None:
    two = _Two(redis)
    first, second = two.worker(), two.worker()
    for number in range(THRESHOLD):
        caller = first if number % 2 else second
        assert caller.allows_call()
        caller.note(_DOWN)
    assert not first.allows_call()
    assert not second.allows_call()
    other = ProviderBreakers(redis, Breaker(), now_ms=two.clock).of("provider_other")
    assert other.allows_call()


def test_failures_that_are_long_ago_do_not_count(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD - 1)
    two.clock.now += WINDOW_MS
    two.fail(THRESHOLD - 1)
    assert two.worker().allows_call()


def test_a_provider_that_answers_in_between_is_not_closed_off(redis: Redis) -> None:
    two = _Two(redis)
    for _ in range(3):
        two.fail(THRESHOLD - 1)
        call = two.worker()
        assert call.allows_call()
        call.note(None)
        assert redis.exists(two.key) == 0, "what was counted is forgotten"
    assert two.worker().allows_call()


def test_limits_of_the_rate_open_nothing_and_forgive_nothing(redis: Redis) -> None:
    two = _Two(redis)
    for _ in range(2 * THRESHOLD):
        call = two.worker()
        assert call.allows_call()
        call.note(FailureReason.RATE_LIMITED)
    two.fail(THRESHOLD - 1)
    limited = two.worker()
    limited.allows_call()
    limited.note(FailureReason.RATE_LIMITED)
    two.fail(1)
    assert not two.worker().allows_call()


def test_a_limit_of_the_rate_on_trial_leaves_the_next_trial_for_later(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD)
    two.clock.now += OPEN_MS
    trial = two.worker()
    assert trial.allows_call()
    trial.note(FailureReason.RATE_LIMITED)
    assert not two.worker().allows_call()
    two.clock.now += OPEN_MS
    assert two.worker().allows_call()


def test_a_call_that_began_before_does_not_close_an_open_breaker(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(1)
    slow = two.worker()
    assert slow.allows_call()
    two.fail(THRESHOLD - 1)
    slow.note(None)
    assert not two.worker().allows_call()


def test_after_half_a_minute_one_call_at_a_time_is_let_through(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD)
    two.clock.now += OPEN_MS - 1
    assert not two.worker().allows_call()
    two.clock.now += 1
    trial = two.worker()
    assert trial.allows_call()
    assert not two.worker().allows_call()
    trial.note(None)
    second = two.worker()
    assert second.allows_call()
    second.note(None)
    assert two.worker().allows_call()
    assert two.worker().allows_call(), "closed: all calls are let through"
    assert redis.exists(two.key) == 0


def test_a_failure_on_trial_opens_it_again(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD)
    two.clock.now += OPEN_MS
    trial = two.worker()
    trial.allows_call()
    trial.note(_DOWN)
    two.clock.now += OPEN_MS - 1
    assert not two.worker().allows_call()


def test_a_call_on_trial_whose_worker_died_does_not_block_for_ever(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD)
    two.clock.now += OPEN_MS
    assert two.worker().allows_call()
    two.clock.now += OPEN_MS
    assert two.worker().allows_call()


def test_what_it_keeps_in_redis_goes_away(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(1)
    ttl = redis.pttl(two.key)
    assert isinstance(ttl, int)
    assert WINDOW_MS <= ttl <= 2 * WINDOW_MS
    two.fail(THRESHOLD - 1)
    ttl = redis.pttl(two.key)
    assert isinstance(ttl, int)
    assert OPEN_MS < ttl <= 2 * WINDOW_MS


def test_redis_s_own_clock_counts_when_there_is_no_other(redis: Redis) -> None:
    provider_id = f"provider_{new_id().hex}"
    breakers = [ProviderBreakers(redis, Breaker()) for _ in range(2)]
    for number in range(THRESHOLD):
        assert breakers[number % 2].of(provider_id).allows_call()
        breakers[number % 2].of(provider_id).note(_DOWN)
    assert not any(each.of(provider_id).allows_call() for each in breakers)


def test_a_redis_that_forgot_the_script_is_told_it_again(redis: Redis) -> None:
    two = _Two(redis)
    two.fail(THRESHOLD - 1)
    redis.script_flush()
    two.fail(1)
    assert not two.worker().allows_call()


def test_a_redis_that_is_away_stops_nothing(own_redis: Valkey) -> None:
    client = make_client(own_redis.url, timeout_seconds=0.3)
    try:
        two = _Two(client)
        two.fail(THRESHOLD)
        assert not two.worker().allows_call()
        own_redis.stop()
        call = two.worker()
        assert call.allows_call()
        call.note(_DOWN)
        assert call.allows_call()
    finally:
        client.close()


class _Model:
    """The same breaker in words that can be read."""

    def __init__(self) -> None:
        self.failures: list[int] = []
        self.opened: int | None = None
        self.trial: int | None = None
        self.good = 0

    def _is_open(self, now: int) -> bool:
        return self.opened is not None and now - self.opened < OPEN_MS

    def ask(self, now: int) -> bool:
        if self.opened is None:
            return True
        if self._is_open(now) or (self.trial is not None and now - self.trial < OPEN_MS):
            return False
        self.trial = now
        return True

    def failed(self, now: int) -> None:
        if self._is_open(now):
            return
        recent = [each for each in self.failures if now - each < WINDOW_MS] + [now]
        if self.opened is not None or len(recent) >= THRESHOLD:
            self.opened, self.trial, self.good, self.failures = now, None, 0, []
        else:
            self.failures = recent

    def worked(self, now: int) -> None:
        if self.opened is None:
            self.failures = []
            return
        if self._is_open(now):
            return
        self.good, self.trial = self.good + 1, None
        if self.good == 2:
            self.opened, self.good = None, 0


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([1, 1000, 10_000, OPEN_MS, WINDOW_MS])),
        st.tuples(st.just("call"), st.sampled_from(["well", "down", "down", "dies"])),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_STEPS)
def test_it_decides_as_the_contract_says(redis: Redis, steps: list[tuple[str, object]]) -> None:
    two, model = _Two(redis), _Model()
    for kind, what in steps:
        if kind == "pass":
            assert isinstance(what, int)
            two.clock.now += what
            continue
        now, call = two.clock.now, two.worker()
        allowed = call.allows_call()
        assert allowed == model.ask(now)
        if not allowed or what == "dies":
            continue
        call.note(None if what == "well" else _DOWN)
        if what == "down":
            model.failed(now)
        else:
            model.worked(now)
    redis.delete(two.key)

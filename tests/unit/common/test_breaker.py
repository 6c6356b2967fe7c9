import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from structlog.testing import capture_logs

from common.redis_client import Breaker


class _Clock:
    """Monotonic time that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class _Redis:
    """Counts attempts and fails as it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.failure is not None:
            raise self.failure
        return "PONG"


_FAILURES = [RedisConnectionError("no"), RedisTimeoutError("slow"), ConnectionRefusedError()]


def test_what_works_goes_through() -> None:
    assert Breaker().attempt("ping", _Redis()) == "PONG"


@pytest.mark.parametrize("failure", _FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_failure_is_swallowed_and_use_is_skipped_for_a_second(failure: Exception) -> None:
    clock, redis = _Clock(), _Redis(failure)
    breaker = Breaker(monotonic=clock)
    assert breaker.attempt("ping", redis) is None
    assert breaker.is_open
    redis.failure = None
    clock.seconds += 0.99
    assert breaker.attempt("ping", redis) is None
    assert redis.attempts == 1
    clock.seconds += 0.02
    assert not breaker.is_open
    assert breaker.attempt("ping", redis) == "PONG"


def test_each_failure_starts_a_second_of_its_own() -> None:
    clock, redis = _Clock(), _Redis(RedisTimeoutError("slow"))
    breaker = Breaker(monotonic=clock)
    for attempt in range(1, 4):
        breaker.attempt("ping", redis)
        assert redis.attempts == attempt
        clock.seconds += 1.0


def test_who_sees_a_failure_elsewhere_can_trip_it() -> None:
    breaker, redis = Breaker(monotonic=_Clock()), _Redis()
    breaker.trip()
    assert breaker.attempt("ping", redis) is None
    assert redis.attempts == 0


def test_a_bug_is_not_taken_for_an_outage() -> None:
    breaker = Breaker()
    with pytest.raises(KeyError):
        breaker.attempt("ping", _Redis(KeyError("bug")))
    assert not breaker.is_open


def test_the_log_names_the_error_and_never_what_was_sent() -> None:
    with capture_logs() as logs:
        Breaker().attempt("push_text", _Redis(RedisConnectionError("secret words")))
    assert logs == [
        {
            "event": "redis_unavailable",
            "log_level": "warning",
            "action": "push_text",
            "error": "ConnectionError",
        }
    ]

"""A provider's breaker as one model call sees it; the decision itself is Redis's."""

from dataclasses import dataclass, field

import pytest

from worker.llm.driver import FailureReason
from worker.llm_breaker import ProviderBreaker

_REFUSED, _CLOSED, _TRIAL, _COUNTED = 0, 1, 2, 3


@dataclass
class _Verdicts:
    """Answers in turn, None for a Redis that cannot be asked."""

    verdicts: list[int | None]
    told: list[str] = field(default_factory=list)

    def __call__(self, what: str) -> int | None:
        self.told.append(what)
        return self.verdicts.pop(0)


def _told(verdict: int | None, reason: FailureReason | None) -> list[str]:
    """What Redis hears of a call that was allowed so and ended so."""
    redis = _Verdicts([verdict, _CLOSED])
    breaker = ProviderBreaker(redis)
    assert breaker.allows_call()
    breaker.note(reason)
    return redis.told


def test_a_call_that_goes_well_costs_one_question() -> None:
    assert _told(_CLOSED, None) == ["ask"]


def test_an_open_breaker_allows_no_call() -> None:
    assert not ProviderBreaker(_Verdicts([_REFUSED])).allows_call()


def test_without_redis_every_call_is_allowed() -> None:
    assert _told(None, None) == ["ask"]
    assert _told(None, FailureReason.UNAVAILABLE) == ["ask", "failed"]


@pytest.mark.parametrize("verdict", [_CLOSED, _COUNTED, _TRIAL])
def test_a_failure_is_told(verdict: int) -> None:
    assert _told(verdict, FailureReason.UNAVAILABLE) == ["ask", "failed"]


@pytest.mark.parametrize("verdict", [_COUNTED, _TRIAL])
def test_a_success_is_told_where_something_comes_of_it_and_once(verdict: int) -> None:
    redis = _Verdicts([verdict, _CLOSED])
    breaker = ProviderBreaker(redis)
    assert breaker.allows_call()
    breaker.note(None)
    breaker.note(None)
    assert redis.told == ["ask", "worked"]


@pytest.mark.parametrize("verdict", [_CLOSED, _COUNTED, _TRIAL])
def test_a_limit_of_the_rate_is_neither_failure_nor_success(verdict: int) -> None:
    assert _told(verdict, FailureReason.RATE_LIMITED) == ["ask"]


@pytest.mark.parametrize(
    "reason",
    sorted(set(FailureReason) - {FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED}),
)
def test_what_is_wrong_with_request_or_key_is_no_failure_of_the_provider_s(
    reason: FailureReason,
) -> None:
    assert _told(_TRIAL, reason) == ["ask", "worked"], "it has answered, after all"

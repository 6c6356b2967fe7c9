"""A provider's breaker as one model call sees it; the decision itself is Redis's."""

from dataclasses import dataclass, field

import pytest

from worker.llm.driver import FailureReason
from worker.llm_breaker import ProviderBreaker

_CLOSED, _REFUSED, _TRIAL = 1, 0, 2


@dataclass
class _Verdicts:
    """Answers in turn, None for a Redis that cannot be asked."""

    verdicts: list[int | None]
    told: list[str] = field(default_factory=list)

    def __call__(self, what: str) -> int | None:
        self.told.append(what)
        return self.verdicts.pop(0)


def test_a_call_that_goes_well_costs_one_question() -> None:
    redis = _Verdicts([_CLOSED])
    breaker = ProviderBreaker(redis)
    assert breaker.allows_call()
    assert breaker.note(None)
    assert redis.told == ["ask"]


def test_an_open_breaker_allows_no_call() -> None:
    assert not ProviderBreaker(_Verdicts([_REFUSED])).allows_call()


def test_without_redis_every_call_is_allowed() -> None:
    breaker = ProviderBreaker(_Verdicts([None, None, None]))
    assert breaker.allows_call()
    assert breaker.note(FailureReason.UNAVAILABLE)
    assert breaker.note(None)


@pytest.mark.parametrize("verdict", [_CLOSED, _REFUSED])
def test_a_failure_is_told_and_may_open_it(verdict: int) -> None:
    redis = _Verdicts([_CLOSED, verdict])
    breaker = ProviderBreaker(redis)
    breaker.allows_call()
    assert breaker.note(FailureReason.RATE_LIMITED) == (verdict == _CLOSED)
    assert redis.told == ["ask", "failed"]


def test_a_call_on_trial_tells_of_its_success_once() -> None:
    redis = _Verdicts([_TRIAL, _CLOSED])
    breaker = ProviderBreaker(redis)
    assert breaker.allows_call()
    assert breaker.note(None)
    assert breaker.note(None)
    assert redis.told == ["ask", "worked"]


@pytest.mark.parametrize(
    "reason",
    sorted(set(FailureReason) - {FailureReason.UNAVAILABLE, FailureReason.RATE_LIMITED}),
)
def test_what_is_wrong_with_request_or_key_is_no_failure_of_the_provider_s(
    reason: FailureReason,
) -> None:
    redis = _Verdicts([_TRIAL, _CLOSED])
    breaker = ProviderBreaker(redis)
    breaker.allows_call()
    assert breaker.note(reason)
    assert redis.told == ["ask", "worked"], "it has answered, after all"

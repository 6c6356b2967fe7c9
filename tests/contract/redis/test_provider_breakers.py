"""What the board shows and sets is what workers decide by."""

from datetime import UTC, datetime, timedelta

import pytest

from common.domain.errors import Unavailable
from common.domain.provider_breaker import HELD_OPEN_MS, OPEN_MS, BreakerState, ProviderBreaker
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker, make_client
from tests.contract.redis.conftest import Server
from worker.llm.driver import FailureReason
from worker.llm_breaker import ProviderBreakers

NAME = "provider_" + "1" * 32


def board(server: Server) -> BreakerBoard:
    return BreakerBoard(server.client(), Breaker())


def shown(server: Server) -> ProviderBreaker:
    (found,) = board(server).read([NAME])
    return found


def fail(server: Server, times: int) -> None:
    breakers = ProviderBreakers(server.client(), Breaker())
    for _ in range(times):
        breakers.of(NAME).note(FailureReason.UNAVAILABLE)


def allows(server: Server, *, in_ms: int = 0) -> bool:
    now = round(datetime.now(tz=UTC).timestamp() * 1000) + in_ms  # noqa: TID251 - Redis's is the same
    return ProviderBreakers(server.client(), Breaker(), now_ms=lambda: now).of(NAME).allows_call()


def test_one_of_which_nothing_is_known_is_closed(server: Server) -> None:
    assert shown(server) == ProviderBreaker(provider_id=NAME)


def test_failures_are_counted_until_they_open_it(server: Server) -> None:
    fail(server, 2)
    found = shown(server)
    assert (found.state, found.failure_count) == (BreakerState.CLOSED, 2)
    assert found.last_failure_at == found.updated_at is not None
    fail(server, 3)
    found = shown(server)
    assert (found.state, found.failure_count, found.is_held) == (BreakerState.OPEN, 5, False)
    assert found.opened_at is not None
    assert found.open_until == found.opened_at + timedelta(milliseconds=OPEN_MS)


def test_one_that_was_open_for_long_enough_lets_a_call_through_on_trial(server: Server) -> None:
    fail(server, 5)
    key = f"everturn:breaker:{{{NAME}}}"
    opened = int(server.client().hget(key, "opened") or 0) - OPEN_MS
    server.client().hset(key, "opened", str(opened))
    found = shown(server)
    assert (found.state, found.success_count) == (BreakerState.HALF_OPEN, 0)
    assert found.half_open_at is not None
    assert found.open_until is None
    breaker = ProviderBreakers(server.client(), Breaker()).of(NAME)
    assert breaker.allows_call()
    breaker.note(None)
    assert shown(server).success_count == 1


def test_one_that_a_person_opened_stays_open_until_it_is_closed(server: Server) -> None:
    fail(server, 2)
    board(server).open(NAME)
    found = shown(server)
    assert (found.state, found.is_held, found.failure_count) == (BreakerState.OPEN, True, 0)
    assert not allows(server)
    fail(server, 3)
    assert not allows(server, in_ms=HELD_OPEN_MS - 10_000)
    assert shown(server) == found
    board(server).close(NAME)
    assert shown(server).state is BreakerState.CLOSED
    assert allows(server)


def test_one_that_a_person_opened_is_tried_again_after_a_day(server: Server) -> None:
    board(server).open(NAME)
    assert allows(server, in_ms=HELD_OPEN_MS + 1_000)
    board(server).close(NAME)


def test_without_redis_nothing_can_be_said() -> None:
    away = BreakerBoard(make_client("redis://127.0.0.1:1/0", timeout_seconds=0.2), Breaker())
    for ask in (lambda: away.read([NAME]), lambda: away.open(NAME), lambda: away.close(NAME)):
        with pytest.raises(Unavailable):
            ask()

import threading
from collections.abc import Callable

import pytest
import structlog

from tests.conditions import wait_until
from worker.capabilities.preparation import Preparation, Stopped

_PATIENCE = 10.0


def _raise(failure: Exception) -> None:
    raise failure


def test_nothing_to_prepare_takes_no_time() -> None:
    assert Preparation(seconds=0).results([]) == []


def test_results_come_in_the_order_of_the_work_whatever_its_end() -> None:
    broken = ValueError("no")
    last_ran = threading.Event()
    work: list[Callable[[], object]] = [
        lambda: last_ran.wait(_PATIENCE),
        lambda: _raise(broken),
        last_ran.set,
    ]
    assert Preparation().results(work) == [True, broken, None]


def test_all_of_it_is_under_way_at_the_same_time() -> None:
    meeting = threading.Barrier(12)
    places = Preparation().results([lambda: meeting.wait(_PATIENCE)] * 12)
    assert sorted(place for place in places if isinstance(place, int)) == list(range(12))


def test_more_than_is_done_at_once_is_done_all_the_same() -> None:
    assert Preparation().results([lambda n=n: n for n in range(200)]) == list(range(200))  # type: ignore[misc]


def test_what_is_late_is_left_behind_and_hears_of_it() -> None:
    heard, released = threading.Event(), threading.Event()
    preparation = Preparation(seconds=1.0)

    def late() -> None:
        wait_until(preparation.is_over, description="time is up")
        heard.set()
        released.wait(_PATIENCE)

    missing, done = preparation.results([late, lambda: "done"])
    assert isinstance(missing, TimeoutError)
    assert done == "done"
    assert heard.wait(_PATIENCE)
    released.set()


def test_a_stopped_turn_waits_for_nothing() -> None:
    stopped, released = threading.Event(), threading.Event()

    def hangs() -> None:
        stopped.set()
        released.wait(_PATIENCE)

    preparation = Preparation(is_stopped=stopped.is_set)
    with pytest.raises(Stopped):
        preparation.results([hangs])
    assert preparation.is_over()
    released.set()


def test_what_is_logged_says_of_which_turn() -> None:
    with structlog.contextvars.bound_contextvars(turn_id="t-1"):
        (seen,) = Preparation().results([structlog.contextvars.get_contextvars])
    assert seen == {"turn_id": "t-1"}

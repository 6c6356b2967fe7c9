"""What Celery, and so Flower, is told of a turn's run."""

from uuid import UUID

import pytest

from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.turn import Claim
from worker.tasks import TurnNotRun, _shown
from worker.turn.entry import Ran

_CLAIM = Claim(UUID(int=1), UUID(int=2), DEFAULT_ORGANIZATION, 3, 2, 0, 1, "m")


@pytest.mark.parametrize("outcome", ["completed", "failed", "waiting", "handed_over", "taken_away"])
def test_what_a_worker_did_as_it_should_is_a_success(outcome: str) -> None:
    assert _shown(Ran(outcome, _CLAIM)) == {
        "outcome": outcome,
        "turn": show_id(Kind.TURN, _CLAIM.turn_id),
        "session": show_id(Kind.SESSION, UUID(int=2)),
        "organization": show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION),
        "attempt": 2,
    }


def test_a_wake_up_that_came_twice_is_a_success_too() -> None:
    assert _shown(Ran("not_queued")) == {"outcome": "not_queued"}


def test_a_fault_of_ours_is_a_failure_without_its_words() -> None:
    try:
        int("what the user said")
    except ValueError:
        with pytest.raises(TurnNotRun) as told:
            _shown(Ran("crashed", is_fault=True))
    assert str(told.value) == "crashed"
    assert told.value.__suppress_context__

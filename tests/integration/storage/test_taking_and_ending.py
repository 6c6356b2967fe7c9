"""What goes in together: the lock and the claim, the last events and the turn's end."""

import pytest

from common.clock import new_id
from common.domain.errors import LeaseLost
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.turn import TurnStatus
from common.storage import log, turns
from tests.integration.storage.conftest import Rows, some_events, user_message


def test_a_claim_that_waited_for_a_message_knows_what_the_message_asks(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    asking = user_message("in haste")
    asking.data["message"]["controls"] = {"max_tokens": 7}
    with rows.database.transaction() as tx:
        log.append_input(tx, DEFAULT_ORGANIZATION, session_id, asking, turn_id=new_id())
        (waiting,) = rows.at_once(lambda: rows.claim(turn_id))
        rows.wait_for_blocked()
    claim = waiting.result()
    assert claim is not None
    assert claim.controls == {"max_tokens": 7}
    assert (claim.epoch, claim.input_sequence) == (1, 1)


@pytest.mark.parametrize(
    ("fence", "refused"),
    [(log.Fence(9), LeaseLost), (log.Fence(1, last_input=0), log.NewInput)],
)
def test_an_append_that_is_refused_ends_no_turn(
    rows: Rows, fence: log.Fence, refused: type[Exception]
) -> None:
    session_id = rows.session()
    claim = rows.claimed(session_id)
    end = log.End(claim.turn_id, TurnStatus.COMPLETED)
    with rows.database.transaction() as tx, pytest.raises(refused):
        log.append(tx, session_id, some_events(2), fence=fence, beside=end)
    assert rows.turn(claim.turn_id)["status"] == "running"
    assert len(rows.events(session_id)) == 1


def test_an_append_ends_its_turn_though_the_lease_is_being_renewed(rows: Rows) -> None:
    session_id = rows.session()
    claim = rows.claimed(session_id)
    end = log.End(claim.turn_id, TurnStatus.COMPLETED)

    def last() -> None:
        with rows.database.transaction() as tx:
            log.append(tx, session_id, some_events(2), fence=log.Fence(claim.epoch), beside=end)

    with rows.database.transaction() as tx:
        turns.renew(tx, {claim.turn_id: claim.epoch}, lease_seconds=60)
        (ended,) = rows.at_once(last)
        rows.wait_for_blocked()
    ended.result()
    turn = rows.turn(claim.turn_id)
    assert (turn["status"], turn["lease_owner"], turn["lease_until"]) == ("completed", None, None)
    assert len(rows.events(session_id)) == 3

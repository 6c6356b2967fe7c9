from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.errors import LeaseLost
from common.domain.turn import Claim, TurnStatus
from common.storage import log, turns
from common.storage.engine import Tx
from tests.integration.storage.conftest import Rows, some_events


def _renew(rows: Rows, *claims: Claim, lease_seconds: float = 15) -> tuple[set[UUID], set[UUID]]:
    with rows.database.transaction() as tx:
        return turns.renew(
            tx, {claim.turn_id: claim.epoch for claim in claims}, lease_seconds=lease_seconds
        )


def _requeue(rows: Rows, *, limit: int = 10) -> list[UUID]:
    with rows.database.transaction() as tx:
        return list(turns.requeue_expired(tx, limit=limit))


def _take_due(rows: Rows, *, limit: int = 10) -> list[UUID]:
    with rows.database.transaction() as tx:
        return [queued.turn_id for queued in turns.take_due(tx, limit=limit)]


def _make_due(rows: Rows, turn_id: UUID) -> None:
    rows.run("UPDATE turns SET available_at = now() - interval '1 s' WHERE id = :id", id=turn_id)


def _let_expire(rows: Rows, claim: Claim) -> None:
    rows.run(
        "UPDATE turns SET lease_until = now() - interval '1 s' WHERE id = :id", id=claim.turn_id
    )


# --- claiming --------------------------------------------------------------------


def test_a_claim_says_all_that_a_worker_needs(rows: Rows) -> None:
    session_id = rows.session()
    rows.append(session_id, some_events(2))
    turn_id = rows.post(session_id)
    claim = rows.claim(turn_id, owner="worker-7", lease_seconds=15)
    message = rows.events(session_id)[2].data["message"]
    assert claim is not None
    assert claim.input_message_id == message["id"]
    assert (claim.session_id, claim.input_sequence) == (session_id, 3)
    assert (claim.epoch, claim.attempt, claim.reclaims) == (1, 1, 0)
    turn = rows.turn(turn_id)
    assert (turn["status"], turn["epoch"], turn["lease_owner"]) == ("running", 1, "worker-7")
    assert 13 < turn["lease_left"] <= 15
    assert rows.head(session_id)["epoch"] == 1


def test_of_many_workers_one_gets_the_turn_and_the_epoch_is_raised_once(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    futures = rows.at_once(*[lambda: rows.claim(turn_id)] * 8)
    won = [claim for claim in (future.result() for future in futures) if claim is not None]
    assert len(won) == 1
    turn = rows.turn(turn_id)
    assert rows.head(session_id)["epoch"] == turn["epoch"] == won[0].epoch == 1
    assert turn["attempt"] == 1


def test_a_claim_waits_for_the_one_before_it_and_then_changes_nothing(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    with rows.database.transaction() as tx:
        assert turns.claim(tx, turn_id, owner="first", lease_seconds=15) is not None
        (second,) = rows.at_once(lambda: rows.claim(turn_id, owner="second"))
        rows.wait_for_blocked()
    assert second.result() is None
    assert rows.turn(turn_id)["lease_owner"] == "first"
    assert rows.head(session_id)["epoch"] == 1


def test_a_claim_that_is_rolled_back_leaves_the_turn_to_who_waits(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    with rows.database.engine.connect() as connection:
        connection.begin()
        assert turns.claim(connection, turn_id, owner="first", lease_seconds=15) is not None
        (second,) = rows.at_once(lambda: rows.claim(turn_id, owner="second"))
        rows.wait_for_blocked()
        connection.rollback()
    claim = second.result()
    assert claim is not None
    assert (claim.epoch, claim.attempt) == (1, 1)


@pytest.mark.parametrize(
    "status", ["running", "waiting", "completed", "failed", "cancelled", "sealed"]
)
def test_a_delivery_of_a_turn_that_is_not_queued_claims_nothing(rows: Rows, status: str) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    rows.run("UPDATE turns SET status = :status WHERE id = :id", status=status, id=turn_id)
    before = rows.turn(turn_id)
    assert rows.claim(turn_id) is None
    after = rows.turn(turn_id)
    assert {**after, "due_in": 0} == {**before, "due_in": 0}
    assert rows.head(session_id)["epoch"] == 0


def test_a_delivery_of_a_turn_that_was_never_there_claims_nothing(rows: Rows) -> None:
    assert rows.claim(new_id()) is None


def test_a_turn_that_the_session_no_longer_has_open_cannot_be_claimed(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    rows.run("UPDATE session_heads SET open_turn_id = NULL WHERE session_id = :id", id=session_id)
    assert rows.claim(turn_id) is None


def test_a_turn_is_claimed_again_only_as_a_reclaim(rows: Rows) -> None:
    session_id = rows.session()
    first = rows.claimed(session_id)
    for reclaims in (1, 2, 3):
        _let_expire(rows, first)
        assert _requeue(rows) == [first.turn_id]
        again = rows.claim(first.turn_id)
        assert again is not None
        assert (again.attempt, again.reclaims) == (1 + reclaims, reclaims)
        # Taking it back raises the epoch as well as claiming it does.
        assert again.epoch == rows.head(session_id)["epoch"] == 1 + 2 * reclaims


def test_progress_forgets_the_reclaims_of_its_holder_alone(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    rows.run("UPDATE turns SET reclaims = 2 WHERE id = :id", id=claim.turn_id)
    for epoch, left in ((claim.epoch - 1, 2), (claim.epoch, 0)):
        with rows.database.transaction() as tx:
            turns.record_progress(tx, claim.turn_id, epoch=epoch)
        assert rows.turn(claim.turn_id)["reclaims"] == left


# --- leases -------------------------------------------------------------------------


def test_a_lease_is_prolonged_by_the_database_s_clock(rows: Rows) -> None:
    claim = rows.claimed(rows.session(), lease_seconds=1)
    assert _renew(rows, claim, lease_seconds=30) == ({claim.turn_id}, set())
    assert 28 < rows.turn(claim.turn_id)["lease_left"] <= 30


def test_an_expired_lease_that_nobody_took_is_prolonged(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    _let_expire(rows, claim)
    assert _renew(rows, claim) == ({claim.turn_id}, set())
    assert _requeue(rows) == []


def test_a_lease_that_was_taken_away_is_told_as_lost(rows: Rows) -> None:
    kept, expired = rows.claimed(rows.session()), rows.claimed(rows.session())
    _let_expire(rows, expired)
    _requeue(rows)
    gone = Claim(new_id(), new_id(), new_id(), 1, 1, 0, 1, "m")
    assert _renew(rows, kept, expired, gone) == (
        {kept.turn_id},
        {expired.turn_id, gone.turn_id},
    )
    assert rows.turn(expired.turn_id)["lease_until"] is None
    # Taken by somebody else meanwhile: running again, but under another epoch.
    assert rows.claim(expired.turn_id, lease_seconds=5) is not None
    assert _renew(rows, expired) == (set(), {expired.turn_id})
    assert rows.turn(expired.turn_id)["lease_left"] <= 5


@pytest.mark.parametrize("status", [TurnStatus.COMPLETED, TurnStatus.CANCELLED])
def test_a_turn_that_has_ended_is_told_as_lost(rows: Rows, status: TurnStatus) -> None:
    claim = rows.claimed(rows.session())
    with rows.database.transaction() as tx:
        turns.end(tx, claim.turn_id, status)
    assert _renew(rows, claim) == (set(), {claim.turn_id})


def test_a_turn_whose_row_is_locked_is_neither_renewed_nor_lost(rows: Rows) -> None:
    locked, free = rows.claimed(rows.session()), rows.claimed(rows.session())
    with rows.database.transaction() as tx:
        turns.record_progress(tx, locked.turn_id, epoch=locked.epoch)
        (renewed,) = rows.at_once(lambda: _renew(rows, locked, free))
        assert renewed.result(timeout=5) == ({free.turn_id}, set())
    assert _renew(rows, locked) == ({locked.turn_id}, set())


def test_ending_a_turn_gives_its_lease_up_and_happens_once(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    for status in (TurnStatus.FAILED, TurnStatus.COMPLETED):
        with rows.database.transaction() as tx:
            turns.end(tx, claim.turn_id, status)
    turn = rows.turn(claim.turn_id)
    assert (turn["status"], turn["lease_until"], turn["lease_owner"]) == ("failed", None, None)
    assert turn["ended_at"] is not None


# --- the sweeper ---------------------------------------------------------------------


def test_only_turns_whose_lease_ran_out_are_taken_back(rows: Rows) -> None:
    expired, held = rows.claimed(rows.session()), rows.claimed(rows.session())
    queued = rows.post(rows.session())
    _let_expire(rows, expired)
    assert _requeue(rows) == [expired.turn_id]
    turn = rows.turn(expired.turn_id)
    head = rows.head(expired.session_id)
    assert (turn["status"], turn["sends"], turn["lease_owner"]) == ("queued", 0, None)
    assert turn["epoch"] == head["epoch"] == expired.epoch + 1
    assert turn["due_in"] <= 0, "to be sent at once"
    assert rows.turn(held.turn_id)["status"] == "running"
    assert rows.turn(queued)["epoch"] == 0


def test_a_worker_whose_turn_was_taken_back_writes_nothing_more(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    _let_expire(rows, claim)
    _requeue(rows)
    with pytest.raises(LeaseLost):
        rows.append(claim.session_id, some_events(1), epoch=claim.epoch)


def _locking_head(tx: Tx, claim: Claim) -> None:
    log.append(tx, claim.session_id, some_events(1), fence=log.Fence(claim.epoch))


def _locking_turn(tx: Tx, claim: Claim) -> None:
    turns.record_progress(tx, claim.turn_id, epoch=claim.epoch)


@pytest.mark.parametrize("locking", [_locking_head, _locking_turn])
def test_what_is_locked_is_left_for_the_next_round(
    rows: Rows, locking: Callable[[Tx, Claim], None]
) -> None:
    busy, expired = rows.claimed(rows.session()), rows.claimed(rows.session())
    _let_expire(rows, busy)
    _let_expire(rows, expired)
    with rows.database.transaction() as tx:
        locking(tx, busy)
        (swept,) = rows.at_once(lambda: _requeue(rows))
        assert swept.result(timeout=5) == [expired.turn_id]
    assert _requeue(rows) == [busy.turn_id]


def test_sweepers_at_the_same_time_share_the_work(rows: Rows) -> None:
    claims = [rows.claimed(rows.session()) for _ in range(12)]
    for claim in claims:
        _let_expire(rows, claim)
    futures = rows.at_once(*[lambda: _requeue(rows, limit=4)] * 4)
    taken = [turn_id for future in futures for turn_id in future.result()]
    taken += _requeue(rows, limit=100)
    assert sorted(taken) == sorted(claim.turn_id for claim in claims)
    assert {rows.head(claim.session_id)["epoch"] for claim in claims} == {2}


def test_the_longest_expired_come_first(rows: Rows) -> None:
    claims = [rows.claimed(rows.session()) for _ in range(3)]
    for age, claim in zip((5, 9, 7), claims, strict=True):
        rows.run(
            "UPDATE turns SET lease_until = now() - make_interval(secs => :age) WHERE id = :id",
            age=age,
            id=claim.turn_id,
        )
    assert set(_requeue(rows, limit=2)) == {claims[1].turn_id, claims[2].turn_id}


def test_a_new_turn_is_first_sent_again_after_five_seconds(rows: Rows) -> None:
    turn_id = rows.post(rows.session())
    assert _take_due(rows) == []
    assert 4 < rows.turn(turn_id)["due_in"] <= 5


def test_each_send_doubles_the_pause_up_to_five_minutes(rows: Rows) -> None:
    turn_id = rows.post(rows.session())
    rows.run("UPDATE turns SET sends = 0 WHERE id = :id", id=turn_id)
    pauses = []
    for sends in range(1, 9):
        _make_due(rows, turn_id)
        assert _take_due(rows) == [turn_id]
        assert _take_due(rows) == [], "taken is postponed"
        turn = rows.turn(turn_id)
        assert turn["sends"] == sends
        pauses.append(round(turn["due_in"]))
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    rows.run("UPDATE turns SET sends = 30000 WHERE id = :id", id=turn_id)
    _make_due(rows, turn_id)
    assert _take_due(rows) == [turn_id]


def test_only_queued_turns_are_sent_and_locked_ones_are_left(rows: Rows) -> None:
    running, locked, due = (
        rows.claimed(rows.session()),
        rows.post(rows.session()),
        rows.post(rows.session()),
    )
    for turn_id in (running.turn_id, locked, due):
        _make_due(rows, turn_id)
    with rows.database.transaction() as tx:
        tx.execute(text("SELECT 1 FROM turns WHERE id = :id FOR UPDATE"), {"id": locked})
        (taken,) = rows.at_once(lambda: _take_due(rows))
        assert taken.result(timeout=5) == [due]
    assert _take_due(rows) == [locked]


def test_a_priority_goes_with_the_turn(rows: Rows) -> None:
    turn_id = rows.post(rows.session())
    rows.run("UPDATE turns SET priority = 3 WHERE id = :id", id=turn_id)
    _make_due(rows, turn_id)
    with rows.database.transaction() as tx:
        (due,) = turns.take_due(tx, limit=1)
        assert (due.turn_id, due.priority, due.attempt) == (turn_id, 3, 0)


# --- handing over ----------------------------------------------------------------------


def _hand_over(rows: Rows, claim: Claim) -> None:
    with rows.database.transaction() as tx:
        head, _ = log.append(
            tx,
            claim.session_id,
            [],
            fence=log.Fence(claim.epoch),
            change=log.HeadChange(raises_epoch=True),
        )
        turns.hand_over(tx, claim.turn_id, epoch=head.epoch)


def test_a_turn_that_was_handed_over_counts_as_no_reclaim(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    _hand_over(rows, claim)
    turn = rows.turn(claim.turn_id)
    assert (turn["status"], turn["lease_until"], turn["epoch"]) == ("queued", None, 2)
    assert 4 < turn["due_in"] <= 5, "its worker sends it itself"
    again = rows.claim(claim.turn_id)
    assert again is not None
    assert (again.attempt, again.reclaims, again.epoch) == (2, 0, 3)
    # That it was handed over is over with the claim: the next loss counts.
    _let_expire(rows, again)
    _requeue(rows)
    third = rows.claim(claim.turn_id)
    assert third is not None
    assert third.reclaims == 1


def test_who_handed_a_turn_over_writes_nothing_more(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    _hand_over(rows, claim)
    with pytest.raises(LeaseLost):
        rows.append(claim.session_id, some_events(1), epoch=claim.epoch)
    assert _renew(rows, claim) == (set(), {claim.turn_id})


# --- cancelling, as the API does it -----------------------------------------------------


def _cancel(tx: Tx, claim: Claim) -> None:
    head = log.lock(tx, claim.organization_id, claim.session_id)
    assert head is not None
    change = log.HeadChange(raises_epoch=True, sets_open_turn=True)
    log.append(tx, claim.session_id, [], fence=log.Fence(head.epoch), change=change)
    turns.end(tx, claim.turn_id, TurnStatus.CANCELLED)


def test_a_cancel_wins_over_a_claim_that_waits_for_it(rows: Rows) -> None:
    session_id = rows.session()
    turn_id = rows.post(session_id)
    queued = Claim(turn_id, session_id, _organization(rows, turn_id), 0, 0, 0, 1, "m")
    with rows.database.transaction() as tx:
        _cancel(tx, queued)
        (claim,) = rows.at_once(lambda: rows.claim(turn_id))
        rows.wait_for_blocked()
    assert claim.result() is None
    assert rows.turn(turn_id)["status"] == "cancelled"
    assert rows.head(session_id)["epoch"] == 1


def _organization(rows: Rows, turn_id: UUID) -> UUID:
    organization_id: UUID = rows.turn(turn_id)["organization_id"]
    return organization_id


def test_a_cancel_fences_off_the_worker_in_every_state(rows: Rows) -> None:
    claim = rows.claimed(rows.session())
    with rows.database.transaction() as tx:
        _cancel(tx, claim)
    with pytest.raises(LeaseLost):
        rows.append(claim.session_id, some_events(1), epoch=claim.epoch)
    assert rows.claim(claim.turn_id) is None
    assert rows.post(claim.session_id) != claim.turn_id, "the next message opens a turn of its own"

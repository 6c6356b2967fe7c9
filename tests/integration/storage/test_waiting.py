"""Waiting turns in storage: one answer a call, whoever asks at the same moment."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.turn import Claim, SessionStatus
from common.domain.waiting import Waiting, WaitKind, late
from common.storage import log, turns, waiting
from common.storage.log import Fence, HeadChange
from tests.integration.storage.conftest import Rows


def wait(rows: Rows, session_id: UUID, *calls: str, seconds: float = 300) -> Claim:
    """A claimed turn of the session that waits for the results of these calls."""
    claim = rows.claimed(session_id)
    asked = [{"id": each, "name": "look_up", "arguments": {}} for each in calls]
    data = {"tool_calls": asked, "deadline_seconds": seconds}
    with rows.database.transaction() as tx:
        head, _ = log.append(
            tx,
            session_id,
            [EventDraft(EventType.TOOL_CALL_REQUESTED, data, {"exec_id": "e"})],
            fence=Fence(claim.epoch),
            change=HeadChange(status=SessionStatus.WAITING),
        )
        until = head.last_ts + timedelta(seconds=seconds)
        turns.suspend(tx, claim.turn_id, sequence=head.last_sequence, until=until)
    return claim


def seen(rows: Rows, session_id: UUID) -> Waiting | None:
    with rows.database.transaction() as tx:
        return waiting.of_session(tx, DEFAULT_ORGANIZATION, session_id)


def sweep(rows: Rows) -> UUID | None:
    """Answer the turn that is longest overdue; returns its session."""
    with rows.database.transaction() as tx:
        found = waiting.answer_overdue(
            tx, lambda waits: [late(call, waits.context) for call in waits.pending]
        )
    return None if found is None else found[0].session_id


def clean(rows: Rows) -> None:
    """Other tests' turns wait no longer."""
    rows.run("UPDATE turns SET status = 'cancelled' WHERE status = 'waiting'")


def test_what_is_asked_can_be_read_with_its_deadline(rows: Rows) -> None:
    session_id = rows.session()
    claim = wait(rows, session_id, "a", "b", seconds=60)
    found = seen(rows, session_id)
    assert found is not None
    assert (found.turn_id, found.kind) == (claim.turn_id, WaitKind.RESULTS)
    assert [call.id for call in found.pending] == [call.id for call in found.asked] == ["a", "b"]
    assert found.context == {"exec_id": "e"}
    event = rows.events(session_id)[-1]
    assert event.data["deadline"] == found.deadline
    (row,) = rows.all("SELECT waiting_until FROM turns WHERE id = :id", id=claim.turn_id)
    assert row["waiting_until"] - event.ts == timedelta(seconds=60)


def test_another_organization_sees_nothing(rows: Rows) -> None:
    session_id = rows.session()
    wait(rows, session_id, "a")
    other = rows.organization()
    with rows.database.transaction() as tx:
        assert waiting.of_session(tx, other, session_id) is None
        waiting.remember_decisions(tx, other, session_id, {"x": "allow_always"})
        assert waiting.standing_decisions(tx, DEFAULT_ORGANIZATION, session_id) == {}


def test_of_a_tool_the_newest_standing_decision_counts(rows: Rows) -> None:
    session_id = rows.session()
    with rows.database.transaction() as tx:
        for decisions in ({"x": "allow_always", "y": "allow_always"}, {"x": "reject_always"}):
            waiting.remember_decisions(tx, DEFAULT_ORGANIZATION, session_id, decisions)
        kept = waiting.standing_decisions(tx, DEFAULT_ORGANIZATION, session_id)
    assert kept == {"x": "reject_always", "y": "allow_always"}


def test_only_the_turn_that_is_overdue_is_answered_and_only_once(rows: Rows) -> None:
    clean(rows)
    overdue, patient = rows.session(), rows.session()
    wait(rows, overdue, "a", seconds=-1)
    wait(rows, patient, "a")
    assert sweep(rows) == overdue
    assert sweep(rows) is None
    assert seen(rows, overdue) is None
    assert seen(rows, patient) is not None
    assert rows.head(overdue)["status"] == "active"


def test_sweepers_side_by_side_answer_each_turn_once(rows: Rows) -> None:
    clean(rows)
    sessions = [rows.session() for _ in range(6)]
    for session_id in sessions:
        wait(rows, session_id, "a", "b", seconds=-1)
    futures = rows.at_once(*[lambda: sweep(rows)] * 8)
    answered = [found for future in futures if (found := future.result()) is not None]
    while (found := sweep(rows)) is not None:
        answered.append(found)
    assert sorted(answered, key=str) == sorted(sessions, key=str)
    for session_id in sessions:
        types = [event.type for event in rows.events(session_id)]
        assert types.count("tool.completed") == 2


def test_a_turn_that_somebody_answers_just_now_is_left_to_them(rows: Rows) -> None:
    clean(rows)
    session_id = rows.session()
    wait(rows, session_id, "a", seconds=-1)
    with rows.database.transaction() as tx:
        log.lock(tx, DEFAULT_ORGANIZATION, session_id)
        assert sweep(rows) is None
    assert sweep(rows) == session_id


def test_an_answer_takes_the_session_from_whoever_had_it(rows: Rows) -> None:
    session_id = rows.session()
    claim = wait(rows, session_id, "a")
    found = seen(rows, session_id)
    assert found is not None
    with rows.database.transaction() as tx:
        head = log.lock(tx, DEFAULT_ORGANIZATION, session_id)
        assert head is not None
        drafts = [late(call, found.context) for call in found.pending]
        waiting.answer(tx, head, found, drafts, is_complete=True)
    with pytest.raises(LeaseLost), rows.database.transaction() as tx:
        log.append(tx, session_id, [], fence=Fence(claim.epoch))
    again = rows.claim(claim.turn_id)
    assert again is not None
    assert (again.attempt, again.reclaims, again.epoch) == (2, 0, claim.epoch + 2)


def test_earlier_losses_do_not_count_after_a_wait(rows: Rows) -> None:
    session_id = rows.session()
    claim = rows.claimed(session_id)
    rows.run("UPDATE turns SET reclaims = 2 WHERE id = :id", id=claim.turn_id)
    with rows.database.transaction() as tx:
        head = log.look(tx, session_id)
        assert head is not None
        turns.suspend(tx, claim.turn_id, sequence=head.last_sequence, until=head.last_ts)
        turns.resume(tx, claim.turn_id, epoch=claim.epoch + 1)
    again = rows.claim(claim.turn_id)
    assert again is not None
    assert again.reclaims == 0


def test_the_sweeper_finds_overdue_turns_by_their_index(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        statement = waiting._OVERDUE.text.replace("FOR UPDATE OF h, t SKIP LOCKED", "")
        plan = tx.execute(text(f"EXPLAIN {statement}"), {"grace": 0}).scalars().all()
    assert "turns_waiting" in "\n".join(plan)

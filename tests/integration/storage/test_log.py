import threading
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.clock import new_id
from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType, Usage
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.turn import SessionStatus
from common.storage import log, turns
from tests.integration.storage.conftest import Rows, some_events, user_message

_WRITERS = 16
_APPENDS = 12


def test_concurrent_writers_leave_no_hole_and_no_repeat(rows: Rows) -> None:
    session_id = rows.session()
    start = threading.Barrier(_WRITERS)

    def write(writer: int) -> list[int]:
        start.wait()
        numbers = []
        for count in range(_APPENDS):
            if (writer + count) % 5 == 0:
                rows.post(session_id)
            elif (writer + count) % 7 == 0:
                _give_up_an_append(rows, session_id)
            else:
                stored = rows.append(session_id, some_events(count % 3 + 1))
                numbers += [event.sequence for event in stored]
        return numbers

    written = [
        future.result() for future in rows.at_once(*[partial(write, n) for n in range(_WRITERS)])
    ]
    events = rows.events(session_id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert rows.head(session_id)["last_sequence"] == len(events)
    told = [number for numbers in written for number in numbers]
    assert len(set(told)) == len(told)
    assert all(before.ts <= after.ts for before, after in pairwise(events))
    assert [event.id for event in events] == sorted(event.id for event in events)


def _give_up_an_append(rows: Rows, session_id: UUID) -> None:
    with rows.database.engine.connect() as connection:
        connection.begin()
        log.append(connection, session_id, some_events(2), fence=log.Fence(0))
        connection.rollback()


def test_what_one_append_writes_stands_together(rows: Rows) -> None:
    session_id = rows.session()
    futures = rows.at_once(*[lambda: rows.append(session_id, some_events(3))] * 8)
    batches = [[event.sequence for event in future.result()] for future in futures]
    assert sorted(batches) == [[first, first + 1, first + 2] for first in range(1, 25, 3)]


def test_time_never_goes_back_whatever_the_clock_says(rows: Rows) -> None:
    session_id = rows.session()
    (first,) = rows.append(session_id, some_events(1))
    rows.run(
        "UPDATE session_heads SET last_ts = date_trunc('milliseconds', now()) + interval '1 hour'"
        " WHERE session_id = :id",
        id=session_id,
    )
    ahead = rows.head(session_id)["last_ts"]
    assert ahead > first.ts + timedelta(minutes=59)
    (second,) = rows.append(session_id, some_events(1))
    assert second.ts == ahead
    rows.post(session_id)
    assert [event.ts for event in rows.events(session_id)] == [first.ts, ahead, ahead]
    assert rows.head(session_id)["last_ts"] == ahead


def test_what_is_told_is_what_is_stored(rows: Rows) -> None:
    session_id = rows.session()
    draft = EventDraft(EventType.INPUT_MESSAGE, {"message": {"text": "ünïcode 😀\n"}}, {"a": 1})
    stored = rows.append(session_id, [draft, *some_events(2)])
    read = rows.events(session_id)
    for told, kept in zip(stored, read, strict=True):
        assert (told.id, told.sequence, told.type, told.ts) == (
            kept.id,
            kept.sequence,
            kept.type,
            kept.ts,
        )
        assert (told.context, told.data) == (kept.context, kept.data)
        assert told.ts.microsecond % 1000 == 0
    assert read[0].data["message"]["created_at"] == read[0].wire()["ts"]


def test_a_writer_with_another_epoch_writes_nothing(rows: Rows) -> None:
    session_id = rows.session()
    rows.append(session_id, some_events(1), change=log.HeadChange(raises_epoch=True))
    before = rows.head(session_id)
    assert before["epoch"] == 1
    for epoch in (0, 2):
        with pytest.raises(LeaseLost):
            rows.append(session_id, some_events(1), epoch=epoch)
    assert rows.head(session_id) == before
    assert len(rows.append(session_id, some_events(1), epoch=1)) == 1


def test_a_session_that_is_gone_is_a_lost_lease(rows: Rows) -> None:
    with pytest.raises(LeaseLost):
        rows.append(new_id(), some_events(1))


def test_a_claim_that_is_being_committed_fences_off_an_append_under_way(rows: Rows) -> None:
    session_id = rows.session()
    old = rows.claimed(session_id)
    rows.run("UPDATE turns SET status = 'queued' WHERE id = :id", id=old.turn_id)
    with rows.database.transaction() as tx:
        assert turns.claim(tx, old.turn_id, owner="new", lease_seconds=15) is not None
        (late,) = rows.at_once(lambda: rows.append(session_id, some_events(1), epoch=old.epoch))
        rows.wait_for_blocked()
    with pytest.raises(LeaseLost):
        late.result()
    assert len(rows.events(session_id)) == 1


def test_an_append_under_way_is_finished_before_the_next_holder_looks(rows: Rows) -> None:
    session_id = rows.session()
    old = rows.claimed(session_id)
    rows.run("UPDATE turns SET status = 'queued' WHERE id = :id", id=old.turn_id)
    with rows.database.transaction() as tx:
        log.append(tx, session_id, some_events(2), fence=log.Fence(old.epoch))
        (claim,) = rows.at_once(lambda: rows.claim(old.turn_id))
        rows.wait_for_blocked()
    assert claim.result() is not None
    assert [event.sequence for event in rows.events(session_id)] == [1, 2, 3]


def test_a_newer_message_stops_an_append_that_must_not_overlook_it(rows: Rows) -> None:
    session_id = rows.session()
    claim = rows.claimed(session_id)
    rows.append(session_id, some_events(1), epoch=claim.epoch, last_input=1)
    rows.post(session_id)
    before = rows.head(session_id)
    with pytest.raises(log.NewInput):
        rows.append(session_id, some_events(1), epoch=claim.epoch, last_input=1)
    assert rows.head(session_id) == before
    assert len(rows.append(session_id, some_events(1), epoch=claim.epoch, last_input=3)) == 1


def test_a_lost_lease_is_told_before_a_newer_message(rows: Rows) -> None:
    session_id = rows.session()
    rows.post(session_id)
    with pytest.raises(LeaseLost):
        rows.append(session_id, some_events(1), epoch=7, last_input=0)


def test_a_message_joins_the_open_turn_or_opens_one(rows: Rows) -> None:
    session_id = rows.session()
    first = rows.post(session_id)
    assert rows.post(session_id) == first
    head = rows.head(session_id)
    assert (head["open_turn_id"], head["last_input_sequence"], head["message_count"]) == (
        first,
        2,
        2,
    )


def test_messages_posted_at_once_share_one_turn(rows: Rows) -> None:
    session_id = rows.session()
    futures = rows.at_once(*[lambda: rows.post(session_id)] * 12)
    assert len({future.result() for future in futures}) == 1
    assert len(rows.all("SELECT 1 FROM turns")) == 1
    assert len(rows.events(session_id)) == 12


def test_another_organization_s_session_does_not_exist(rows: Rows) -> None:
    theirs = rows.session(rows.organization())
    with rows.database.transaction() as tx:
        posted = log.append_input(
            tx, DEFAULT_ORGANIZATION, theirs, user_message(), turn_id=new_id()
        )
        assert posted is None
        assert log.lock(tx, DEFAULT_ORGANIZATION, theirs) is None
    assert rows.head(theirs)["last_sequence"] == 0


def test_a_deleted_session_does_not_exist(rows: Rows) -> None:
    session_id = rows.session()
    rows.run("UPDATE sessions SET deleted_at = now() WHERE id = :id", id=session_id)
    with rows.database.transaction() as tx:
        posted = log.append_input(
            tx, DEFAULT_ORGANIZATION, session_id, user_message(), turn_id=new_id()
        )
        assert posted is None
        assert log.lock(tx, DEFAULT_ORGANIZATION, session_id) is None
    assert rows.events(session_id) == []


def test_a_session_has_one_open_turn_at_most(rows: Rows) -> None:
    session_id = rows.session()
    rows.post(session_id)
    with pytest.raises(DBAPIError) as refused:
        rows.run(
            "INSERT INTO turns (id, session_id, organization_id, input_sequence)"
            " VALUES (:id, :session_id, :organization_id, 1)",
            id=new_id(),
            session_id=session_id,
            organization_id=DEFAULT_ORGANIZATION,
        )
    assert "turns_open" in str(refused.value.orig)


def test_the_head_keeps_the_totals(rows: Rows) -> None:
    session_id = rows.session()
    rows.post(session_id)
    answered = EventDraft(EventType.OUTPUT_COMPLETED, {"message": {}})
    result = EventDraft(EventType.TOOL_COMPLETED, {})
    idled = EventDraft(EventType.SESSION_IDLED, {})
    active = log.HeadChange(status=SessionStatus.ACTIVE, usage=Usage(5, 1))
    rows.append(session_id, [answered, result, *some_events(2)], change=active)
    started_at = rows.head(session_id)["started_at"]
    assert started_at is not None
    idle = log.HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, usage=Usage(10, 2))
    *_, last = rows.append(session_id, [idled], change=idle)
    head = rows.head(session_id)
    assert head["message_count"] == 3
    assert (head["input_tokens"], head["output_tokens"]) == (15, 3)
    assert last.data["usage"] == {"input_tokens": 15, "output_tokens": 3}
    assert (head["status"], head["open_turn_id"], head["started_at"]) == ("idle", None, started_at)


def test_an_append_of_nothing_may_still_take_the_session(rows: Rows) -> None:
    session_id = rows.session()
    assert rows.append(session_id, [], change=log.HeadChange(raises_epoch=True)) == []
    head = rows.head(session_id)
    assert (head["epoch"], head["last_sequence"]) == (1, 0)


def test_events_never_change(rows: Rows) -> None:
    session_id = rows.session()
    rows.append(session_id, some_events(1))
    for column in ("data = '{}'", "type = 'x'", "ts = now()", "sequence = 9", "context = '{}'"):
        with pytest.raises(DBAPIError, match="events never change"):
            rows.run(f"UPDATE events SET {column} WHERE session_id = :id", id=session_id)  # noqa: S608
    assert len(rows.events(session_id)) == 1


def test_the_log_is_read_in_slices_between_two_places(rows: Rows) -> None:
    session_id = rows.session()
    rows.append(session_id, some_events(log.SLICE * 2))
    rows.post(session_id)
    with rows.database.reading() as tx:
        statements: list[str] = []
        _count_reads(tx, statements)
        everything = list(log.read_all(tx, session_id, 0))
        assert len(statements) == 3
        between = log.read_after(tx, session_id, 5, below=9)
        few = log.read_after(tx, session_id, 5, limit=2)
        typed = list(log.read_all(tx, session_id, 0, types=[EventType.INPUT_MESSAGE]))
    assert [event.sequence for event in everything] == list(range(1, log.SLICE * 2 + 2))
    assert [event.sequence for event in between] == [6, 7, 8]
    assert [event.sequence for event in few] == [6, 7]
    assert [event.sequence for event in typed] == [log.SLICE * 2 + 1]


def _count_reads(tx: Any, statements: list[str]) -> None:
    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sqlalchemy_event.listen(tx, "before_cursor_execute", note)


def test_what_postgresql_cannot_store_stores_nothing(rows: Rows) -> None:
    session_id = rows.session()
    with pytest.raises(DBAPIError):
        rows.append(
            session_id, [*some_events(1), EventDraft(EventType.TOOL_STARTED, {"a": "\x00"})]
        )
    assert rows.head(session_id)["last_sequence"] == 0
    with rows.database.reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM events")).scalar_one() == 0

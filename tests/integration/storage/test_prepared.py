"""Statements that a connection plans once, and what the one that appends makes of events."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    PendingRollbackError,
)

from common.domain.events import EventDraft, EventType, Usage
from common.storage import log
from common.storage.engine import Tx, is_passing_outage, narrow, sqlstate
from common.storage.log import Fence, HeadChange
from common.storage.prepared import Prepared
from tests.integration.storage.conftest import Rows
from tests.statements import heard

_SUM = Prepared("test_sum", "SELECT :left + :right + :left AS sum", left="int", right="int")


def test_a_connection_prepares_a_statement_once(rows: Rows) -> None:
    sent: list[str] = []

    def note(statement: str, _values: Any) -> None:
        sent.append(statement.split(maxsplit=1)[0])

    with heard(rows.database.engine, note), rows.database.reading() as tx:
        sums = [_SUM.one(tx, {"left": 1, "right": number}) for number in (1, 2)]

    assert [each.sum for each in sums if each] == [3, 4]
    assert sent == ["PREPARE", "EXECUTE", "EXECUTE"]


def test_a_lost_connection_is_told_as_such_and_so_are_its_siblings(rows: Rows) -> None:
    database = rows.database
    with database.reading() as one, database.reading() as other:
        pids = {_pid(one), _pid(other)}
    with database.reading() as tx:
        mine = _pid(tx)
        assert mine in pids
        rows.run("SELECT pg_terminate_backend(:mine)", mine=mine)
        with pytest.raises(OperationalError) as failed:
            _SUM.on(tx, {"left": 1, "right": 2})

    assert failed.value.connection_invalidated
    assert is_passing_outage(failed.value)
    # All of the pool's are made anew, for all may have been lost.
    with database.reading() as one, database.reading() as other:
        assert not {_pid(one), _pid(other)} & pids
        assert _SUM.on(other, {"left": 1, "right": 2}) == [(4,)]


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_transaction_whose_connection_was_lost_does_not_go_on_with_another(
    rows: Rows, *, goes_on: bool
) -> None:
    def lose_and_go_on() -> None:
        with rows.database.transaction() as tx:
            rows.run("SELECT pg_terminate_backend(:mine)", mine=_pid(tx))
            with suppress(OperationalError):
                _SUM.on(tx, {"left": 1, "right": 2})
            if goes_on:
                _SUM.on(tx, {"left": 1, "right": 2})

    with pytest.raises(PendingRollbackError if goes_on else InvalidRequestError):
        lose_and_go_on()


def test_a_connection_that_the_driver_knows_to_be_closed_is_an_outage(rows: Rows) -> None:
    with rows.database.reading() as tx:
        _SUM.on(tx, {"left": 1, "right": 2})
        driver = tx.connection.dbapi_connection
        assert driver is not None
        driver.close()
        with pytest.raises(InterfaceError) as failed:
            _SUM.on(tx, {"left": 1, "right": 2})

    assert is_passing_outage(failed.value)


def test_a_transaction_that_is_over_takes_no_more_statements(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        tx.rollback()
        with pytest.raises(InvalidRequestError, match="over"):
            _SUM.on(tx, {"left": 1, "right": 2})


def test_for_whom_is_said_again_when_the_driver_refused_to_send_it(rows: Rows) -> None:
    whose = Prepared(
        "test_whose",
        "SELECT current_setting('everturn.organization', true) AS whose, :text AS text",
        text="text",
    )
    with rows.database.transaction() as tx:
        whose.on(tx, {"text": "a"})
        narrow(tx, UUID(int=7))
        with pytest.raises(ValueError, match="NUL"):
            whose.on(tx, {"text": "\0"})
        assert whose.on(tx, {"text": "a"}) == [(str(UUID(int=7)), "a")]


def test_what_the_database_refuses_leaves_the_connection_in_use(rows: Rows) -> None:
    refused = Prepared("test_refused", "SELECT 1 / :number AS part", number="int")
    with rows.database.transaction() as tx:
        before = _pid(tx)
    with (
        pytest.raises(DBAPIError, match="division by zero") as failed,
        rows.database.transaction() as tx,
    ):
        refused.on(tx, {"number": 0})

    assert not is_passing_outage(failed.value)
    assert sqlstate(failed.value) == "22012"
    with rows.database.transaction() as tx:
        assert _pid(tx) == before
        assert refused.on(tx, {"number": 1}) == [(1,)]


def _pid(tx: Tx) -> int:
    return int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_what_is_told_of_an_append_is_what_was_stored(rows: Rows) -> None:
    session_id = rows.session()
    drafts = [
        EventDraft(EventType.OUTPUT_COMPLETED, {"message": {"id": "m", "content": []}}),
        EventDraft(EventType.TOOL_CALL_REQUESTED, {"calls": [], "deadline_seconds": 1.5}),
        EventDraft(EventType.REASON_STARTED, {"text": "a 'quote' and a \\ \u2028"}, {"a": 1}),
        EventDraft(EventType.SESSION_IDLED, {"turn_id": "t"}, private={"kept": "beside"}),
    ]
    usage = Usage(input_tokens=3, output_tokens=4, cache_read_tokens=2)

    with rows.database.transaction() as tx:
        head, told = log.append(
            tx, session_id, drafts, fence=Fence(0), change=HeadChange(usage=usage)
        )
        stored = log.read_after(tx, session_id, 0)

    assert [(e.sequence, e.type, e.ts, e.context, e.data) for e in stored] == [
        (e.sequence, e.type, e.ts, e.context, e.data) for e in told
    ]
    assert stored[-1].data["usage"] == usage.to_json()
    assert stored[0].data["message"]["created_at"] == told[0].data["message"]["created_at"]
    assert "deadline" in stored[1].data
    assert head.last_sequence == len(drafts)

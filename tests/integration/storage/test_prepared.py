"""Statements that a connection plans once, and what the one that appends makes of events."""

from typing import Any

from sqlalchemy import event as sqlalchemy_event

from common.domain.events import EventDraft, EventType, Usage
from common.storage import log
from common.storage.log import Fence, HeadChange
from common.storage.prepared import Prepared
from tests.integration.storage.conftest import Rows

_SUM = Prepared("test_sum", "SELECT :left + :right + :left AS sum", left="int", right="int")


def test_a_connection_prepares_a_statement_once(rows: Rows) -> None:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement.split(maxsplit=1)[0])

    with rows.database.reading() as tx:
        sqlalchemy_event.listen(tx, "before_cursor_execute", note)
        sums = [_SUM.on(tx, {"left": 1, "right": number}).scalar_one() for number in (1, 2)]

    assert sums == [3, 4]
    assert sent == ["PREPARE", "EXECUTE", "EXECUTE"]


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

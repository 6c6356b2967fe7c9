"""What all subscribers share of a persisted event."""

import orjson

from api.streaming.entry import LogEntry
from common.live_frames import LiveEvent
from tests.unit.streaming.entries import completed, note, opener


def test_it_knows_what_the_event_is() -> None:
    assert opener(4).is_opener
    assert not note(4).is_opener
    assert completed(5, "x", finishes=4).finishes == 4
    assert note(4).size == len(note(4).event.body)


def test_its_parts_are_made_once() -> None:
    entry = completed(5, "aé", finishes=4)
    assert entry.text == "aé".encode()
    assert entry.frame is entry.frame
    assert entry.text is entry.text
    assert entry.escaped_text is entry.escaped_text


def test_deltas_of_an_opener_that_says_nothing_are_still_json() -> None:
    body = b'{"id":"e","ts":"2026-01-15T10:30:00.000Z","session_id":"s","context":{},"data":{}}'
    entry = LogEntry(LiveEvent(1, "output.message.started", 0, body))
    shown = orjson.loads(b"{" + entry.opening.head + b'"delta":"x"}}')
    assert shown == {"session_id": "s", "context": {}, "data": {"delta": "x"}}
    assert entry.opening.ts.isoformat() == "2026-01-15T10:30:00+00:00"

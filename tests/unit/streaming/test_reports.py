"""Reports of running calls pass who is up to date, under an id that says where that is."""

from uuid import UUID

import orjson
import pytest

from api.streaming.relay import OpenText, Relay
from api.streaming.sse import report_frame
from api.streaming.text_buffer import TextBuffer
from common.domain.cursor import MAX_OFFSET, TextCursor, decode_cursor, delta_id
from common.domain.events import TypeFilter
from common.live_frames import LiveReport, decode, encode_report
from tests.unit.streaming.entries import note, opener, shown
from tests.unit.streaming.test_relay import EVERYTHING, in_text, relay_at

REPORT = LiveReport("tool.progress", b'{"type":"tool.progress"}')


def test_a_report_carries_the_position_and_ids_of_one_position_differ() -> None:
    relay, _ = relay_at(2)
    assert shown(relay.pass_on([note(3), REPORT, REPORT, note(4), REPORT])) == [
        3,
        TextCursor(3, 3, 1),
        TextCursor(3, 3, 2),
        4,
        TextCursor(4, 4, 3),
    ]


def test_within_a_text_a_report_carries_the_place_in_it() -> None:
    relay, _ = in_text(7)
    assert shown(relay.pass_on([REPORT])) == [TextCursor(5, 4, 7)]


def test_right_after_an_opener_a_report_skips_none_of_its_text() -> None:
    only_reports = TypeFilter(("tool.progress",), ())
    relay, _ = relay_at(2, types=only_reports)
    assert shown(relay.pass_on([opener(3), REPORT])) == [TextCursor(3, 3, 0)]
    resumed, _ = relay_at(3, types=only_reports)
    assert shown(resumed.pass_on([REPORT])) == [TextCursor(3, 3, 0)]


def test_who_is_behind_gets_no_report() -> None:
    relay, _ = relay_at(2)
    assert shown(relay.pass_on([REPORT, note(4), REPORT, REPORT])) == [TextCursor(2, 2, 0)]
    new = Relay(2, EVERYTHING, TextBuffer())
    assert new.pass_on([REPORT]) == []


def test_who_has_nothing_yet_gets_no_report() -> None:
    relay, _ = relay_at(0)
    assert relay.pass_on([REPORT]) == []


@pytest.mark.parametrize("pattern", ["tool.progress", "tool.*"])
def test_a_filter_leaves_reports_out(pattern: str) -> None:
    relay, _ = relay_at(2, types=TypeFilter((), (pattern,)))
    assert relay.pass_on([REPORT]) == []


def test_the_numbers_start_again_before_they_do_not_fit() -> None:
    relay, _ = relay_at(2)
    relay.pass_on([note(3)])
    relay._reports = MAX_OFFSET
    assert shown(relay.pass_on([REPORT])) == [TextCursor(3, 3, 1)]


def test_the_id_is_read_back_as_the_cursor() -> None:
    session_id = UUID(int=7)
    cursor = TextCursor(3, 3, 2)
    assert decode_cursor(session_id, delta_id(session_id, cursor, 1_700_000_000_000)) == cursor


def test_a_frame_has_the_id_twice_and_one_line_of_json() -> None:
    body = orjson.dumps({"type": "tool.progress", "data": {"message": "a\u2028b"}})
    frame = report_frame("tool.progress", body, event_id="event_1").decode()
    *head, data = frame.removesuffix("\n\n").split("\n")
    assert head[1:] == ["id: event_1", "event: tool.progress"]
    assert len(frame.splitlines()) == 5
    assert orjson.loads(data.removeprefix("data: ")) == {
        "id": "event_1",
        "type": "tool.progress",
        "data": {"message": "a\u2028b"},
    }


def test_a_live_frame_is_read_back() -> None:
    assert decode(encode_report(REPORT.type, REPORT.body)) == REPORT


def test_a_resumed_reader_of_text_is_not_moved_by_a_report() -> None:
    relay = Relay(5, EVERYTHING, TextBuffer(), text=OpenText(opener(4), 3))
    relay.begins_to_read()
    relay.has_read(5)
    relay.pass_on([REPORT])
    assert relay.text is not None
    assert relay.text.offset == 3

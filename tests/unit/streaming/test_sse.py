"""Frames as bytes: what a parser of server-sent events and of JSON makes of them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from api.streaming.sse import (
    CONNECTED,
    HEARTBEAT,
    delta_frame,
    disconnecting_frame,
    escaped,
    event_frame,
)
from common.domain.events import EventType
from common.live_frames import LiveEvent
from tests.unit.streaming.entries import note, opener


def fields(frame: bytes) -> dict[str, str]:
    """One frame, which ends with an empty line, by field name."""
    assert frame.endswith(b"\n\n")
    lines = frame.decode()[:-2].split("\n")
    return dict(line.split(": ", 1) for line in lines)


def test_connected_has_no_id_and_a_retry_hint() -> None:
    assert fields(CONNECTED) == {
        "event": "connected",
        "retry": "100",
        "data": '{"status":"connected"}',
    }


def test_a_heartbeat_is_a_comment() -> None:
    assert HEARTBEAT == b": heartbeat\n\n"


def test_disconnecting_says_why_and_when_to_come_back() -> None:
    frame = fields(disconnecting_frame("server_maintenance", retry_ms=250))
    assert frame["event"] == "disconnecting"
    assert json.loads(frame["data"]) == {"reason": "server_maintenance", "retry_ms": 250}


def test_a_persisted_event_is_its_stored_form_on_one_line() -> None:
    event = note(7).event
    frame = fields(event_frame(event))
    assert frame == {
        "retry": "100",
        "id": json.loads(event.body)["id"],
        "event": "session.title.updated",
        "data": event.body.decode(),
    }


def test_the_id_is_found_wherever_it_stands() -> None:
    event = LiveEvent(1, "turn.started", 0, b'{"type":"turn.started","id":"event_x"}')
    assert fields(event_frame(event))["id"] == "event_x"


@given(
    st.sampled_from([EventType.OUTPUT_DELTA, EventType.THINKING_DELTA]),
    st.text(),
    st.one_of(st.none(), st.text()),
)
def test_a_delta_is_a_whole_event_whatever_the_text(
    kind: EventType, delta: str, accumulated: str | None
) -> None:
    frame = delta_frame(
        kind,
        event_id="event_x",
        ts="2026-01-15T10:30:00.000Z",
        head=opener(4).opening.head,
        delta=escaped(delta.encode()),
        accumulated=None if accumulated is None else escaped(accumulated.encode()),
    )
    shown = fields(frame)
    assert (shown["id"], shown["event"]) == ("event_x", kind)
    event = json.loads(shown["data"])
    assert event["type"] == kind
    expected = {"turn_id": "turn_1", "message_id": "4", "delta": delta}
    if accumulated is not None:
        expected["accumulated"] = accumulated
    assert event["data"] == expected
    assert event["context"] == {"turn_id": "turn_1"}
    assert "sequence" not in event


@given(st.text(), st.text())
def test_escaped_pieces_joined_are_the_joined_pieces_escaped(one: str, other: str) -> None:
    assert escaped(one.encode()) + escaped(other.encode()) == escaped((one + other).encode())


def test_text_cut_within_a_character_does_no_harm() -> None:
    assert escaped("é".encode()[1:]) == "\ufffd".encode()


def test_a_frame_is_lines_for_readers_that_split_text_as_their_language_does() -> None:
    words = "a\u0085b\u2028c\u2029d"
    body = json.dumps({"id": "event_1", "data": {"text": words}}, ensure_ascii=False).encode()
    frame = event_frame(LiveEvent(1, "input.message", 0, body)).decode()
    lines = [line for line in frame.splitlines() if line]
    assert [line.partition(":")[0] for line in lines] == ["retry", "id", "event", "data"]
    assert json.loads(lines[-1].removeprefix("data: "))["data"]["text"] == words
    assert len(escaped(words.encode()).decode().splitlines()) == 1
    assert json.loads(b'"%s"' % escaped(words.encode())) == words

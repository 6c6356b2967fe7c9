from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.events import EventType
from common.event_codec import LoggedEvent
from common.live import live_channel
from common.live_frames import (
    GONE,
    Frame,
    LiveEvent,
    LiveReport,
    LiveText,
    MalformedFrame,
    SessionGone,
    decode,
    encode_events,
    encode_text,
    live_event,
    session_of,
)

_SESSION = UUID("019bb2c0-a200-7a11-b200-aabbccddeeff")
_TS = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def _event(
    sequence: int, event_type: str, words: str = "", *, stream_sequence: int | None = None
) -> LoggedEvent:
    context = {} if stream_sequence is None else {"stream_sequence": stream_sequence}
    data = orjson.dumps({"words": words}).decode()
    return LoggedEvent(_SESSION, sequence, event_type, _TS, orjson.dumps(context).decode(), data)


_events = st.builds(
    _event,
    sequence=st.integers(1, 2**26),
    event_type=st.sampled_from(EventType).map(str),
    words=st.text(st.characters(exclude_categories=["Cs"])),
    stream_sequence=st.none() | st.integers(1, 2**26),
)


@given(st.lists(_events, max_size=5))
def test_events_arrive_as_they_were_sent(events: list[LoggedEvent]) -> None:
    decoded = decode(encode_events(events))
    assert decoded == tuple(map(live_event, events))
    assert isinstance(decoded, tuple)
    assert [event.body for event in decoded] == [event.to_bytes() for event in events]


@given(
    opener=st.integers(0, 2**26),
    start=st.integers(0, 2**24),
    text=st.one_of(
        st.binary(max_size=200),
        st.sampled_from([b"", b"\n", b"\n\n", b"D1 0\n", b"E1 x 0 1\n", b"X", "é\n€ ".encode()]),
    ),
)
def test_text_arrives_as_it_was_sent(opener: int, start: int, text: bytes) -> None:
    assert decode(encode_text(opener, start, text)) == LiveText(opener, start, text)


def test_a_deleted_session_is_announced() -> None:
    assert decode(GONE) == SessionGone()


def test_only_the_completed_answer_finishes_a_text_stream() -> None:
    finishing = live_event(_event(9, "output.message.completed", stream_sequence=5))
    notice = live_event(_event(9, "output.message.completed"))
    other = live_event(_event(9, "reason.completed", stream_sequence=5))
    assert [each.finishes for each in (finishing, notice, other)] == [5, 0, 0]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"Y",
        b"XX",
        b"x",
        b"D",
        b"D1 0",
        b"D1\ntext",
        b"D1 2 3\ntext",
        b"Da 0\ntext",
        b"Dx\ny",
        b"E1",
        b"E1 turn.started 0\n{}\n",
        b"E1 turn.started 0 2\n{}",
        b"E1 turn.started 0 2\n{}x",
        b"E1 turn.started 0 99\n{}\n",
        b"E1 turn.started 0 1\n{}\n",
        b"Eone turn.started 0 2\n{}\n",
        b"E1 turn.\xff 0 2\n{}\n",
        b"E1 turn.started 0 2\n{}\nrest",
        # Lengths below zero would have the reader go back over what it has read.
        b"E1 turn.started 0 -1\n{}\n",
        b"E1 a 0 2\n{}\n2 b 0 -11\n",
    ],
)
@pytest.mark.timeout(5)
def test_anything_else_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedFrame):
        decode(frame)


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda rest: b"E" + rest)))
def test_no_bytes_do_worse_than_being_malformed(frame: bytes) -> None:
    try:
        decoded: Frame = decode(frame)
    except MalformedFrame:
        return
    assert isinstance(decoded, LiveText | LiveReport | SessionGone) or all(
        isinstance(each, LiveEvent) for each in decoded
    )


@given(st.uuids())
def test_a_channel_names_its_session(session_id: UUID) -> None:
    assert session_of(live_channel(session_id).encode()) == session_id

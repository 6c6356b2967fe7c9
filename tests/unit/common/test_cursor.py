from uuid import RFC_4122, UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from common.domain.cursor import (
    MAX_OFFSET,
    MAX_OPENER_DISTANCE,
    MAX_SEQUENCE,
    LogCursor,
    TextCursor,
    decode_cursor,
    delta_id,
    event_id,
    event_uuid,
)
from common.domain.errors import InvalidCursor
from common.domain.ids import Kind, parse_id

_SESSION = UUID("019bb2c0-a200-7a11-b200-aabbccddeeff")
_NOW_MS = 1_768_473_000_123

_sessions = st.uuids()
_sequences = st.integers(1, MAX_SEQUENCE)
_times = st.integers(0, 2**48 - 1)


@st.composite
def _text_cursors(draw: st.DrawFn) -> TextCursor:
    """Positions that fit into an id as they are."""
    sequence = draw(_sequences)
    distance = draw(st.integers(0, min(MAX_OPENER_DISTANCE, sequence - 1)))
    return TextCursor(sequence, sequence - distance, draw(st.integers(0, MAX_OFFSET)))


@given(session=_sessions, sequence=_sequences, time_ms=_times)
@example(session=UUID(int=0), sequence=MAX_SEQUENCE, time_ms=2**48 - 1)
@example(session=UUID(int=2**128 - 1), sequence=1, time_ms=0)
def test_the_id_of_a_stored_event_says_where_it_stands(
    session: UUID, sequence: int, time_ms: int
) -> None:
    shown = event_id(session, sequence, time_ms)
    assert decode_cursor(session, shown) == LogCursor(sequence)


@given(session=_sessions, cursor=_text_cursors(), time_ms=_times)
@example(
    session=UUID(int=2**128 - 1),
    cursor=TextCursor(MAX_SEQUENCE, MAX_SEQUENCE - MAX_OPENER_DISTANCE, MAX_OFFSET),
    time_ms=2**48 - 1,
)
def test_the_id_of_a_delta_says_how_far_the_text_went(
    session: UUID, cursor: TextCursor, time_ms: int
) -> None:
    assert decode_cursor(session, delta_id(session, cursor, time_ms)) == cursor


def test_ids_never_change_once_they_were_given_out() -> None:
    # Ids are derived on each read and clients keep them as cursors: these two are for ever.
    assert event_id(_SESSION, 7, _NOW_MS) == "event_019bc13478bb70008003d75af7cfea42"
    cursor = TextCursor(sequence=9, opener=5, offset=1234)
    assert delta_id(_SESSION, cursor, _NOW_MS) == "event_019bc13478bb780080048040004d2a42"


@given(session=_sessions, sequence=_sequences, time_ms=_times, cursor=_text_cursors())
def test_every_id_is_a_uuid_of_version_seven_with_its_time(
    session: UUID, sequence: int, time_ms: int, cursor: TextCursor
) -> None:
    for shown in (event_id(session, sequence, time_ms), delta_id(session, cursor, time_ms)):
        value = parse_id(Kind.EVENT, shown)
        assert value.version == 7
        assert value.variant == RFC_4122
        assert value.int >> 80 == time_ms


@given(
    session=_sessions,
    steps=st.lists(
        st.tuples(st.integers(1, 2**20), st.integers(0, 10**6)), min_size=2, max_size=30
    ),
)
def test_ids_sort_as_the_log_does_while_time_does_not_go_back(
    session: UUID, steps: list[tuple[int, int]]
) -> None:
    shown, sequence, time_ms = [], 0, _NOW_MS
    for further, later_ms in steps:
        sequence, time_ms = sequence + further, time_ms + later_ms
        shown.append(event_id(session, sequence, time_ms))
    assert shown == sorted(shown)
    assert len(set(shown)) == len(shown)


@given(first=_sessions, second=_sessions, sequence=_sequences, time_ms=_times)
def test_two_sessions_never_share_an_id(
    first: UUID, second: UUID, sequence: int, time_ms: int
) -> None:
    assume(first != second)
    assert event_uuid(first, sequence, time_ms) != event_uuid(second, sequence, time_ms)


@given(own=_sessions, other=_sessions, sequence=_sequences, cursor=_text_cursors())
def test_an_id_of_another_session_is_refused(
    own: UUID, other: UUID, sequence: int, cursor: TextCursor
) -> None:
    assume(own != other)
    with pytest.raises(InvalidCursor):
        decode_cursor(own, event_id(other, sequence, _NOW_MS))
    foreign_delta = delta_id(other, cursor, _NOW_MS)
    # Twelve check bits: one foreign session in 4096 has the same.
    assume(foreign_delta != delta_id(own, cursor, _NOW_MS))
    with pytest.raises(InvalidCursor):
        decode_cursor(own, foreign_delta)


@given(st.uuids(version=4))
def test_a_random_uuid_is_refused(value: UUID) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, f"event_{value.hex}")


@given(time_ms=_times, free=st.integers(0, 2**73 - 1))
def test_a_time_based_uuid_of_somebody_else_is_refused(time_ms: int, free: int) -> None:
    high, low = free >> 62, free & (2**62 - 1)
    value = UUID(int=time_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
    own = event_uuid(_SESSION, 1, 0).int & (2**47 - 1)
    assume(free & (2**47 - 1) != own)
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, str(value))


@given(cursor=_text_cursors(), bit=st.integers(0, 11))
def test_a_delta_id_with_a_wrong_check_bit_is_refused(cursor: TextCursor, bit: int) -> None:
    value = parse_id(Kind.EVENT, delta_id(_SESSION, cursor, _NOW_MS))
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, str(UUID(int=value.int ^ 1 << bit)))


@pytest.mark.parametrize("bit", [62, 63, 76, 77, 78, 79], ids=lambda bit: f"bit{bit}")
def test_a_wrong_version_or_variant_is_refused(bit: int) -> None:
    value = event_uuid(_SESSION, 3, _NOW_MS)
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, str(UUID(int=value.int ^ 1 << bit)))


@pytest.mark.parametrize(
    "text", ["", "event_", "7", "live", f"turn_{_SESSION.hex}", "event_" + "x" * 32]
)
def test_what_is_no_event_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, text)


def test_an_opener_before_the_log_is_refused() -> None:
    value = parse_id(Kind.EVENT, delta_id(_SESSION, TextCursor(3, 1, 5), _NOW_MS))
    back = 3 - 1
    forged = UUID(int=value.int - ((back << 36) - (3 << 36)))
    with pytest.raises(InvalidCursor):
        decode_cursor(_SESSION, str(forged))


@pytest.mark.parametrize(
    "cursor",
    [
        TextCursor(sequence=5000, opener=5000 - MAX_OPENER_DISTANCE - 1, offset=17),
        TextCursor(sequence=5000, opener=1, offset=MAX_OFFSET),
        TextCursor(sequence=8, opener=6, offset=MAX_OFFSET + 1),
        TextCursor(sequence=8, opener=9, offset=3),
    ],
    ids=["a step too far back", "far back", "long text", "opener not delivered"],
)
def test_a_position_that_does_not_fit_resumes_the_text_from_its_start(cursor: TextCursor) -> None:
    decoded = decode_cursor(_SESSION, delta_id(_SESSION, cursor, _NOW_MS))
    assert isinstance(decoded, TextCursor)
    assert decoded.sequence == cursor.sequence
    assert decoded.offset == 0

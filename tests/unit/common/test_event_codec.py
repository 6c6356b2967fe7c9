from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.cursor import LogCursor, decode_cursor
from common.event_codec import LoggedEvent, milliseconds, show_optional_time, show_time

_SESSION = UUID("019bb2c0-a200-7a11-b200-aabbccddeeff")
_TS = datetime(2026, 1, 15, 10, 30, 0, 123_000, tzinfo=UTC)

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=10,
)
_objects = st.dictionaries(_texts, _json, max_size=4)


def _event(context: dict[str, Any], data: dict[str, Any]) -> LoggedEvent:
    return LoggedEvent(
        session_id=_SESSION,
        sequence=9,
        type="output.message.completed",
        ts=_TS,
        context_json=orjson.dumps(context).decode(),
        data_json=orjson.dumps(data).decode(),
    )


def test_the_envelope_has_all_its_fields_and_no_null_context() -> None:
    event = _event({"turn_id": "turn_1"}, {"words": "héllo\n"})
    assert orjson.loads(event.to_bytes()) == {
        "id": event.id,
        "type": "output.message.completed",
        "ts": "2026-01-15T10:30:00.123Z",
        "session_id": "session_019bb2c0a2007a11b200aabbccddeeff",
        "sequence": 9,
        "context": {"turn_id": "turn_1"},
        "data": {"words": "héllo\n"},
        "metadata": None,
        "tags": [],
    }


@given(context=_objects, data=_objects)
def test_stored_json_that_is_spliced_in_reads_as_it_was_stored(
    context: dict[str, Any], data: dict[str, Any]
) -> None:
    event = _event(context, data)
    wire = orjson.loads(event.to_bytes())
    assert (wire["context"], wire["data"]) == (context, data)
    assert (event.context, event.data) == (context, data)


@given(context=_objects, data=_objects)
def test_an_event_is_one_line(context: dict[str, Any], data: dict[str, Any]) -> None:
    # An SSE field ends at a line break of either kind.
    wire = _event(context, data).to_bytes()
    assert b"\n" not in wire
    assert b"\r" not in wire


def test_an_event_is_named_by_its_place_and_time() -> None:
    event = _event({}, {})
    assert decode_cursor(_SESSION, event.id) == LogCursor(9)
    assert event.id == f"event_{event.uuid.hex}"
    assert event.uuid.int >> 80 == milliseconds(_TS)


@pytest.mark.parametrize(
    ("ts", "shown"),
    [
        (datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "2024-01-15T10:30:00.000Z"),
        (datetime(2024, 1, 15, 10, 30, 0, 999_999, tzinfo=UTC), "2024-01-15T10:30:00.999Z"),
        (
            datetime(2024, 1, 15, 1, 0, 0, 5_000, tzinfo=timezone(timedelta(hours=2))),
            "2024-01-14T23:00:00.005Z",
        ),
    ],
)
def test_times_are_shown_in_utc_with_milliseconds(ts: datetime, shown: str) -> None:
    assert show_time(ts) == shown
    assert show_optional_time(ts) == shown


def test_no_time_stays_none() -> None:
    assert show_optional_time(None) is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants it naive
def test_milliseconds_are_whole_and_never_rounded_up(ts: datetime) -> None:
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds(ts))
    assert timedelta(0) <= ts - since < timedelta(milliseconds=1)

from common.domain.events import EventDraft, EventType, Usage, stamped

_TS = "2026-01-15T10:30:00.000Z"


def test_a_message_gets_the_time_of_the_log() -> None:
    message = {"id": "m", "role": "user", "content": []}
    draft = EventDraft(EventType.INPUT_MESSAGE, {"message": message})
    data = stamped(draft, ts_text=_TS, session_usage=Usage())
    assert data == {"message": {**message, "created_at": _TS}}
    # The draft may be appended again after an outage, with another time.
    assert "created_at" not in message


def test_session_idled_gets_the_session_s_total() -> None:
    draft = EventDraft(EventType.SESSION_IDLED, {"turn_id": "turn_1", "iterations": 2})
    assert stamped(draft, ts_text=_TS, session_usage=Usage(10, 4)) == {
        "turn_id": "turn_1",
        "iterations": 2,
        "usage": {"input_tokens": 10, "output_tokens": 4},
    }


def test_other_events_are_stored_as_they_were_drafted() -> None:
    data = {"turn_id": "turn_1", "usage": {"input_tokens": 1, "output_tokens": 1}}
    draft = EventDraft(EventType.TURN_COMPLETED, data)
    assert stamped(draft, ts_text=_TS, session_usage=Usage(10, 4)) == data


def test_usage_adds_up() -> None:
    assert Usage(1, 2) + Usage(10, 20) == Usage(11, 22)

"""The projection of messages: results of an act in call order, nothing lost or doubled."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from api.schemas.projection import in_call_order, show_message
from common.domain.events import EventType
from common.domain.message import agent_message
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent

SESSION = UUID(int=7)


def event(sequence: int, kind: EventType, data: object) -> LoggedEvent:
    return LoggedEvent(
        SESSION, sequence, kind, datetime(2026, 1, 1, tzinfo=UTC), "{}", orjson.dumps(data).decode()
    )


def answer(sequence: int, *calls: str) -> LoggedEvent:
    asked = tuple(ToolCall(call, "t", {}) for call in calls)
    message = agent_message(UUID(int=sequence), "x", calls=asked)
    return event(sequence, EventType.OUTPUT_COMPLETED, {"message": message})


def result(sequence: int, call: str) -> LoggedEvent:
    return event(sequence, EventType.TOOL_COMPLETED, {"tool_call_id": call})


def user(sequence: int) -> LoggedEvent:
    return event(sequence, EventType.INPUT_MESSAGE, {"message": {"id": str(sequence)}})


def shown(events: list[LoggedEvent]) -> list[int]:
    return [found.sequence for found in in_call_order(events)]


def test_results_swap_places_among_themselves_only() -> None:
    log = [
        answer(1, "a", "b", "c"),
        result(2, "c"),
        user(3),
        result(4, "b"),
        result(5, "a"),
        user(6),
    ]

    assert shown(log) == [1, 5, 3, 4, 2, 6]


def test_an_act_that_is_not_finished_is_shown_as_far_as_it_is() -> None:
    assert shown([answer(1, "a", "b", "c"), result(2, "c"), result(3, "a")]) == [1, 3, 2]


def test_an_act_that_a_notice_cut_off_is_settled_before_it() -> None:
    log = [answer(1, "a", "b", "c"), result(2, "b"), result(3, "a"), answer(4), result(5, "z")]

    assert shown(log) == [1, 3, 2, 4, 5]


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("answer"), st.lists(st.sampled_from("abcd"), unique=True, max_size=4)
            ),
            st.tuples(st.just("result"), st.sampled_from("abcdz")),
            st.tuples(st.just("user"), st.none()),
        ),
        max_size=25,
    )
)
def test_every_message_is_shown_once_and_only_results_move(steps: list[tuple[str, object]]) -> None:
    log = []
    for sequence, (kind, what) in enumerate(steps, 1):
        if kind == "answer":
            log.append(answer(sequence, *what))  # type: ignore[misc]  # a list of names
        else:
            log.append(result(sequence, str(what)) if kind == "result" else user(sequence))

    ordered = list(in_call_order(log))

    assert sorted(found.sequence for found in ordered) == list(range(1, len(log) + 1))
    for before, after in zip(log, ordered, strict=True):
        assert before.type == after.type
        if before.type != EventType.TOOL_COMPLETED:
            assert before == after


def test_a_stored_message_is_shown_with_its_place() -> None:
    message = show_message(answer(3), "seed")

    assert list(message)[:4] == ["id", "session_id", "sequence", "role"]
    assert message["sequence"] == 3

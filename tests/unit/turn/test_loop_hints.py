from typing import Any

from common.domain.turn import ToolCall
from worker.capabilities.composition import CapabilityGrant, Composition
from worker.llm.driver import ModelMessage
from worker.turn.loop_hints import with_loop_hints


def _granted(**config: Any) -> Composition:
    return Composition((CapabilityGrant("loop_detection", config),), (), {}, {})


def _round(number: int, *, result: str = "r", **arguments: Any) -> list[ModelMessage]:
    call = ToolCall(f"c{number}", "look", arguments)
    return [
        ModelMessage("assistant", "", (call,)),
        ModelMessage("tool", result, tool_call_id=call.id),
    ]


def _rounds(count: int, start: int = 0) -> list[ModelMessage]:
    return [each for number in range(start, start + count) for each in _round(number, a=1, b=2)]


def _hinted(messages: list[ModelMessage], composition: Composition) -> list[int]:
    """Which of the tool results got a hint."""
    results = [
        each for each in with_loop_hints(tuple(messages), composition) if each.role == "tool"
    ]
    return [place for place, each in enumerate(results) if "Loop detected" in each.text]


def test_the_third_same_call_with_the_same_result_gets_a_hint_and_so_do_later_ones() -> None:
    assert _hinted(_rounds(2), _granted()) == []
    assert _hinted(_rounds(4), _granted()) == [2, 3]


def test_the_hint_says_how_often_and_stands_behind_the_result() -> None:
    (*_, last) = with_loop_hints(tuple(_rounds(3)), _granted())
    assert last.text.startswith("r\n\n[Loop detected: this call was made 3 times")


def test_hints_stay_where_they_are_as_the_transcript_grows() -> None:
    shorter = with_loop_hints(tuple(_rounds(4)), _granted())
    assert with_loop_hints(tuple(_rounds(6)), _granted())[: len(shorter)] == shorter


def test_the_threshold_is_the_configured_one() -> None:
    assert _hinted(_rounds(3), _granted(threshold=2)) == [1, 2]


def test_other_arguments_or_another_result_are_no_loop() -> None:
    other = [*_rounds(2), *_round(8, a=1, b=3), *_round(9, result="new", a=1, b=2)]
    assert _hinted(other, _granted()) == []


def test_the_order_of_arguments_does_not_matter() -> None:
    assert _hinted([*_rounds(2), *_round(9, b=2, a=1)], _granted()) == [2]


def test_the_count_begins_anew_when_the_user_speaks() -> None:
    asked = ModelMessage("user", "again")
    assert _hinted([*_rounds(2), asked, *_rounds(2, start=5)], _granted()) == []


def test_without_the_capability_nothing_is_added() -> None:
    nothing = Composition((), (), {}, {})
    assert with_loop_hints(tuple(_rounds(5)), nothing) == tuple(_rounds(5))

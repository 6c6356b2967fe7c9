"""What is seen of a turn, on a terminal and elsewhere."""

from io import StringIO

import pytest

from common.terminal.screen import Screen
from tests.unit.terminal.stage import Json, event


def message(text: str, message_id: str = "m1") -> Json:
    return {"id": message_id, "content": [{"type": "text", "text": text}]}


def delta(text: str, message_id: str = "m1") -> Json:
    return event(0, "output.message.delta", delta=text, message_id=message_id)


def completed(text: str, message_id: str = "m1") -> Json:
    return event(9, "output.message.completed", message=message(text, message_id))


CALL = {"id": "c1", "name": "get_weather", "arguments": {"location": "Tokyo"}}


def seen(*events: Json, is_terminal: bool = False, is_colourful: bool = False) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    screen = Screen(out, err, is_terminal, is_colourful)
    for each in events:
        screen.show(each)
    return out.getvalue(), err.getvalue()


def test_a_text_is_shown_as_it_comes_and_once() -> None:
    assert seen(delta("Hel"), delta("lo"), completed("Hello")) == ("Hello\n", "")


def test_a_text_that_was_not_streamed_is_shown_when_it_is_complete() -> None:
    assert seen(completed("Hello")) == ("Hello\n", "")


def test_a_notice_is_shown_beside_what_was_streamed() -> None:
    notice = completed("Cancelled.", "m2")
    assert seen(delta("Hel"), event(3, "turn.cancelled"), notice)[0] == "Hel\nCancelled.\n"


def test_an_answer_that_is_begun_anew_is_shown_whole() -> None:
    again = event(4, "reason.recovered")
    out, err = seen(delta("Hel"), again, delta("Hello", "m2"), completed("Hello", "m2"))
    assert out == "Hel\nHello\n"
    assert "another worker" in err


def test_tools_go_beside_the_answer_unless_a_person_looks() -> None:
    tools = (
        event(2, "tool.started", tool_call=CALL),
        event(3, "tool.completed", tool_name="get_weather", success=True, duration_ms=340),
        event(4, "tool.completed", tool_name="look", success=False, error="no\nsuch  word"),
    )
    lines = '⚙ get_weather {"location": "Tokyo"}\n✓ get_weather 0.3 s\n✗ look: no such word\n'
    assert seen(*tools) == ("", lines)
    assert seen(*tools, is_terminal=True) == (lines, "")


def test_thinking_is_for_people_alone() -> None:
    thinking = event(1, "reason.thinking.delta", delta="Hm")
    assert seen(thinking, delta("Yes"), completed("Yes")) == ("Yes\n", "")
    shown, _ = seen(thinking, delta("Yes"), completed("Yes"), is_terminal=True)
    assert shown == "(Hm)\nYes\n"


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (event(5, "turn.failed", error_code="llm_error", error="No model"), "llm_error: No model"),
        (event(5, "turn.sealed"), "given up"),
    ],
)
def test_a_turn_that_did_not_complete_says_so(ending: Json, words: str) -> None:
    assert words in seen(ending)[1]


def test_nobody_can_give_orders_to_the_terminal() -> None:
    out, _ = seen(completed("a\x1b[2Jb\x9b1mc\td\ne"), is_terminal=True, is_colourful=True)
    assert out == "a�[2Jb�1mc\td\ne\n"
    call = {"name": "x\x1b]0;", "arguments": "\x07"}
    assert "\x07" not in seen(event(1, "tool.started", tool_call=call))[1]


def test_colours_end_with_their_line() -> None:
    shown, _ = seen(
        event(1, "reason.thinking.delta", delta="Hm"),
        event(2, "tool.started", tool_call=CALL),
        is_terminal=True,
        is_colourful=True,
    )
    assert shown.count("\x1b[0m") == shown.count("\x1b[2m") == 2
    assert shown.endswith("\x1b[0m\n")

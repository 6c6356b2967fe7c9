"""Events as lines."""

import json
from io import StringIO

from common.terminal.tail import write
from tests.unit.terminal.stage import Json, event


def line(told: Json, *, as_json: bool = False) -> str:
    out = StringIO()
    write(told, out, as_json=as_json)
    return out.getvalue()


def test_a_line_has_what_a_person_looks_for() -> None:
    told = event(12, "turn.failed", turn_id="turn_1", error_code="llm_error", error="No model")
    assert line(told) == (
        "    12  2026-03-01T12:00:00.000Z  turn.failed                error_code=llm_error"
        " error=No model\n"
    )
    assert line(event(3, "session.idled")).endswith("session.idled\n")


def test_messages_are_shown_by_their_text() -> None:
    content = [{"type": "text", "text": "Let me\nlook."}, {"type": "tool_call", "name": "look_up"}]
    told = event(5, "output.message.completed", message={"content": content})
    assert line(told).endswith("Let me look. look_up\n")


def test_programs_get_the_event_as_it_is() -> None:
    told = event(5, "turn.completed", words="Zürich")
    assert json.loads(line(told, as_json=True)) == told

"""Events as lines."""

import argparse
import json
from io import StringIO

import pytest

from common.terminal.tail import run, write
from tests.unit.terminal.stage import SESSION, Json, Stage, event, stream


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


@pytest.mark.parametrize(
    ("types", "exclude", "asked"),
    [
        (["turn.*"], [], {"types": ["turn.*", "session.idled"]}),
        ([], ["session.*", "input.*"], {"exclude": ["input.*"]}),
        (["turn.*"], ["session.idled"], {"types": ["turn.*", "session.idled"]}),
    ],
)
def test_it_ends_when_the_session_idles_though_that_is_not_to_be_shown(
    types: list[str],
    exclude: list[str],
    asked: dict[str, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = Stage(stream(event(1, "turn.completed"), event(2, "session.idled")))
    given = argparse.Namespace(
        session=SESSION,
        since="0",
        type=types,
        exclude=exclude,
        deltas=True,
        until_idle=True,
        json=False,
    )
    assert run(stage.server, given) == 0
    assert [each.split()[2] for each in capsys.readouterr().out.splitlines()] == ["turn.completed"]
    (request,) = stage.requests
    sent = {name: request.url.params.get_list(name) for name in ("types", "exclude")}
    assert {name: values for name, values in sent.items() if values} == asked

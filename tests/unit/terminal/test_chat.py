"""A conversation: what is sent, what is answered, and how it ends."""

import json
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest

from common.terminal.chat import Chat
from common.terminal.screen import Screen
from common.terminal.server import Refused
from tests.unit.terminal.stage import SESSION, Answer, Json, Stage, event, refusal, stream

INPUT = event(2, "input.message", message={"id": "m1", "content": []})
ANSWER = event(
    8, "output.message.completed", message={"id": "m2", "content": [{"type": "text", "text": "Hi"}]}
)
DONE, IDLED = event(9, "turn.completed"), event(10, "session.idled")
CALL = {"id": "c1", "name": "write_file", "arguments": {"path": "/a"}}
NEW = {"id": SESSION, "status": "started"}


class Person:
    """Types what was written down for them; Ctrl-C where that is an exception."""

    def __init__(self, *lines: str | type[BaseException]) -> None:
        self.lines = list(lines)
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, str):
            return line
        raise line


def chat(
    stage: Stage, *lines: str | type[BaseException], approve: str = "ask"
) -> tuple[Chat, StringIO]:
    out = StringIO()
    screen = Screen(out, out, is_terminal=True)
    return Chat(stage.server, screen, Person(*lines), session_id=SESSION, approve=approve), out


def on_stage(*streams: Answer, **answers: Json | list[Answer]) -> Stage:
    return Stage(*streams, **{"sessions": NEW, "messages": {"id": "m1"}, **answers})


def test_a_message_and_its_answer() -> None:
    stage = on_stage(stream(INPUT, ANSWER, DONE, IDLED))
    talk, out = chat(stage)
    talk.open(session_id=None, agent="guide")
    assert talk.say("Hello") == 0
    assert out.getvalue() == "Hi\n"
    assert stage.posted == [
        ("sessions", {"agent_name": "guide"}),
        ("messages", {"message": {"content": [{"type": "text", "text": "Hello"}]}}),
    ]
    assert stage.asked == [{"accumulated": "false", "after_sequence": "0"}]
    assert talk.cursor == "e10"


def test_an_idling_before_the_message_is_not_its_end() -> None:
    stage = on_stage(stream(event(1, "session.idled"), INPUT, ANSWER, DONE, IDLED))
    talk, out = chat(stage)
    assert talk.say("Hello") == 0
    assert out.getvalue() == "Hi\n"


@pytest.mark.parametrize("ending", ["turn.failed", "turn.cancelled", "turn.sealed"])
def test_a_turn_that_did_not_complete_is_told_by_the_status(ending: str) -> None:
    talk, _ = chat(on_stage(stream(INPUT, event(9, ending), IDLED)))
    assert talk.say("Hello") == 1


def test_a_person_is_asked_what_must_be_allowed() -> None:
    asked = event(5, "tool.approval_requested", tool_calls=[CALL])
    stage = on_stage(stream(INPUT, asked, DONE, IDLED))
    talk, _ = chat(stage, "what?", "A")
    assert talk.say("Write") == 0
    decisions = [{"tool_call_id": "c1", "decision": "allow_always"}]
    assert stage.posted[-1] == ("tool_approvals", {"decisions": decisions})


@pytest.mark.parametrize(("approve", "decision"), [("allow", "allow"), ("ask", "reject")])
def test_with_nobody_there_the_option_decides(approve: str, decision: str) -> None:
    asked = event(5, "tool.approval_requested", tool_calls=[CALL])
    stage = on_stage(stream(INPUT, asked, DONE, IDLED))
    chat(stage, approve=approve)[0].say("Write")
    assert stage.posted[-1][1]["decisions"] == [{"tool_call_id": "c1", "decision": decision}]


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        (['{"found": 42}'], {"result": {"found": 42}}),
        (["forty-two"], {"result": "forty-two"}),
        ([""], {"error": "This client cannot run the tool"}),
        ([], {"error": "This client cannot run the tool"}),
    ],
)
def test_a_person_can_play_a_tool(typed: list[str], result: Json) -> None:
    asked = event(5, "tool.call_requested", tool_calls=[CALL])
    stage = on_stage(stream(INPUT, asked, DONE, IDLED))
    chat(stage, *typed)[0].say("Look")
    sent = {"tool_results": [{"tool_call_id": "c1", **result}]}
    assert stage.posted[-1] == ("tool_results", sent)


def test_an_answer_that_came_too_late_is_told_and_the_turn_goes_on() -> None:
    asked = event(5, "tool.call_requested", tool_calls=[CALL])
    stage = on_stage(stream(INPUT, asked, DONE, IDLED), tool_results=[refusal(409, "not waiting")])
    talk, out = chat(stage)
    assert talk.say("Look") == 0
    assert "not accepted: not waiting (409)" in out.getvalue()


class Interrupted(httpx.SyncByteStream):
    """A stream during which somebody presses Ctrl-C."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body
        raise KeyboardInterrupt


def interrupted(*events: Json) -> httpx.Response:
    whole = stream(*events)
    return httpx.Response(200, headers=whole.headers, stream=Interrupted(whole.content))


def test_ctrl_c_cancels_and_shows_the_end() -> None:
    stage = on_stage(interrupted(INPUT), stream(event(9, "turn.cancelled"), IDLED))
    talk, out = chat(stage)
    assert talk.say("Hello") == 1
    assert stage.posted[-1] == ("cancel", {})
    assert stage.asked[1]["since_id"] == "e2"
    assert out.getvalue().endswith("✗ cancelled\n")


def test_ctrl_c_again_leaves() -> None:
    talk, _ = chat(on_stage(interrupted(INPUT), interrupted()))
    with pytest.raises(KeyboardInterrupt):
        talk.say("Hello")


def test_ctrl_c_at_a_question_cancels_too() -> None:
    asked = event(5, "tool.approval_requested", tool_calls=[CALL])
    stage = on_stage(stream(INPUT, asked), stream(event(9, "turn.cancelled"), IDLED))
    assert chat(stage, KeyboardInterrupt)[0].say("Write") == 1
    assert stage.posted[-1] == ("cancel", {})


def test_a_person_talks_until_they_leave() -> None:
    turn = stream(INPUT, ANSWER, DONE, IDLED)
    stage = on_stage(turn, messages=[httpx.Response(201, json={"id": "m1"}), refusal(422, "No")])
    talk, out = chat(stage, "Hello", "", "/id", "Again", "/quit", "never")
    assert talk.converse() == 0
    assert [name for name, _ in stage.posted] == ["messages", "messages"]
    assert SESSION in out.getvalue()
    assert "No (422)" in out.getvalue()
    assert isinstance(talk.ask, Person)
    assert talk.ask.lines == ["never"]


def test_a_session_is_gone_on_with_where_it_is() -> None:
    page = {"data": [event(7, "session.idled")]}
    stage = on_stage(stream(INPUT, ANSWER, DONE, IDLED), events=page, s={**NEW, "status": "idle"})
    talk, out = chat(stage)
    talk.open(session_id="s", agent=None)
    assert out.getvalue() == ""
    assert talk.say("Hello") == 0
    assert stage.asked == [{"accumulated": "false", "since_id": "e7"}]


def test_a_session_that_waits_is_answered_at_once() -> None:
    waiting = {
        **NEW,
        "status": "waitingfortoolresults",
        "pending_approvals": [{"tool_call_id": "c1", "name": "write_file", "arguments": {}}],
        "pending_tool_calls": [],
    }
    stage = on_stage(stream(ANSWER, DONE, IDLED), events={"data": []}, s=waiting)
    talk, out = chat(stage, "y")
    talk.open(session_id="s", agent=None)
    assert stage.posted[-1][1] == {"decisions": [{"tool_call_id": "c1", "decision": "allow"}]}
    assert out.getvalue() == "Hi\n"


def test_programs_get_every_event_as_it_is() -> None:
    raw = StringIO()
    stage = on_stage(stream(INPUT, ANSWER, DONE, IDLED))
    talk, out = chat(stage)
    talk.raw = raw
    talk.say("Hello")
    assert [json.loads(line) for line in raw.getvalue().splitlines()] == [
        INPUT,
        ANSWER,
        DONE,
        IDLED,
    ]
    assert out.getvalue() == ""


def test_a_refusal_of_a_message_is_the_callers_to_hear() -> None:
    with pytest.raises(Refused):
        chat(on_stage(messages=[refusal(404, "Session not found")]))[0].say("Hello")

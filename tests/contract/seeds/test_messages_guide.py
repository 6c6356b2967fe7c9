"""What the second seed shows of messages: controls, metadata, lists, roles and part types."""

from typing import Any

import pytest

from tests.talk import Talk, text_of

Json = dict[str, Any]
WEATHER_CALL = {"id": "call_abc123", "name": "get_weather", "arguments": {"location": "Tokyo"}}
TOOL_TURN = {
    "response": {
        "type": "scripted",
        "turns": [
            {"text": "Let me look.", "tool_calls": [WEATHER_CALL]},
            {"text": "14 degrees and windy."},
        ],
    }
}


@pytest.fixture
def session_id(talk: Talk) -> str:
    return talk.open_session(capabilities=["test_weather"])


def test_generation_controls_are_accepted_and_kept(talk: Talk, session_id: str) -> None:
    controls = {"max_tokens": 500, "temperature": 0.8}

    reply = talk.say(session_id, "A poem about rain, please", controls=controls)

    assert reply["controls"] == controls
    talk.settle(session_id)
    assert talk.messages(session_id)[0]["controls"] == controls


def test_max_tokens_shortens_the_answer(talk: Talk, session_id: str) -> None:
    controls = {"max_tokens": 5, "hints": {"llmsim": {"response": {"type": "lorem"}}}}

    talk.say(session_id, "Be short", controls=controls)

    talk.settle(session_id)
    assert 0 < len(talk.messages(session_id)[1]["content"][0]["text"]) <= 24


def test_metadata_may_be_anything_and_comes_back_unchanged(talk: Talk, session_id: str) -> None:
    metadata = {"source": "email", "priority": 3, "tags": ["a", None], "who": {"name": "Zoë"}}

    talk.say(session_id, "Sort this", metadata=metadata)

    talk.settle(session_id)
    assert talk.messages(session_id)[0]["metadata"] == metadata


def test_controls_and_metadata_beside_the_message_count_too_and_the_inner_ones_win(
    talk: Talk, session_id: str
) -> None:
    body = {
        "message": {
            "content": [{"type": "text", "text": "Hi"}],
            "controls": {"max_tokens": 7},
            "metadata": {"where": "inside"},
        },
        "controls": {"max_tokens": 900, "temperature": 1},
        "metadata": {"where": "outside", "who": "me"},
    }

    reply = talk.call("POST", f"/sessions/{session_id}/messages", body=body, expect=201)

    assert reply["controls"] == {"max_tokens": 7, "temperature": 1}
    assert reply["metadata"] == {"where": "inside", "who": "me"}


def test_the_list_has_every_message_oldest_first_and_says_how_many(
    talk: Talk, session_id: str
) -> None:
    for number in range(3):
        talk.say(session_id, f"number {number}")
        talk.settle(session_id, turns=number + 1)

    listed = talk.call("GET", f"/sessions/{session_id}/messages", expect=200)

    assert listed["total"] == len(listed["data"]) == 6
    assert [(m["role"], m["content"][0]["text"]) for m in listed["data"]] == [
        pair
        for number in range(3)
        for pair in (("user", f"number {number}"), ("agent", f"Echo: number {number}"))
    ]


def test_a_tool_turn_shows_the_roles_and_parts_of_the_guide(talk: Talk, session_id: str) -> None:
    talk.say(session_id, "Weather in Tokyo?", llmsim=TOOL_TURN)
    talk.settle(session_id)

    user, asking, result, answer = talk.messages(session_id)

    roles = [message["role"] for message in (user, asking, result, answer)]
    assert roles == ["user", "agent", "tool", "agent"]
    assert asking["content"] == [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_call", **WEATHER_CALL},
    ]
    (part,) = result["content"]
    assert (part["type"], part["tool_call_id"]) == ("tool_result", "call_abc123")
    assert isinstance(part["content"], str)
    assert "14" in part["content"]
    assert part["result"]["conditions"] == "windy"
    assert part["error"] is None
    assert answer["content"] == [{"type": "text", "text": "14 degrees and windy."}]
    assert all({"id", "role", "content", "created_at"} <= set(m) for m in talk.messages(session_id))


def test_the_result_of_a_tool_that_failed_is_text_too(talk: Talk, session_id: str) -> None:
    call = {"id": "call_bad", "name": "no_such_tool", "arguments": {}}
    turns = [{"tool_calls": [call]}, {"text": "It did not work."}]
    talk.say(session_id, "Try", llmsim={"response": {"type": "scripted", "turns": turns}})
    talk.settle(session_id)

    asking, result, answer = talk.messages(session_id)[1:]

    assert asking["content"] == [{"type": "tool_call", **call}]
    (part,) = result["content"]
    assert isinstance(part["content"], str)
    assert part["error"]
    assert part["error"] in part["content"] or part["content"] == part["error"]
    assert text_of({"data": {"message": answer}}) == "It did not work."


def test_an_empty_answer_is_an_empty_first_text(talk: Talk, session_id: str) -> None:
    """The guide's reader takes `content[0].text`, whatever the model said."""
    talk.say(session_id, "Say nothing", llmsim={"response": {"type": "empty"}})
    talk.settle(session_id)

    assert talk.messages(session_id)[1]["content"] == [{"type": "text", "text": ""}]


@pytest.mark.parametrize(
    ("session", "content", "status"),
    [
        (None, 5, 400),
        ("01933b5a-0000-7000-8000-00000000dead", [{"type": "text", "text": "Hello!"}], 404),
        ("not-an-id", [{"type": "text", "text": "Hello!"}], 400),
        (None, [], 422),
    ],
)
def test_each_status_the_guide_tells_apart(
    talk: Talk, session_id: str, session: str | None, content: object, status: int
) -> None:
    path = f"/sessions/{session or session_id}/messages"

    error = talk.call("POST", path, body={"message": {"content": content}}, expect=status)

    assert error["status"] == status
    assert error["error"]

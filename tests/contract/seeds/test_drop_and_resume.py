"""A client whose connection breaks after every single frame misses and repeats nothing."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.talk import Json, Talk, sequences_of, streamed_text, text_of

TEXT = (
    "Sphinx of black quartz, judge my vow: größer, étonnant: 東京は晴れ, ☕ and 🦉, "
    "and then some plain words to make it thirty tokens long."
)
SLOW = {"response": {"type": "fixed", "text": TEXT}, "tokens_per_second": 22}


@dataclass
class Dropper:
    """Reads one frame, drops the connection, and comes back with the id of that frame."""

    talk: Talk
    session_id: str
    resume: Callable[[str], tuple[dict[str, str], dict[str, str]]]
    events: list[Json] = field(default_factory=list)
    connections: int = 0

    def read_one(self) -> Json:
        headers, query = self.resume(self.events[-1]["id"]) if self.events else ({}, {})
        with self.talk.frames(self.session_id, query, headers) as frames:
            self.connections += 1
            frame = next(frame for frame in frames if frame.event != "disconnecting")
        event: Json = json.loads(frame.data)
        assert (frame.id, frame.event) == (event["id"], event["type"])
        self.events.append(event)
        return event

    def read_through(self, kind: str) -> None:
        while self.read_one()["type"] != kind:
            assert self.connections < 1000, "no progress"


WAYS = {
    "since_id": lambda last: ({}, {"since_id": last}),
    "Last-Event-ID": lambda last: ({"Last-Event-ID": last}, {}),
}


@pytest.mark.parametrize("resume", WAYS.values(), ids=WAYS)
def test_dropping_at_every_frame_of_a_slow_answer(
    talk: Talk, resume: Callable[[str], tuple[dict[str, str], dict[str, str]]]
) -> None:
    session_id = talk.open_session()
    talk.say(session_id, "Speak", llmsim=SLOW)
    client = Dropper(talk, session_id, resume)

    client.read_through("session.idled")

    log = talk.settle(session_id)
    assert streamed_text(client.events) == TEXT
    assert sequences_of(client.events) == [event["sequence"] for event in log[1:]]
    completed = [e for e in client.events if e["type"] == "output.message.completed"]
    assert [text_of(event) for event in completed] == [TEXT]
    deltas = [e for e in client.events if e["type"] == "output.message.delta"]
    assert len([e for e in deltas if e["data"]["delta"]]) > 10, "it was dropped in mid-text"
    _assert_accumulated(deltas)


def _assert_accumulated(deltas: list[Json]) -> None:
    text = ""
    for event in deltas:
        text += event["data"]["delta"]
        assert event["data"]["accumulated"] == text


def test_dropping_at_every_frame_of_a_tool_turn(talk: Talk) -> None:
    """Two texts in one turn: each is exact, with its own opener and message."""
    session_id = talk.open_session(capabilities=["test_weather"])
    call = {"name": "get_weather", "arguments": {"location": "Oslo"}}
    turns = [
        {"text": "One moment, I shall look it up for you. ☕", "tool_calls": [call]},
        {"text": "It is cold up there, take a coat, and a hat."},
    ]
    script = {"response": {"type": "scripted", "turns": turns}, "tokens_per_second": 40}
    talk.say(session_id, "Weather?", llmsim=script)
    client = Dropper(talk, session_id, WAYS["since_id"])

    client.read_through("session.idled")

    log = talk.settle(session_id)
    assert sequences_of(client.events) == [event["sequence"] for event in log[1:]]
    texts: dict[str, str] = {}
    for event in client.events:
        if event["type"] == "output.message.delta":
            name = event["data"]["message_id"]
            texts[name] = texts.get(name, "") + event["data"]["delta"]
    ends = [e["data"]["message"] for e in log if e["type"] == "output.message.completed"]
    # A text that was complete before a reconnect got to it is told by its event alone.
    whole = {message["id"]: message["content"][0]["text"] for message in ends}
    assert texts.items() <= whole.items()
    assert texts


def test_a_message_in_mid_text_does_not_disturb_a_client_that_drops(talk: Talk) -> None:
    """What goes out together with the event that interrupts a text is read together too."""
    session_id = talk.open_session()
    talk.say(session_id, "Speak", llmsim=SLOW)
    seen: list[Json] = []
    while len(streamed_text(seen)) < 20:
        seen += _some(talk, session_id, seen)
    talk.say(session_id, "And now something else")
    while not seen or seen[-1]["type"] != "session.idled":
        seen += _some(talk, session_id, seen)

    log = talk.settle(session_id)
    assert sequences_of(seen) == [event["sequence"] for event in log[1:]]
    opener = next(e for e in log if e["type"] == "output.message.started")
    first = [e for e in seen if e["data"].get("message_id") == opener["data"]["message_id"]]
    assert streamed_text(first) == TEXT


def _some(talk: Talk, session_id: str, seen: list[Json]) -> list[Json]:
    """One event more, and with a stored one the position in the text that follows it."""
    query = {"since_id": seen[-1]["id"]} if seen else {}
    with talk.watch(session_id, **query) as events:
        read = [next(events)]
        if read[0]["type"] == "input.message" and seen:
            read.append(next(events))
            assert read[1]["type"] == "output.message.delta"
    return read

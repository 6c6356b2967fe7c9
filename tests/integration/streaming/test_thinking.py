"""Thinking reaches subscribers as text does: in deltas of its own, exact, resumable."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World
from tests.integration.streaming.reader import Frame, Reader

_THINKING = "reason.thinking.delta"
_TEXT = "output.message.delta"
_THOUGHTS = ["Hé", 'm "so"', "\n", "\U0001f600"]


def _said(events: list[dict[str, Any]], kind: str) -> str:
    return "".join(event["data"]["delta"] for event in events if event["type"] == kind)


def _has(kind: str, words: str) -> Callable[[Reader], bool]:
    """Whether what was said ends with these words."""
    return lambda reader: _said(reader.events, kind).endswith(words)


def _sequences(events: list[dict[str, Any]]) -> list[int]:
    return [event["sequence"] for event in events if "sequence" in event]


def test_thinking_comes_in_deltas_before_the_answer(author: Author, read: ReadStream) -> None:
    reader = read(author, start="all").wait_open()
    author.post("Hi")
    author.start_thinking()
    for thought in _THOUGHTS:
        author.say(thought)
        reader.wait(_has(_THINKING, thought), "it is there")
    author.end_thinking()
    author.say("Hello")
    author.complete()
    reader.wait_for("session.idled")

    events = reader.events
    assert _said(events, _THINKING) == "".join(_THOUGHTS)
    assert _said(events, _TEXT) == "Hello"
    assert _sequences(events) == [event.sequence for event in author.log()]
    delta = next(event for event in events if event["type"] == _THINKING)
    turn_id = author.log()[-1].data["turn_id"]
    assert delta["data"] == {"turn_id": turn_id, "delta": "Hé", "accumulated": "Hé"}
    assert delta["context"]["turn_id"] == turn_id
    assert {f.event for f in reader.frames if f.is_event} >= {_THINKING, _TEXT}
    places = [event["type"] for event in events]
    assert places.index("reason.thinking.started") < places.index(_THINKING)
    last_thought = max(place for place, kind in enumerate(places) if kind == _THINKING)
    assert last_thought < places.index("reason.thinking.completed") < places.index(_TEXT)


def test_a_tail_of_thinking_that_was_missed_comes_before_its_end(
    author: Author, read: ReadStream
) -> None:
    author.post("Hi")
    author.start_thinking()
    author.say("one ")
    reader = read(author, start="all")
    reader.wait(lambda it: _said(it.events, _THINKING) == "one ", "the first of it")
    author.end_thinking("two", is_tail_pushed=False)
    author.complete("Hello")
    reader.wait_for("session.idled")
    assert _said(reader.events, _THINKING) == "one two"
    kinds = [event["type"] for event in reader.events]
    assert kinds.index("reason.thinking.completed") == kinds.index(_THINKING) + 2


def test_resuming_anywhere_gives_each_event_once_and_both_texts_exact(
    author: Author, read: ReadStream
) -> None:
    first = read(author, start="all").wait_open()
    author.post("Hi")
    author.start_thinking()
    for thought in _THOUGHTS:
        author.say(thought)
        first.wait(_has(_THINKING, thought), "it is there")
    author.end_thinking()
    for words in ("Hel", "lo"):
        author.say(words)
        first.wait(_has(_TEXT, words), "it is there")
    author.complete()
    first.wait_for("session.idled")
    whole = [frame for frame in first.frames if frame.is_event]
    for kept in range(1, len(whole)):
        _check_resumed(author, read, whole[:kept])


def _check_resumed(author: Author, read: ReadStream, kept: list[Frame]) -> None:
    with read(author, since_id=kept[-1].id) as second:
        second.wait_for("session.idled")
        events = [frame.body for frame in kept] + second.events
    assert _sequences(events) == [event.sequence for event in author.log()]
    for kind, text in ((_THINKING, "".join(_THOUGHTS)), (_TEXT, "Hello")):
        if _said(events, kind):
            assert _said(events, kind) == text


def test_resuming_in_mid_thinking_on_another_process(author: Author, world: World) -> None:
    author.post("Hi")
    author.start_thinking()
    author.say("abc")
    first = world.read(author)
    first.wait(lambda it: _said(it.events, _THINKING) == "abc", "the first of it")
    first.close()
    author.say("def")
    other = world.read(author, server=world.serve(), since_id=first.events[-1]["id"])
    other.wait(lambda it: _said(it.events, _THINKING) == "def", "the rest")
    assert other.events[0]["data"]["accumulated"] == "abcdef"
    author.end_thinking("!")
    other.wait(lambda it: _said(it.events, _THINKING) == "def!", "the end")


def test_each_kind_of_delta_can_be_filtered(author: Author, read: ReadStream) -> None:
    readers = {
        name: read(author, start="all", **query).wait_open()
        for name, query in {
            "no thinking": {"exclude": "reason.thinking.*"},
            "no text": {"exclude": _TEXT},
            "thinking only": {"types": "reason.thinking.*"},
        }.items()
    }
    author.post("Hi")
    author.start_thinking()
    author.say("hm")
    readers["thinking only"].wait(lambda it: _said(it.events, _THINKING) == "hm", "the thought")
    readers["no text"].wait(lambda it: _said(it.events, _THINKING) == "hm", "the thought")
    author.end_thinking()
    author.say("Hello")
    readers["no thinking"].wait_for_text("Hello")
    author.complete()
    for name in ("no thinking", "no text"):
        readers[name].wait_for("session.idled")
    readers["thinking only"].wait_for("reason.thinking.completed")
    kinds = {name: set(reader.types) for name, reader in readers.items()}
    assert not any(kind.startswith("reason.thinking") for kind in kinds["no thinking"])
    assert _TEXT not in kinds["no text"]
    assert _THINKING in kinds["no text"]
    assert kinds["thinking only"] == {
        "reason.thinking.started",
        _THINKING,
        "reason.thinking.completed",
    }


def test_thinking_told_as_a_whole_leaves_the_answer_s_text_alone(
    author: Author, read: ReadStream
) -> None:
    author.post("Hi")
    author.start()
    author.say("Hel")
    reader = read(author).wait_for_text("Hel")
    author.append([author.thought("late")])
    late = author.log()[-1]
    resumed = read(author, since_id=late.id)
    resumed.wait_for_text("Hel")
    author.say("lo")
    author.complete("!")
    for each in (reader, resumed):
        each.wait_for("session.idled")
        assert each.text == "Hello!"


def test_what_is_kept_for_the_provider_reaches_no_subscriber(
    author: Author, read: ReadStream
) -> None:
    reader = read(author, start="all").wait_open()
    author.post("Hi")
    author.start_thinking()
    author.say("hm")
    author.end_thinking()
    private = {"thinking": [{"text": "hm", "replay": {"signature": "s3cret-signature"}}]}
    answered = author.message("Hello", stream_sequence=author.stream.opener)
    author.append([replace(answered, private=private)])
    later = read(author, start="all")
    for each in (reader, later):
        each.wait_for("output.message.completed")
        assert not any("s3cret-signature" in frame.data for frame in each.frames)

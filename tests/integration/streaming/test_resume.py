"""A client that drops anywhere goes on at the exact event and character."""

import json
from typing import Any

import pytest

from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World
from tests.integration.streaming.reader import Frame

WORDS = ["Hé", 'l"l', "o\n", "wör", "ld \U0001f600"]


def deltas(events: list[dict[str, Any]]) -> str:
    return "".join(event["data"]["delta"] for event in events if "sequence" not in event)


def test_resuming_after_every_frame_gives_each_event_once_and_the_exact_text(
    author: Author, read: ReadStream
) -> None:
    first = read(author, start="all").wait_open()
    author.post("Hi")
    author.start()
    for number in range(len(WORDS)):
        author.say(WORDS[number])
        first.wait_for_text("".join(WORDS[: number + 1]))
    author.complete()
    first.wait_for("session.idled")
    whole = [frame for frame in first.frames if frame.is_event]
    for kept in range(1, len(whole)):
        _check_resumed(author, read, whole[:kept])


def _check_resumed(author: Author, read: ReadStream, kept: list[Frame]) -> None:
    with read(author, since_id=kept[-1].id) as second:
        if len(kept) < len(author.log()) + len(WORDS):
            second.wait_for("session.idled")
        events = [frame.body for frame in kept] + second.events
    sequences = [event["sequence"] for event in events if "sequence" in event]
    assert sequences == [event.sequence for event in author.log()]
    if deltas(events):
        assert deltas(events) == "".join(WORDS)


def test_resuming_while_the_text_goes_on(author: Author, read: ReadStream) -> None:
    events: list[dict[str, Any]] = []
    query: dict[str, Any] = {"start": "all"}
    author.post("Hi")
    author.start()
    for number, words in enumerate(WORDS):
        with read(author, **query) as reader:
            author.say(words)
            missing = "".join(WORDS[: number + 1]).removeprefix(deltas(events))
            events += reader.wait_for_text(missing).events
            query = {"since_id": events[-1]["id"]}
    author.complete(" end")
    with read(author, **query) as reader:
        events += reader.wait_for("session.idled").events
    assert deltas(events) == "".join(WORDS) + " end"
    sequences = [event["sequence"] for event in events if "sequence" in event]
    assert sequences == [event.sequence for event in author.log()]


def test_resuming_on_another_process_in_mid_text(author: Author, world: World) -> None:
    author.post("Hi")
    author.start()
    author.say("abc")
    first = world.read(author).wait_for_text("abc")
    first.close()
    author.say("def")
    other = world.read(author, server=world.serve(), since_id=first.events[-1]["id"])
    other.wait_for_text("def")
    assert other.events[0]["data"]["accumulated"] == "abcdef"
    author.complete("!")
    other.wait_for_text("def!")


def test_resuming_after_an_event_in_mid_text_repeats_nothing(
    author: Author, read: ReadStream
) -> None:
    author.post("Hi")
    author.start()
    author.say("abc")
    first = read(author).wait_for_text("abc")
    author.post("more")
    first.wait(lambda it: it.types[-2:] == ["input.message", "output.message.delta"], "a mark")
    first.close()
    author.complete("def")
    second = read(author, since_id=first.events[-1]["id"]).wait_for("session.idled")
    assert second.text == "def"
    assert second.sequences == [event.sequence for event in author.log()][first.sequences[-1] :]


def test_an_event_cursor_at_the_opener_of_a_running_text_brings_all_of_it(
    author: Author, read: ReadStream
) -> None:
    author.post("Hi")
    author.start()
    author.say("abc")
    opener = author.log()[-1]
    reader = read(author, since_id=opener.id).wait_for_text("abc")
    assert reader.sequences == []
    by_number = read(author, after_sequence=opener.sequence).wait_for_text("abc")
    assert by_number.sequences == []


def test_live_in_mid_text_is_caught_up_with(author: Author, read: ReadStream) -> None:
    author.post("Hi")
    author.start()
    author.say("abc")
    reader = read(author, start="live").wait_for_text("abc")
    author.say("def")
    reader.wait_for_text("abcdef")
    assert reader.sequences == []


def test_a_complete_stream_is_replayed_without_deltas(author: Author, read: ReadStream) -> None:
    author.post("Hi")
    author.start()
    author.say("abc")
    author.complete()
    reader = read(author, start="all").wait_for("session.idled")
    assert reader.text == ""
    assert reader.sequences == [event.sequence for event in author.log()]


def test_a_cursor_beyond_the_head_resumes_at_the_head(author: Author, read: ReadStream) -> None:
    reader = read(author, after_sequence=900).wait_open()
    event = author.title("new")
    assert reader.wait_for("session.title.updated").sequences == [event.sequence]


@pytest.mark.parametrize("header", ["garbage", "event_" + "0" * 32, ""])
def test_a_last_event_id_that_means_nothing_is_ignored(
    author: Author, read: ReadStream, header: str
) -> None:
    author.post("Hi")
    reader = read(author, headers={"Last-Event-ID": header}).wait_for("input.message")
    assert reader.sequences == [2]


def test_last_event_id_counts_unless_the_query_names_a_cursor(
    author: Author, read: ReadStream
) -> None:
    events = [author.title(str(number)) for number in range(3)]
    header = {"Last-Event-ID": events[0].id}
    resumed = read(author, headers=header).wait(lambda it: len(it.sequences) == 2, "the rest")
    assert resumed.sequences == [3, 4]
    overruled = read(author, headers=header, since_id=events[1].id)
    assert overruled.wait_for("session.title.updated").sequences == [4]


def test_the_stored_text_and_the_streamed_one_are_the_same(
    author: Author, read: ReadStream
) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    for words in WORDS * 40:
        author.say(words)
    author.complete()
    reader.wait_for("session.idled")
    completed = next(e for e in reader.events if e["type"] == "output.message.completed")
    assert reader.text == completed["data"]["message"]["content"][0]["text"]
    assert json.loads(author.log()[-3].data_json)["message"]["content"][0]["text"] == reader.text

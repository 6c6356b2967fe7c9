"""A streamed answer from its first to its last frame, and what filters leave of it."""

import json

from common.domain.cursor import LogCursor, TextCursor, decode_cursor
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World


def test_a_turn_arrives_in_order_with_its_text(author: Author, read: ReadStream) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("Hel")
    reader.wait_for_text("Hel")
    author.say('lo "wörld"')
    reader.wait_for_text('Hello "wörld"')
    author.complete()
    reader.wait_for("session.idled")
    assert reader.sequences == [event.sequence for event in author.log()]
    assert reader.types.index("output.message.delta") == 1 + reader.types.index(
        "output.message.started"
    )


def test_the_first_frame_is_connected_and_has_no_id(author: Author, read: ReadStream) -> None:
    author.post("Hi")
    for query in ({}, {"after_sequence": 1}):
        first = read(author, **query).wait_open().frames[0]
        assert (first.event, first.id) == ("connected", "")
        assert json.loads(first.data) == {"status": "connected"}


def test_headers_are_those_of_an_event_stream(author: Author, read: ReadStream) -> None:
    reader = read(author)
    assert reader.response.headers["Content-Type"].startswith("text/event-stream")
    assert reader.response.headers["Cache-Control"] == "no-cache"
    assert reader.response.headers["X-Accel-Buffering"] == "no"


def test_a_persisted_frame_is_the_stored_event(author: Author, read: ReadStream) -> None:
    author.post("Hi")
    reader = read(author, start="all").wait_for("input.message")
    frame = reader.frames[2]
    stored = author.log()[1]
    assert frame.body == json.loads(stored.to_bytes())
    assert (frame.id, frame.event) == (stored.id, "input.message")
    assert decode_cursor(author.session_id, frame.id) == LogCursor(2)


def test_a_delta_is_a_whole_event_whose_id_holds_the_place(
    author: Author, read: ReadStream
) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("é")
    reader.wait_for_text("é")
    opener = next(event for event in author.log() if event.type == "output.message.started")
    delta = reader.events[-1]
    assert decode_cursor(author.session_id, delta["id"]) == TextCursor(
        opener.sequence, opener.sequence, 2
    )
    assert delta["id"] == reader.frames[-1].id
    assert delta == {
        "id": delta["id"],
        "type": "output.message.delta",
        "ts": delta["ts"],
        "session_id": author.shown_id,
        "context": opener.context,
        "data": {**opener.data, "delta": "é", "accumulated": "é"},
        "metadata": None,
        "tags": [],
    }


def test_deltas_are_never_older_than_their_opener(author: Author, read: ReadStream) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("x")
    reader.wait_for_text("x")
    by_type = {event["type"]: event["ts"] for event in reader.events}
    assert by_type["output.message.delta"] >= by_type["output.message.started"]


def test_accumulated_can_be_switched_off(author: Author, read: ReadStream) -> None:
    with_it, without = read(author).wait_open(), read(author, accumulated="false").wait_open()
    author.post("Hi")
    author.start()
    for words in ("a\n", "b"):
        author.say(words)
    for reader in (with_it, without):
        reader.wait_for_text("a\nb")
    assert [e["data"]["accumulated"] for e in with_it.events if "sequence" not in e][-1] == "a\nb"
    assert not any("accumulated" in event["data"] for event in without.events)


def test_types_narrow_and_exclude_removes(author: Author, read: ReadStream) -> None:
    only = read(
        author, types=["output.message.*", "turn.completed"], exclude="output.message.delta"
    )
    no_text = read(author, exclude="output.message.delta,reason.started")
    text_only = read(author, types="output.message.delta")
    author.post("Hi")
    author.start()
    author.say("abc")
    text_only.wait_for_text("abc")
    author.complete(" d")
    text_only.wait_for_text("abc d")
    assert only.wait_for("turn.completed").types == [
        "output.message.started",
        "output.message.completed",
        "turn.completed",
    ]
    assert set(text_only.types) == {"output.message.delta"}
    no_text.wait_for("session.idled")
    assert "output.message.delta" not in no_text.types
    assert "reason.started" not in no_text.types
    assert no_text.frames[0].event == "connected"


def test_a_message_in_mid_text_is_followed_by_the_place_in_the_text(
    author: Author, read: ReadStream
) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("abc")
    reader.wait_for_text("abc")
    author.post("and this")
    reader.wait_for("input.message", times=2)
    reader.wait(lambda it: it.types[-1] == "output.message.delta", "a mark follows")
    mark = reader.events[-1]
    assert (mark["data"]["delta"], mark["data"]["accumulated"]) == ("", "abc")
    place = decode_cursor(author.session_id, mark["id"])
    assert isinstance(place, TextCursor)
    assert (place.sequence, place.offset) == (len(author.log()), 3)


def test_a_failed_answer_gets_no_tail(author: Author, read: ReadStream) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("Once up")
    reader.wait_for_text("Once up")
    author.fail("Sorry, something went wrong.")
    reader.wait_for("session.idled")
    assert reader.text == "Once up"


def test_a_reclaimed_turn_starts_its_text_anew(author: Author, read: ReadStream) -> None:
    reader = read(author).wait_open()
    author.post("Hi")
    author.start()
    author.say("Once up")
    reader.wait_for_text("Once up")
    late = author.stream
    author.reclaim()
    author.say("There was")
    late.add("on a time")  # the worker that lost the turn has not noticed yet
    chunk = late.pending()
    assert chunk is not None
    author.live.push_text([chunk])
    author.complete(" a time")
    reader.wait_for("session.idled")
    after = reader.events[reader.types.index("reason.recovered") + 1 :]
    deltas = [event["data"]["delta"] for event in after if "sequence" not in event]
    assert "".join(deltas) == "There was a time"


def test_a_long_log_arrives_whole(author: Author, world: World) -> None:
    for number in range(450):
        author.title(f"title {number}")
    reader = world.read(author, start="all")
    reader.wait(lambda it: len(it.sequences) >= 451, "all of it")
    assert reader.sequences == list(range(1, 452))


def test_readers_of_two_processes_see_the_same(author: Author, world: World) -> None:
    readers = [world.read(author, server=server) for server in (world.servers[0], world.serve())]
    for reader in readers:
        reader.wait_open()
    author.post("Hi")
    author.start()
    author.say("abc")
    author.complete("def")
    for reader in readers:
        reader.wait_for("session.idled")
        assert reader.sequences == [event.sequence for event in author.log()]
        assert reader.text == "abcdef"

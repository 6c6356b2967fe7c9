"""Where a stream without cursor starts: both orders of the seed, again and again."""

import pytest

from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World

SOMEONE = {"User-Agent": "someone else"}


def answer(author: Author, words: str) -> None:
    """A whole turn, as fast as can be."""
    author.start()
    author.say(words[:2])
    author.complete(words[2:])


def test_post_then_stream_gets_its_own_answer_every_time(author: Author, read: ReadStream) -> None:
    other = read(author).wait_open()  # of the same caller, and open all the time
    for number in range(6):
        author.post(f"question {number}")
        if number % 2:
            answer(author, f"answer {number}")
        with read(author) as reader:
            if not number % 2:
                reader.wait_for("input.message")
                answer(author, f"answer {number}")
            reader.wait_for("output.message.completed")
            completed = [e for e in reader.events if e["type"] == "output.message.completed"]
        shown = [each["data"]["message"]["content"][0]["text"] for each in completed]
        assert shown == [f"answer {number}"]
    other.wait_for("output.message.completed", times=6)


def test_stream_then_post_never_gets_the_answer_before(author: Author, read: ReadStream) -> None:
    other = read(author).wait_open()
    for number in range(6):
        with read(author) as reader:
            reader.wait_open()
            author.post(f"question {number}")
            answer(author, f"answer {number}")
            reader.wait_for("output.message.completed")
            completed = next(e for e in reader.events if e["type"] == "output.message.completed")
        assert completed["data"]["message"]["content"][0]["text"] == f"answer {number}"
    other.wait_for("output.message.completed", times=6)


def test_stream_then_post_over_two_processes(author: Author, world: World) -> None:
    servers = [world.servers[0], world.serve()]
    for number in range(6):
        with world.read(author, server=servers[number % 2]) as reader:
            reader.wait_open()
            author.post(f"question {number}")
            answer(author, f"answer {number}")
            reader.wait_for("output.message.completed")
            completed = next(e for e in reader.events if e["type"] == "output.message.completed")
        assert completed["data"]["message"]["content"][0]["text"] == f"answer {number}"


def test_a_header_tells_from_where_a_stream_goes_on_that_is_lost_before_its_first_event(
    author: Author, read: ReadStream
) -> None:
    author.post("question")
    answer(author, "answer")
    with read(author, start="live") as lost:
        position = lost.wait_open().response.headers["X-After-Sequence"]
    author.post("missed")

    resumed = read(author, after_sequence=position).wait_for("input.message")

    assert int(position) == author.log()[-2].sequence
    assert resumed.sequences == [int(position) + 1]


def test_a_session_without_turns_starts_at_its_first_event(
    author: Author, read: ReadStream
) -> None:
    assert read(author).wait_for("session.started").sequences == [1]


def test_an_open_turn_is_joined_at_its_message(author: Author, read: ReadStream) -> None:
    author.post("one")
    answer(author, "first")
    posted = author.post("two")
    author.start()
    author.say("sec")
    reader = read(author).wait_for_text("sec")
    assert reader.sequences[0] == posted.sequence


def test_an_answer_that_only_others_had_does_not_count(author: Author, read: ReadStream) -> None:
    author.post("one")
    answer(author, "first")
    with read(author, headers=SOMEONE) as theirs:
        theirs.wait_for("output.message.completed")
    assert read(author).wait_for("session.idled").sequences[0] == 2


def test_an_answer_on_a_stream_of_ours_that_is_still_open_does_not_count(
    author: Author, read: ReadStream
) -> None:
    author.post("one")
    answer(author, "first")
    read(author).wait_for("output.message.completed")
    assert read(author).wait_for("session.idled").sequences[0] == 2


def test_who_left_before_the_answer_gets_it_again(author: Author, read: ReadStream) -> None:
    author.post("one")
    author.start()
    author.say("ab")
    with read(author) as early:
        early.wait_for_text("ab")
    author.complete("c")
    assert read(author).wait_for("session.idled").sequences[0] == 2


@pytest.mark.parametrize("types", ["output.message.completed", "turn.completed"])
def test_whatever_a_reader_waits_for_it_has_had(
    author: Author, read: ReadStream, types: str
) -> None:
    author.post("one")
    answer(author, "first")
    with read(author, types=types) as first:
        first.wait_for(types)
    second = read(author, types=types).wait_open()
    author.post("two")
    answer(author, "second")
    second.wait_for(types)
    assert second.sequences[0] > first.sequences[-1]


def test_a_failure_is_an_answer_too(author: Author, read: ReadStream) -> None:
    author.post("one")
    author.start()
    author.fail()
    with read(author) as first:
        first.wait_for("turn.failed")
    second = read(author).wait_open()
    event = author.title("later")
    assert second.wait_for("session.title.updated").sequences == [event.sequence]


def test_a_turn_that_ended_long_ago_is_not_shown(author: Author, read: ReadStream) -> None:
    author.post("one")
    answer(author, "first")
    author.age_turns(31)
    reader = read(author).wait_open()
    event = author.title("later")
    assert reader.wait_for("session.title.updated").sequences == [event.sequence]


def test_start_can_be_said(author: Author, read: ReadStream) -> None:
    author.post("one")
    answer(author, "first")
    live = read(author, start="live").wait_open()
    assert read(author, start="all").wait_for("session.idled").sequences[0] == 1
    with read(author) as reader:
        reader.wait_for("session.idled")
    assert read(author, start="turn").status == 200
    event = author.title("later")
    assert live.wait_for("session.title.updated").sequences == [event.sequence]


def test_the_start_can_be_set_for_all(world: World) -> None:
    world.serve(SSE_DEFAULT_START="all")
    author = world.author()
    author.post("one")
    answer(author, "first")
    with world.read(author) as reader:
        reader.wait_for("session.idled")
    assert world.read(author).wait_for("session.idled").sequences[0] == 1


def test_an_idle_reader_that_reconnects_without_cursor_stays_live(
    author: Author, read: ReadStream
) -> None:
    """The SDK does so every 45 s while nothing happens."""
    author.post("one")
    answer(author, "first")
    with read(author) as first:
        first.wait_for("output.message.completed")
    for _ in range(3):
        with read(author) as idle:
            idle.wait_open()
            assert idle.events == []
    posted = author.post("two")  # between two connections
    answer(author, "second")
    again = read(author).wait_for("session.idled")
    assert again.sequences[0] == posted.sequence

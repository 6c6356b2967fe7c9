"""Where a stream starts, as decisions (the orders of the seed are tested on real servers)."""

import asyncio
from dataclasses import replace

import pytest

from api.streaming.delivery import ReadAnswers
from api.streaming.entry import LogEntry
from api.streaming.start import RECENT_SECONDS, StartMode, at_cursor, without_cursor
from common.domain.cursor import Cursor, LogCursor, TextCursor
from common.storage.relay import NewestTurn, SessionView
from tests.unit.streaming.entries import opener
from tests.unit.streaming.simulated import SESSION

RUNNING = NewestTurn(
    input_sequence=10, newest_input_sequence=10, ended_seconds_ago=None, answer=None
)
JUST_OVER = replace(RUNNING, ended_seconds_ago=1.0, answer=15)
UNANSWERED = replace(JUST_OVER, answer=None)
LONG_OVER = replace(UNANSWERED, ended_seconds_ago=RECENT_SECONDS + 1)


def view(turn: NewestTurn | None, *, head: int = 20) -> SessionView:
    return SessionView(SESSION, SESSION, head, turn is RUNNING, turn)


@pytest.mark.parametrize(
    ("turn", "mode", "has_left", "position"),
    [
        (None, StartMode.AUTO, False, 0),
        (RUNNING, StartMode.AUTO, False, 9),
        (JUST_OVER, StartMode.AUTO, False, 9),
        (JUST_OVER, StartMode.AUTO, True, 20),
        (UNANSWERED, StartMode.AUTO, True, 9),
        (LONG_OVER, StartMode.AUTO, False, 20),
        (RUNNING, StartMode.LIVE, False, 20),
        (None, StartMode.LIVE, False, 20),
        (JUST_OVER, StartMode.ALL, True, 0),
        (JUST_OVER, StartMode.TURN, True, 9),
        (LONG_OVER, StartMode.TURN, True, 9),
        (None, StartMode.TURN, True, 0),
    ],
)
def test_without_a_cursor(
    turn: NewestTurn | None, mode: StartMode, *, has_left: bool, position: int
) -> None:
    async def left(answer: int) -> bool:
        assert answer == 15
        return has_left

    assert asyncio.run(without_cursor(view(turn), mode, left)) == position


async def _opener_12(at: int, above: int) -> LogEntry | None:
    return opener(12) if above < 12 <= at else None


def start_at(cursor: Cursor, turn: NewestTurn | None) -> tuple[int, int | None, int | None]:
    found = asyncio.run(at_cursor(view(turn), cursor, _opener_12))
    text = found.text
    return (
        found.position,
        None if text is None else text.opener.sequence,
        None if text is None else text.offset,
    )


def test_at_an_event_of_an_open_text_the_text_starts_anew() -> None:
    assert start_at(LogCursor(14), RUNNING) == (14, 12, 0)


def test_at_an_event_before_the_open_text_or_turn_there_is_no_text() -> None:
    assert start_at(LogCursor(11), RUNNING) == (11, None, None)
    assert start_at(LogCursor(5), RUNNING) == (5, None, None)


def test_at_an_event_of_an_ended_turn_there_is_no_text() -> None:
    assert start_at(LogCursor(14), JUST_OVER) == (14, None, None)
    assert start_at(LogCursor(14), None) == (14, None, None)


def test_at_a_delta_the_text_goes_on_whether_or_not_the_turn_does() -> None:
    cursor = TextCursor(sequence=14, opener=12, offset=5)
    assert start_at(cursor, RUNNING) == (14, 12, 5)
    assert start_at(cursor, JUST_OVER) == (14, 12, 5)


def test_a_delta_of_no_known_opener_is_an_event_cursor() -> None:
    assert start_at(TextCursor(sequence=14, opener=13, offset=5), RUNNING) == (14, 12, 0)
    assert start_at(TextCursor(sequence=9, opener=8, offset=5), None) == (9, None, None)


def test_beyond_the_head_it_starts_at_the_head() -> None:
    assert start_at(LogCursor(900), None) == (20, None, None)
    assert start_at(TextCursor(sequence=900, opener=899, offset=5), RUNNING) == (20, 12, 0)


def test_a_message_that_steered_is_where_its_sender_starts() -> None:
    async def left(_answer: int) -> bool:
        raise AssertionError("only asked of a turn that is over")

    steered = replace(RUNNING, newest_input_sequence=14)
    opened = SessionView(SESSION, SESSION, 16, has_open_turn=True, newest_turn=steered)
    assert asyncio.run(without_cursor(opened, StartMode.AUTO, left)) == 13


def test_only_an_answer_after_which_the_stream_stayed_open_counts_as_read() -> None:
    now = [0.0]
    answers = ReadAnswers(monotonic=lambda: now[0])
    assert answers.last() == 0
    answers.add(5)
    assert answers.last() == 5, "the first one is what a caller opened the stream for"
    answers.add(12)
    assert answers.last() == 5, "its reader may be gone by now"
    now[0] += 0.3
    assert answers.last() == 12
    answers.add(20)
    assert answers.last() == 12
    answers.forget()
    assert answers.last() == 0

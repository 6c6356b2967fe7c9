"""Post then stream, and stream then post: both give each question its own answer, always."""

import itertools
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.conditions import wait_until
from tests.system import System
from tests.talk import Json, Reader, Simulate, Talk, sequences_of, text_of, until

ROUNDS = 12
SLOW = {"first_token_delay_ms": 30, "tokens_per_second": 60}


def post_then_stream(talk: Talk, session_id: str, question: str) -> str:
    talk.say(session_id, question)
    with talk.watch(session_id) as events:
        return text_of(until(events, "output.message.completed")[-1])


def post_then_stream_late(talk: Talk, session_id: str, question: str) -> str:
    """The turn is faster than the caller."""
    sequence = talk.say(session_id, question)["sequence"]
    wait_until(
        lambda: (
            talk.log(session_id)[-1]["type"] == "session.idled"
            and talk.log(session_id)[-1]["sequence"] > sequence
        ),
        description="the turn is over",
    )
    with talk.watch(session_id) as events:
        return text_of(until(events, "output.message.completed")[-1])


def stream_then_post(talk: Talk, session_id: str, question: str) -> str:
    with talk.watch(session_id) as events:
        talk.say(session_id, question)
        return text_of(until(events, "output.message.completed")[-1])


Order = Callable[[Talk, str, str], str]
ORDERS: dict[str, tuple[Order, ...]] = {
    "post, stream": (post_then_stream,),
    "post, turn ends, stream": (post_then_stream_late,),
    "stream, post": (stream_then_post,),
    "in turns": (post_then_stream, stream_then_post, post_then_stream_late),
    "in pairs": (post_then_stream, post_then_stream, stream_then_post, stream_then_post),
}


@pytest.fixture
def other(talk: Talk) -> Iterator[Reader]:
    """Somebody who has been watching since the session was made, as the same caller."""
    reader = Reader(talk, talk.open_session(), start="all")
    yield reader
    talk.call("DELETE", f"/sessions/{reader.session_id}", expect=204)
    reader.join()


@pytest.mark.parametrize("behaviour", [{}, SLOW], ids=["instant", "slow"])
@pytest.mark.parametrize("orders", ORDERS.values(), ids=ORDERS)
def test_every_question_gets_its_own_answer_while_another_reader_watches(
    talk: Talk, other: Reader, simulate: Simulate, orders: tuple[Order, ...], behaviour: Json
) -> None:
    simulate(**behaviour)
    session_id = other.session_id
    for number, order in zip(range(ROUNDS), itertools.cycle(orders), strict=False):
        assert order(talk, session_id, f"question {number}") == f"Echo: question {number}"

    log = talk.settle(session_id, turns=ROUNDS)
    wait_until(lambda: other.has_seen(log[-1]["sequence"]), description="the other reader has all")
    assert sequences_of(other.events) == list(range(1, len(log) + 1))


def test_a_reader_that_waits_for_the_end_of_the_turn_gets_it_in_both_orders(talk: Talk) -> None:
    session_id = talk.open_session()
    for number in range(ROUNDS):
        question = f"question {number}"
        if number % 2:
            talk.say(session_id, question)
        with talk.watch(session_id) as events:
            if not number % 2:
                talk.say(session_id, question)
            seen = until(events, "session.idled")

        answers = [text_of(e) for e in seen if e["type"] == "output.message.completed"]
        assert answers == [f"Echo: {question}"]


def test_two_callers_do_not_disturb_each_other(talk: Talk) -> None:
    """What one caller has had says nothing about what another has."""
    session_id = talk.open_session()
    for number in range(4):
        assert post_then_stream(talk, session_id, f"from me {number}") == f"Echo: from me {number}"
        stranger = Talk(str(talk.http.base_url), Authorization="somebody else")
        with stranger.watch(session_id) as events:
            seen = until(events, "output.message.completed")
        stranger.close()
        assert text_of(seen[-1]) == f"Echo: from me {number}"


def test_an_answer_written_to_a_stream_that_its_reader_has_left_was_not_delivered(
    system: System, talk: Talk
) -> None:
    """A proxy passes a client's end on with delay; the next question may be quicker."""
    session_id = talk.open_session()
    front = next(part for part in system.parts if part.name == "front-1")
    direct = Talk(f"http://127.0.0.1:{system.environment['API_PORT']}")
    with talk.watch(session_id) as events:
        talk.say(session_id, "one")
        assert text_of(until(events, "output.message.completed")[-1]) == "Echo: one"
        front.signal(signal.SIGSTOP)
    try:
        direct.say(session_id, "two")
        direct.settle(session_id, turns=2)
    finally:
        front.signal(signal.SIGCONT)
        direct.close()

    with talk.watch(session_id) as events:
        assert text_of(until(events, "output.message.completed")[-1]) == "Echo: two"

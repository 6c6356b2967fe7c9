"""A session is followed over any number of connections."""

from itertools import islice

import httpx
import pytest

from common.terminal.events import Events, SessionGone
from common.terminal.server import Refused, Unreachable
from tests.unit.terminal.stage import SESSION, Json, Stage, event, frame, framed, refusal, stream

ONE, TWO, THREE = (event(number, "turn.started") for number in (1, 2, 3))


def read(stage: Stage, count: int, *, start: str | None = None) -> list[Json]:
    return list(islice(Events(stage.server, SESSION, start=start), count))


def test_a_stream_that_breaks_goes_on_after_the_last_event() -> None:
    stage = Stage(stream(ONE, is_cut=True), stream(TWO), stream(THREE))
    told: list[str] = []
    events = Events(stage.server, SESSION, since="0", on_loss=told.append)
    assert list(islice(events, 3)) == [ONE, TWO, THREE]
    assert stage.asked == [
        {"accumulated": "false", "after_sequence": "0"},
        {"accumulated": "false", "since_id": "e1"},
        {"accumulated": "false", "since_id": "e2"},
    ]
    # An end that was announced, or is none of anybody's fault, is not told.
    assert told == ["the server does not answer (ReadError)"]
    assert events.since == "e3"


def test_one_that_breaks_before_its_first_event_goes_on_from_its_beginning() -> None:
    stage = Stage(stream(is_cut=True, after="7"), stream(ONE))
    assert read(stage, 1, start="live") == [ONE]
    assert stage.asked[0] == {"accumulated": "false", "start": "live"}
    assert stage.asked[1] == {"accumulated": "false", "after_sequence": "7"}


def test_a_server_that_is_away_for_a_while_is_waited_for_longer_each_time() -> None:
    away = [httpx.ConnectError("no") for _ in range(8)]
    stage = Stage(stream(ONE), *away, refusal(503, "starting"), stream(TWO))
    assert read(stage, 2) == [ONE, TWO]
    assert len(stage.pauses) == 10
    assert stage.pauses[2] < 2.1
    assert 15 <= stage.pauses[8] <= 30


def test_one_that_was_never_there_is_given_up() -> None:
    stage = Stage(*[httpx.ConnectError("no") for _ in range(9)])
    with pytest.raises(Unreachable, match="does not answer \\(ConnectError\\)"):
        read(stage, 1)
    assert len(stage.streams) == 5


def test_what_will_not_mend_is_not_tried_again() -> None:
    with pytest.raises(Refused, match=r"Session not found \(404\)"):
        read(Stage(refusal(404, "Session not found")), 1)
    with pytest.raises(Refused, match=r"since_id: not an id \(400\)"):
        read(Stage(stream(ONE), refusal(400, "since_id: not an id")), 2)


def test_what_answers_and_is_no_stream_is_named() -> None:
    page = [httpx.Response(200, html="<p>hello</p>") for _ in range(4)]
    with pytest.raises(Unreachable, match="not everturn"):
        read(Stage(*page), 1)


def test_a_heartbeat_is_no_event() -> None:
    # The library gives an event without data for a comment, once one with an id has come.
    beating = stream(ONE)
    body = beating.content + b": heartbeat\n\n" + framed(TWO)
    assert read(Stage(httpx.Response(200, headers=beating.headers, content=body)), 2) == [ONE, TWO]


def test_the_end_of_a_session_ends_its_events() -> None:
    last = frame("disconnecting", {"reason": "session_deleted", "retry_ms": 1000})
    gone = stream(ONE)
    ending = httpx.Response(200, headers=gone.headers, content=gone.content + last)
    with pytest.raises(SessionGone):
        read(Stage(ending), 2)
    with pytest.raises(SessionGone):
        read(Stage(stream(ONE), refusal(404, "Session not found")), 2)


def test_the_key_is_sent_and_filters_are_repeated() -> None:
    stage = Stage(stream(ONE))
    events = Events(stage.server, "a/b", types=["turn.*", "x"], exclude=["y"])
    assert next(iter(events)) == ONE
    (request,) = stage.requests
    assert request.headers["authorization"] == "Bearer evr_x"
    assert str(request.url) == (
        "http://there/v1/sessions/a%2Fb/sse?accumulated=false&types=turn.%2A&types=x&exclude=y"
    )

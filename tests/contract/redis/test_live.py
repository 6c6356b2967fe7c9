from datetime import UTC, datetime
from uuid import UUID

import pytest
from redis import ConnectionPool, Redis
from redis.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from common.clock import new_id
from common.event_codec import LoggedEvent
from common.live import (
    CONTROL_CHANNEL,
    Live,
    TextChunk,
    left_key,
    live_channel,
    organization_streams_key,
    seen_key,
    streams_key,
    text_key,
)
from common.live_frames import LiveText, SessionGone, decode, live_event
from common.redis_client import Breaker, make_client
from dev.services import free_test_port
from tests.conditions import wait_until
from tests.contract.redis.conftest import CountingConnection, Server, frames, is_quiet

_TTL = 600
_OPENER = 5


def _live(server: Server, *, ttl_seconds: int = _TTL) -> Live:
    return Live(server.client(), Breaker(), text_ttl_seconds=ttl_seconds)


def _chunk(session_id: UUID, start: int, text: str) -> TextChunk:
    return TextChunk(session_id, _OPENER, start, text.encode())


def _event(session_id: UUID, sequence: int) -> LoggedEvent:
    ts = datetime(2026, 1, 15, tzinfo=UTC)
    return LoggedEvent(session_id, sequence, "turn.started", ts, "{}", '{"words":"a\\nb"}')


def _text(server: Server, session_id: UUID) -> bytes | None:
    text = server.client().get(text_key(session_id, _OPENER))
    assert not isinstance(text, str)
    return text


# --- pushing text ---------------------------------------------------------------------


def test_a_chunk_that_fits_is_appended_and_told(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    live = _live(server)
    assert live.push_text([_chunk(session_id, 0, "Héllo\n")]) == [None]
    assert live.push_text([_chunk(session_id, 7, "you\n")]) == [None]
    assert _text(server, session_id) == "Héllo\nyou\n".encode()
    assert [decode(frame) for frame in frames(subscription, 2)] == [
        LiveText(_OPENER, 0, "Héllo\n".encode()),
        LiveText(_OPENER, 7, b"you\n"),
    ]


@pytest.mark.parametrize(
    ("stored", "start", "length"),
    [("Hel", 5, 3), ("Hello you", 5, 9), ("", 5, 0), ("Hello", 0, 5)],
    ids=["shorter", "longer", "missing", "already in"],
)
def test_a_chunk_that_does_not_fit_changes_nothing_and_is_told_to_nobody(
    server: Server, stored: str, start: int, length: int
) -> None:
    session_id = new_id()
    live = _live(server)
    if stored:
        live.push_text([_chunk(session_id, 0, stored)])
    subscription = server.subscribe(live_channel(session_id))
    assert live.push_text([_chunk(session_id, start, " you")]) == [length]
    assert (_text(server, session_id) or b"") == stored.encode()
    assert is_quiet(subscription)


def test_a_repeated_push_is_harmless(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    chunk = _chunk(session_id, 0, "Hello")
    assert live.push_text([chunk]) == [None]
    assert live.push_text([chunk]) == [5]
    assert _text(server, session_id) == b"Hello"


def test_streams_are_pushed_together_and_fail_apart(server: Server) -> None:
    first, second, third = new_id(), new_id(), new_id()
    live = _live(server)
    chunks = [_chunk(first, 0, "one"), _chunk(second, 9, "two"), _chunk(third, 0, "three")]
    assert live.push_text(chunks) == [None, 0, None]
    assert (_text(server, first), _text(server, third)) == (b"one", b"three")


def test_streams_of_one_session_are_kept_apart_by_their_opener(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    live.push_text([_chunk(session_id, 0, "old"), TextChunk(session_id, 9, 0, b"new")])
    assert _text(server, session_id) == b"old"
    assert server.client().get(text_key(session_id, 9)) == b"new"
    assert live.text_length(session_id, 9) == 3
    assert live.text_length(session_id, 10) == 0


def test_a_server_that_forgot_the_script_is_given_it_again(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    live.push_text([_chunk(session_id, 0, "a")])
    server.client().script_flush()
    assert live.push_text([_chunk(session_id, 1, "b"), _chunk(session_id, 2, "c")]) == [None, None]
    assert _text(server, session_id) == b"abc"


def test_each_push_prolongs_the_life_of_the_text(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    live.push_text([_chunk(session_id, 0, "a")])
    assert _TTL - 2 <= server.client().ttl(text_key(session_id, _OPENER)) <= _TTL
    server.client().expire(text_key(session_id, _OPENER), 5)
    live.push_text([_chunk(session_id, 1, "b")])
    assert server.client().ttl(text_key(session_id, _OPENER)) > 5


def test_text_may_be_any_bytes(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    text = bytes(range(256)) + "😀\n".encode()
    assert _live(server).push_text([TextChunk(session_id, 1, 0, text)]) == [None]
    assert decode(frames(subscription, 1)[0]) == LiveText(1, 0, text)
    assert server.client().get(text_key(session_id, 1)) == text


# --- publishing events -------------------------------------------------------------------


def test_events_are_told_in_one_frame(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    events = [_event(session_id, 2), _event(session_id, 3)]
    _live(server).publish(session_id, events)
    assert decode(frames(subscription, 1)[0]) == tuple(map(live_event, events))
    assert is_quiet(subscription)


def test_nothing_is_told_of_nothing(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    _live(server).publish(session_id, [])
    assert is_quiet(subscription)


def test_the_text_s_tail_goes_out_before_the_events_that_follow_it(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    live.push_text([_chunk(session_id, 0, "Hel")])
    subscription = server.subscribe(live_channel(session_id))
    event = _event(session_id, 6)
    live.publish(session_id, [event], tail=_chunk(session_id, 3, "lo"))
    assert [decode(frame) for frame in frames(subscription, 2)] == [
        LiveText(_OPENER, 3, b"lo"),
        (live_event(event),),
    ]
    assert _text(server, session_id) == b"Hello"


def test_a_tail_that_does_not_fit_keeps_no_event_back(server: Server) -> None:
    session_id = new_id()
    live = _live(server)
    live.push_text([_chunk(session_id, 0, "Hello")])
    subscription = server.subscribe(live_channel(session_id))
    event = _event(session_id, 6)
    live.publish(session_id, [event], tail=_chunk(session_id, 9, "gone"))
    assert decode(frames(subscription, 1)[0]) == (live_event(event),)
    assert _text(server, session_id) == b"Hello"


def test_a_forgotten_script_keeps_no_event_back(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    event = _event(session_id, 6)
    server.client().script_flush()
    breaker = Breaker()
    live = Live(server.client(), breaker, text_ttl_seconds=_TTL)
    live.publish(session_id, [event], tail=_chunk(session_id, 0, "tail"))
    assert decode(frames(subscription, 1)[0]) == (live_event(event),)
    assert not breaker.is_open, "it is no outage"


def test_a_deleted_session_is_told(server: Server) -> None:
    session_id = new_id()
    subscription = server.subscribe(live_channel(session_id))
    _live(server).publish_gone(session_id)
    assert decode(frames(subscription, 1)[0]) == SessionGone()


def test_a_session_hears_nothing_of_another(server: Server) -> None:
    session_id, other = new_id(), new_id()
    subscription = server.subscribe(live_channel(session_id))
    live = _live(server)
    live.publish(other, [_event(other, 2)])
    live.push_text([_chunk(other, 0, "secret")])
    live.publish_gone(other)
    assert is_quiet(subscription)


def test_every_worker_hears_of_a_cancel(server: Server) -> None:
    turn_id = new_id()
    control: PubSub = server.client().pubsub()  # type: ignore[no-untyped-call] # redis-py has no types here
    control.subscribe(CONTROL_CHANNEL)
    wait_until(lambda: control.get_message(timeout=0.05), description="the subscription stands")
    _live(server).cancel(turn_id)
    message = wait_until(lambda: control.get_message(timeout=0.05), description="a cancel")
    assert message["data"] == f"cancel {turn_id.hex}".encode()
    control.close()


# --- what it costs, and what an outage costs ------------------------------------------------


def test_a_flush_of_any_number_of_streams_is_one_round_trip(redis_url: str) -> None:
    pool = ConnectionPool.from_url(redis_url, connection_class=CountingConnection)
    live = Live(Redis(connection_pool=pool), Breaker(), text_ttl_seconds=_TTL)
    sessions = [new_id() for _ in range(50)]
    live.push_text([_chunk(each, 0, "a") for each in sessions])  # connects, loads the script
    before = CountingConnection.sent
    assert live.push_text([_chunk(each, 1, "b") for each in sessions]) == [None] * 50
    assert CountingConnection.sent == before + 1
    live.publish(sessions[0], [_event(sessions[0], 2)], tail=_chunk(sessions[0], 2, "c"))
    assert CountingConnection.sent == before + 2
    live.publish(sessions[0], [_event(sessions[0], 3)])
    assert CountingConnection.sent == before + 3
    pool.disconnect()


@pytest.mark.timeout(5)
def test_without_redis_nothing_is_raised_and_the_breaker_opens() -> None:
    free = free_test_port()
    client = make_client(f"redis://127.0.0.1:{free}/0", timeout_seconds=0.3)
    breaker = Breaker()
    live = Live(client, breaker, text_ttl_seconds=_TTL)
    with pytest.raises(RedisConnectionError):
        client.ping()
    session_id = new_id()
    with pytest.raises(RedisConnectionError):
        client.ping()
    assert live.push_text([_chunk(session_id, 0, "a")]) is None
    assert breaker.is_open
    live.publish(session_id, [_event(session_id, 1)])
    live.publish_gone(session_id)
    live.cancel(new_id())
    assert live.text_length(session_id, _OPENER) == 0


def test_all_names_of_a_session_are_kept_together_in_a_cluster() -> None:
    session_id = new_id()
    tag = f"{{{session_id.hex}}}"
    names = [
        live_channel(session_id),
        text_key(session_id, 3),
        streams_key(session_id),
        seen_key(session_id, "caller"),
        left_key(session_id, "caller"),
    ]
    assert all(name.startswith(f"everturn:{tag}:") for name in names)
    assert len(set(names)) == len(names)
    assert organization_streams_key(session_id) not in names

"""I8 against every kind of bad luck: losses, repeats, reordering, reconnections, outages."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.cursor import TextCursor, decode_cursor
from common.domain.events import TypeFilter
from tests.unit.streaming.simulated import SESSION, Client, Server, settle

Step = tuple[Any, ...]

WORDS = st.text(alphabet='aé"\\\n\U0001f600\x01', min_size=1, max_size=6)

# What becomes of the frames that are on their way; mostly they arrive.
FATES: list[Step] = [
    ("deliver", 9),
    ("deliver", 9),
    ("deliver", 9),
    ("deliver", 1),
    ("lose", 1),
    ("lose", 9),
    ("repeat",),
    ("swap",),
    ("wait",),
]
TROUBLES: list[Step] = [
    *[("wait",)] * 8,
    *[("reconnect", unread, fresh) for unread in range(4) for fresh in (False, True)],
    ("note",),
    ("note",),
    ("think_late",),
    ("think",),
    ("acknowledge",),
    ("poll",),
    ("lose_texts",),
    ("release",),
    ("redis_fails",),
    ("database_fails",),
]
LUCK = st.tuples(st.sampled_from(FATES), st.sampled_from(TROUBLES)).map(list)
SAYING = st.tuples(WORDS.map(lambda words: ("say", words)), LUCK)
ENDINGS = st.one_of(
    st.tuples(st.just("complete"), st.one_of(st.just(""), WORDS), st.booleans()),
    st.just(("fail",)),
    st.just(("wait",)),  # superseded by the next
)


def _steps_of(
    turn: tuple[list[Step], list[Step], list[tuple[Step, list[Step]]], Step, list[Step]],
) -> list[Step]:
    thinking, opened, sayings, ending, ended = turn
    return [*thinking, ("open",), *opened, *_said(sayings), ending, *ended]


def _said(sayings: list[tuple[Step, list[Step]]]) -> list[Step]:
    return [step for words, luck in sayings for step in (words, *luck)]


# Before the answer, or instead of it when what follows is a new stream or an end.
THINKING = st.one_of(
    st.just([]),
    st.tuples(LUCK, st.lists(SAYING, max_size=3)).map(
        lambda thought: [("think",), *thought[0], *_said(thought[1])]
    ),
)
TURN = st.tuples(THINKING, LUCK, st.lists(SAYING, min_size=1, max_size=5), ENDINGS, LUCK).map(
    _steps_of
)
TURNS = st.lists(TURN, min_size=1, max_size=4)
FILTERS = st.sampled_from(
    [
        TypeFilter(),
        TypeFilter(types=("output.message.*",)),
        TypeFilter(types=("output.message.delta",)),
        TypeFilter(exclude=("output.message.started", "session.title.updated")),
        TypeFilter(exclude=("output.message.delta",)),
        TypeFilter(exclude=("reason.thinking.delta",)),
        TypeFilter(types=("reason.thinking.*",)),
        TypeFilter(exclude=("output.message.delta", "reason.thinking.*")),
    ]
)


@settings(max_examples=500, deadline=None)
@given(TURNS, FILTERS, st.integers(0, 3))
def test_whatever_happens_each_event_arrives_once_and_texts_are_exact(
    turns: list[list[Step]], types: TypeFilter, start: int
) -> None:
    asyncio.run(_play([step for turn in turns for step in turn], types, start))


async def _play(steps: list[Step], types: TypeFilter, start: int) -> None:
    server = Server()
    for _ in range(3):
        server.note()
    server.frames.clear()
    client = Client(server, types, start=start)
    client.connect(is_fresh_process=True)
    client.take()
    for step in steps:
        server.pass_time()
        client.subscription._resume()  # the pause after a failed read is over
        _do(step, server, client)
        await settle()
        client.take()
    await _come_to_rest(server, client)
    _check(server, client, types, start)


def _do(step: Step, server: Server, client: Client) -> None:
    match step:
        case ("open",):
            server.open()
        case ("think",):
            server.think()
        case ("think_late",):
            server.think_late()
        case ("say", words):
            server.say(words)
        case ("complete", rest, pushes):
            server.complete(rest, pushes=pushes)
        case ("fail",):
            server.fail()
        case ("note",):
            server.note()
        case ("deliver", count):
            for frame in server.frames[:count]:
                client.watch.take_frame(frame)
            del server.frames[:count]
        case ("wait",):
            pass
        case ("lose", count):
            del server.frames[-count:]
        case ("repeat",):
            server.frames[:1] *= 2
        case ("swap",):
            server.frames[:2] = reversed(server.frames[:2])
        case ("acknowledge",):
            client.watch.acknowledge()
        case ("poll",):
            client.watch.hear(server.head)
        case ("lose_texts",):
            server.lose_texts()
        case ("release",):
            if client.watch.buffer.opener != server.opener:
                client.watch._release(client.watch.buffer.opener)
        case ("redis_fails",):
            server.redis_fails_for = 4
        case ("database_fails",):
            server.database_fails_for = 4
        case ("reconnect", unread, is_fresh_process):
            client.lose_connection(unread=unread)
            client.connect(is_fresh_process=is_fresh_process)
        case _:
            raise AssertionError(step)


async def _come_to_rest(server: Server, client: Client) -> None:
    """PostgreSQL answers and is asked; Redis need not come back."""
    server.database_fails_for = 0
    for _ in range(server.head + 5):
        client.subscription._resume()
        client.watch.hear(server.head)
        await settle()
        client.take()
    client.subscription.close()
    client.watch.close()
    await settle()


def _check(server: Server, client: Client, types: TypeFilter, start: int) -> None:
    received = client.received
    expected = [
        event.sequence
        for event in server.log
        if event.sequence > start and types.admits(event.type)
    ]
    assert [event["sequence"] for event in received if "sequence" in event] == expected
    _check_texts(server, received, types)


def _check_texts(server: Server, received: list[dict[str, Any]], types: TypeFilter) -> None:
    """Deltas stand between their opener and its end, and add up to the final text."""
    texts: dict[int, str] = {}
    for event in received:
        if "sequence" in event:
            continue
        opener = _opener_of(event)
        began_as = server.log[opener - 1].type
        assert event["type"] == began_as.replace("started", "delta")
        assert types.admits(event["type"])
        text = texts.get(opener, "") + event["data"]["delta"]
        texts[opener] = text
        accumulated = event["data"].get("accumulated")
        assert accumulated is None or accumulated == text
    for sequence, final in server.finals.items():
        if texts.get(sequence):
            assert texts[sequence] == final


def _opener_of(delta: dict[str, Any]) -> int:
    cursor = decode_cursor(SESSION, delta["id"])
    assert isinstance(cursor, TextCursor)
    return cursor.opener

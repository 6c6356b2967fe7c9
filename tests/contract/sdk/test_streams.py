"""`events.stream` of the official client: filters, resuming, forced cycles."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from everruns_sdk import Controls, Event, Everruns
from everruns_sdk.sse import EventStream, StreamOptions
from httpx_sse import SSEError

from dev.services import free_test_port
from tests.conditions import wait_until
from tests.contract.sdk.following import (
    DELTA,
    answers,
    following,
    read_through,
    stopped_when,
    stored,
    streamed_text,
    until,
)
from tests.system import System
from tests.talk import Simulate, Talk

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]

WORDS = " ".join(f"word{number}" for number in range(40)) + " ± Schluß ☕"


def speaking(tokens_per_second: float) -> Controls:
    response = {"type": "fixed", "text": WORDS}
    hints = {"llmsim": {"response": response, "tokens_per_second": tokens_per_second}}
    return Controls(hints=hints)


@pytest.fixture(scope="module")
def cycling_url(system: System) -> str:
    """The same system through another stream process, which closes streams each second."""
    ports = {"STREAM_PORT": str(free_test_port()), "PORT": str(free_test_port())}
    parts = [
        system.start("stream", SSE_REALTIME_CYCLE_SECS="1", **ports),
        system.start("front", **ports),
    ]
    system.wait_ready(*parts)
    return f"http://127.0.0.1:{ports['PORT']}/api"


@pytest.fixture
async def cycling(cycling_url: str) -> AsyncIterator[Everruns]:
    async with Everruns("evr_pat_any", base_url=cycling_url) as client:
        yield client


async def test_a_turn_from_its_message_to_its_end(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    message = await sdk.messages.create(session.id, "Tell me", controls=speaking(200))

    seen = await read_through(sdk.events.stream(session.id), "session.idled")

    assert seen[0].type == "input.message"
    assert seen[0].data["message"]["id"] == message.id
    assert stored(seen) == [event.sequence for event in await sdk.events.list(session.id)][1:]
    assert streamed_text(seen) == WORDS
    assert answers(seen) == [WORDS]
    assert {event.context.turn_id for event in seen[1:]} == {seen[1].data["turn_id"]}


async def test_each_delta_carries_the_text_so_far(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(150))

    seen = await read_through(sdk.events.stream(session.id), "session.idled")

    text = ""
    for event in (event for event in seen if event.type == DELTA):
        text += event.data["delta"]
        assert event.data["accumulated"] == text
    assert text == WORDS


async def test_only_the_types_that_were_asked_for(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    wanted = ["turn.started", "output.message.completed", "turn.completed"]
    async with following(sdk.events.stream(session.id, types=wanted)) as events:
        for question in ("one", "two"):
            await sdk.messages.create(session.id, question)
            seen = await until(events, "turn.completed")
            assert [event.type for event in seen] == wanted
            assert answers(seen) == [f"Echo: {question}"]


async def test_everything_but_what_is_excluded(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(200))

    stream = EventStream(sdk, session.id, StreamOptions.exclude_deltas())
    seen = await read_through(stream, "session.idled")

    assert DELTA not in {event.type for event in seen}
    assert stored(seen) == [event.sequence for event in await sdk.events.list(session.id)][1:]


@pytest.mark.parametrize("cut_after", [1, 4, 9])
async def test_resuming_in_mid_text_continues_at_the_character(
    sdk: Everruns, cut_after: int
) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(60))
    deltas: list[Event] = []

    def is_cut(event: Event) -> bool:
        deltas.extend([event] if event.type == DELTA and event.data["delta"] else [])
        return len(deltas) == cut_after

    first = await stopped_when(sdk.events.stream(session.id), is_cut)
    rest = sdk.events.stream(session.id, since_id=first[-1].id)
    second = await read_through(rest, "session.idled")

    assert 0 < len(streamed_text(first)) < len(WORDS)
    assert streamed_text(first) + streamed_text(second) == WORDS
    numbers = stored(first) + stored(second)
    assert numbers == list(range(2, len(numbers) + 2))


async def test_resuming_after_the_text_has_ended_brings_the_rest_of_it(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(150))
    first = await stopped_when(
        sdk.events.stream(session.id), lambda event: len(event.data.get("accumulated", "")) > 30
    )
    await read_through(sdk.events.stream(session.id), "session.idled")

    second = await read_through(
        sdk.events.stream(session.id, since_id=first[-1].id), "session.idled"
    )

    assert streamed_text(first) + streamed_text(second) == WORDS
    numbers = stored(first) + stored(second)
    assert numbers == list(range(2, len(numbers) + 2))


async def test_a_stream_that_is_cycled_in_mid_text_loses_and_repeats_nothing(
    cycling: Everruns, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="everruns_sdk.sse")
    session = await cycling.sessions.create()
    await cycling.messages.create(session.id, "Tell me", controls=speaking(24))

    seen = await read_through(cycling.events.stream(session.id), "session.idled")

    assert caplog.text.count("reason=connection_cycle") >= 2
    assert streamed_text(seen) == WORDS
    assert answers(seen) == [WORDS]
    assert stored(seen) == list(range(2, len(stored(seen)) + 2))


async def test_turns_at_every_moment_of_a_cycle(
    cycling: Everruns, talk: Talk, simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    """Some of them run while the stream is being reopened."""
    caplog.set_level("DEBUG", logger="everruns_sdk.sse")
    simulate(first_token_delay_ms=90)
    session = await cycling.sessions.create()
    questions = [f"number {number}" for number in range(24)]
    async with (
        following(cycling.events.stream(session.id)) as events,
        asyncio.TaskGroup() as tasks,
    ):
        reading = tasks.create_task(until(events, "session.idled", times=len(questions)))
        for number, question in enumerate(questions, start=1):
            await cycling.messages.create(session.id, question)
            await asyncio.to_thread(talk.settle, session.id, turns=number)

    seen = reading.result()
    assert caplog.text.count("reason=connection_cycle") >= 2
    assert answers(seen) == [f"Echo: {question}" for question in questions]
    assert stored(seen)[-1] - stored(seen)[0] == len(stored(seen)) - 1
    assert len(set(stored(seen))) == len(stored(seen))


async def test_a_stream_goes_on_at_another_process(sdk: Everruns, cycling: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(40))
    seen: list[Event] = []
    for client in (sdk, cycling, sdk, cycling):
        since = seen[-1].id if seen else None
        half = len(streamed_text(seen)) + 40

        def has_more(event: Event, half: int = half) -> bool:
            return len(event.data.get("accumulated", "")) >= half

        stream = client.events.stream(session.id, since_id=since)
        seen += await stopped_when(stream, has_more)

    seen += await read_through(sdk.events.stream(session.id, since_id=seen[-1].id), "session.idled")

    assert streamed_text(seen) == WORDS
    assert stored(seen) == list(range(2, len(stored(seen)) + 2))


async def test_cursorless_readers_in_both_orders(
    sdk: Everruns, simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="everruns_sdk.sse")
    session = await sdk.sessions.create()
    for number in range(10):
        simulate(**({"tokens_per_second": 80} if number % 3 else {}))
        question = f"number {number}"
        if number % 2:
            await sdk.messages.create(session.id, question)
        async with asyncio.TaskGroup() as tasks:
            caplog.clear()
            stream = sdk.events.stream(session.id)
            reading = tasks.create_task(read_through(stream, "turn.completed"))
            if not number % 2:
                await asyncio.to_thread(
                    wait_until, lambda: "SSE connected" in caplog.text, description="connected"
                )
                await sdk.messages.create(session.id, question)

        assert answers(reading.result()) == [f"Echo: {question}"]


@pytest.mark.parametrize(
    "stream",
    [
        {"session_id": "session_01933b5a00007000800000000000dead"},
        {"options": StreamOptions(types=["no.such.type"], max_retries=0)},
        {"options": StreamOptions(since_id="nonsense", max_retries=0)},
    ],
)
async def test_a_stream_that_cannot_be_is_refused_before_it_starts(
    sdk: Everruns, stream: dict[str, object]
) -> None:
    """The client sees an answer that is no stream, whatever its status."""
    session = await sdk.sessions.create()
    options = stream.get("options", StreamOptions(max_retries=0))
    assert isinstance(options, StreamOptions)
    refused = EventStream(sdk, str(stream.get("session_id", session.id)), options)

    with pytest.raises(SSEError):
        await read_through(refused, "session.idled")


async def test_the_place_in_a_text_is_a_cursor_for_lists_too(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Tell me", controls=speaking(150))
    seen = await read_through(sdk.events.stream(session.id), "session.idled")
    delta = next(event for event in seen if event.type == DELTA)
    opener = seen[seen.index(delta) - 1].sequence
    assert opener is not None

    after = await sdk.events.list(session.id, since_id=delta.id)

    assert stored(after) == list(range(opener + 1, stored(seen)[-1] + 1))

"""The official client reopens a stream on which nothing has happened for 45 s."""

import asyncio
import time

import pytest
from everruns_sdk import Event, Everruns
from everruns_sdk.sse import DEFAULT_IDLE_TIMEOUT_SECS, EventStream

from tests.conditions import wait_until
from tests.contract.sdk.following import answers, following, stored
from tests.talk import Talk

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]

_QUESTION = "Are you still there?"


@pytest.mark.slow
async def test_after_more_than_45_idle_seconds_the_next_turn_comes_exactly_once(
    sdk: Everruns, talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    """Side by side, to wait only once: four streams of four sessions.

    One has had a turn, one the creation of its session, one nothing for its filter
    hides all there is, and one had nothing to come because it resumed at the end.
    """
    caplog.set_level("DEBUG", logger="everruns_sdk.sse")
    names = ("had a turn", "untouched", "filtered", "resumed")
    sessions = {name: (await sdk.sessions.create(title=name)).id for name in names}
    for name in ("had a turn", "resumed"):
        await sdk.messages.create(sessions[name], "Hello?")
        await asyncio.to_thread(talk.settle, sessions[name])
    last_id = (await sdk.events.list(sessions["resumed"]))[-1].id
    streams = {
        "had a turn": sdk.events.stream(sessions["had a turn"]),
        "untouched": sdk.events.stream(sessions["untouched"]),
        "filtered": sdk.events.stream(
            sessions["filtered"], types=["output.message.completed", "turn.completed"]
        ),
        "resumed": sdk.events.stream(sessions["resumed"], since_id=last_id),
    }
    seen: dict[str, list[Event]] = {name: [] for name in names}
    started_at = time.monotonic()

    async with asyncio.TaskGroup() as tasks:
        for name, stream in streams.items():
            tasks.create_task(_read_second_turn(name, stream, seen[name]))
        await asyncio.to_thread(
            wait_until,
            lambda: caplog.text.count("SSE idle timeout") == len(names),
            description="every stream was idle for so long that its client reopens it",
            timeout_seconds=DEFAULT_IDLE_TIMEOUT_SECS + 10,
        )
        assert time.monotonic() - started_at >= DEFAULT_IDLE_TIMEOUT_SECS
        # The clients are between two connections now.
        for session_id in sessions.values():
            await sdk.messages.create(session_id, _QUESTION)

    for name in names:
        assert answers(seen[name])[-1] == f"Echo: {_QUESTION}", name
        assert answers(seen[name]).count(f"Echo: {_QUESTION}") == 1, name
        assert len(set(stored(seen[name]))) == len(stored(seen[name])), name
    for name in ("had a turn", "untouched", "resumed"):
        numbers = stored(seen[name])
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), name
    assert answers(seen["had a turn"]) == ["Echo: Hello?", f"Echo: {_QUESTION}"]
    assert answers(seen["resumed"]) == [f"Echo: {_QUESTION}"]


async def _read_second_turn(name: str, stream: EventStream, seen: list[Event]) -> None:
    """Read until the turn that begins after the pause is over."""
    async with following(stream) as events:
        async for event in events:
            seen.append(event)
            turns = sum(event.type == "turn.completed" for event in seen)
            if turns == (2 if name == "had a turn" else 1):
                return

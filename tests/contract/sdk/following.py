"""Read the official client's streams, and close them when done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from everruns_sdk import Event
from everruns_sdk.sse import EventStream

DELTA = "output.message.delta"
_PATIENCE_SECONDS = 30.0


@asynccontextmanager
async def following(stream: EventStream) -> AsyncIterator[AsyncIterator[Event]]:
    """A stream's events; its connection is closed at the end of the block."""
    try:
        async with aclosing(aiter(stream)) as events:
            yield events
    finally:
        stream.stop()
        await stream.aclose()


async def until(events: AsyncIterator[Event], kind: str, *, times: int = 1) -> list[Event]:
    """Read up to and including the given occurrence of a kind."""

    def is_enough(event: Event) -> bool:
        nonlocal times
        times -= event.type == kind
        return times == 0

    return await read_to(events, is_enough)


async def read_to(events: AsyncIterator[Event], is_enough: Callable[[Event], bool]) -> list[Event]:
    """Read up to and including the first event that is enough.

    The client takes a cancelled read for the end of its stream, so a wait in vain
    ends in the assertion too.
    """
    seen: list[Event] = []
    async with asyncio.timeout(_PATIENCE_SECONDS):
        async for event in events:
            seen.append(event)
            if is_enough(event):
                return seen
    raise AssertionError(f"waited in vain after {[event.type for event in seen]}")


async def read_through(stream: EventStream, kind: str) -> list[Event]:
    """A stream's events up to the first of a kind."""
    async with following(stream) as events:
        return await until(events, kind)


async def stopped_when(stream: EventStream, is_enough: Callable[[Event], bool]) -> list[Event]:
    """A stream's events up to the first that is enough."""
    async with following(stream) as events:
        return await read_to(events, is_enough)


def stored(events: list[Event]) -> list[int]:
    """The numbers of the events that are in the log, as they arrived."""
    return [event.sequence for event in events if event.sequence is not None]


def streamed_text(events: list[Event]) -> str:
    return "".join(event.data["delta"] for event in events if event.type == DELTA)


def answers(events: list[Event]) -> list[str]:
    return [
        event.data["message"]["content"][0]["text"]
        for event in events
        if event.type == "output.message.completed"
    ]

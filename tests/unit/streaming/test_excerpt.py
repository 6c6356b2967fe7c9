"""A turn within its session's log: where it ends, however the log is read."""

import asyncio
import json
from typing import Any

import pytest

from api.streaming.relay import Relay
from api.streaming.subscription import Subscription
from api.streaming.watch import Watch
from api.streaming.workflow import OVER, Excerpt, Workflow
from common.domain.events import EventType, TypeFilter
from common.live_frames import encode_events
from tests.unit.streaming.simulated import SESSION, Server, logged, settle

MINE, OTHER = "turn_1", "turn_2"

STARTED, ANSWERED = EventType.TURN_STARTED, EventType.OUTPUT_COMPLETED
COMPLETED, IDLED = EventType.TURN_COMPLETED, EventType.SESSION_IDLED


def filled(*events: tuple[str, str | None]) -> Server:
    """A log of types, each with its turn."""
    server = Server()
    for kind, turn in events:
        context = {} if turn is None else {"turn_id": turn}
        server.log.append(logged(server.head + 1, kind, {}, **context))
    return server


class Watching:
    """One subscriber of the workflow, who has the log up to `position`."""

    def __init__(self, server: Server, *, ended_at: int | None, position: int = 0) -> None:
        self.watch = Watch(SESSION, server, has_open_turn=ended_at is None)
        reader: Any = server
        self.subscription = Subscription(
            self.watch,
            Relay(position, TypeFilter(), self.watch.buffer),
            reader,
            with_accumulated=False,
            excerpt=Excerpt(Workflow(MINE, SESSION, 0, ended_at), position),
        )
        self.watch.subscribers = {self.subscription}
        self.received: list[int] = []
        self.answers: list[int] = []

    async def run(self, *, rounds: int = 10) -> None:
        for _ in range(rounds):
            if self.subscription.is_ended:
                return
            for write in self.subscription.take():
                assert write.data
                self.answers.append(write.answer)
                for frame in write.data.split(b"\n\n")[:-1]:
                    event = json.loads(frame.split(b"data: ", 1)[1])
                    self.received.append(event["sequence_num"])
            await settle()

    @property
    def is_over(self) -> bool:
        return OVER.encode() in self.subscription.farewell


def watched(server: Server, **fields: Any) -> Watching:
    async def scene() -> Watching:
        watching = Watching(server, **fields)
        await watching.run()
        watching.subscription.close()
        return watching

    return asyncio.run(scene())


@pytest.mark.parametrize("before", range(4))
def test_the_end_is_shown_whole_wherever_a_slice_of_the_log_ends(before: int) -> None:
    """The simulated log is read by three events at a time."""
    others = [(ANSWERED, OTHER)] * before
    ending = [(STARTED, MINE), (COMPLETED, MINE), (ANSWERED, MINE), (IDLED, MINE)]
    watching = watched(filled(*others, *ending), ended_at=before + 2)
    assert watching.received == [before + place for place in (1, 2, 3, 4)]
    assert watching.is_over


def test_of_what_follows_the_turn_no_more_than_a_slice_is_read() -> None:
    server = filled((STARTED, MINE), (COMPLETED, MINE), (IDLED, MINE), *[(ANSWERED, OTHER)] * 60)
    for position, received in ((0, [1, 2, 3]), (2, [3]), (3, [])):
        server.reads = 0
        watching = watched(server, ended_at=2, position=position)
        assert (watching.received, watching.is_over) == (received, True)
        assert server.reads <= 2


def test_what_is_not_the_turns_comes_between_and_is_not_shown() -> None:
    between = [(EventType.INPUT_MESSAGE, None), (EventType.SESSION_TITLE_UPDATED, OTHER)]
    server = filled((STARTED, MINE), *between, (COMPLETED, MINE), *between)
    watching = watched(server, ended_at=4)
    assert watching.received == [1, 4]
    assert set(watching.answers) == {0}
    assert watching.is_over


def test_a_turn_that_is_open_goes_on_until_its_end_is_told() -> None:
    async def scene() -> None:
        server = filled((COMPLETED, OTHER), (STARTED, MINE))
        watching = Watching(server, ended_at=None)
        await watching.run()
        assert (watching.received, watching.subscription.is_ended) == ([2], False)
        ending = [logged(3, COMPLETED, {}, turn_id=MINE), logged(4, IDLED, {}, turn_id=MINE)]
        server.log += ending
        watching.watch.take_frame(encode_events(ending))
        await watching.run()
        assert (watching.received, watching.is_over) == ([2, 3, 4], True)
        watching.subscription.close()

    asyncio.run(scene())

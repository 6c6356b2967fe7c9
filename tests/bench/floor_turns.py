"""Users of the least turn, timed as those of ours are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from uuid import UUID

from common.clock import new_id
from tests.bench.http_client import Connection, request_bytes
from tests.bench.limits.floor import TABLE, channel_of
from tests.bench.primitives import broker_of_noops
from tests.bench.site import Site, free_port
from tests.bench.sse_client import Reader
from tests.bench.talking import Marks, message

_LONGEST_TURN_SECONDS = 60.0
# The user's own and the turn's beginning.
_MESSAGES_BEFORE_TEXT = 2


class FloorUser:
    """Sends a message and waits for its end on a stream, as `Speaker` does."""

    def __init__(self, turn_id: UUID, connection: Connection) -> None:
        self._connection = connection
        self._request = request_bytes("POST", f"/{turn_id}", message())
        self._ended: asyncio.Future[float] | None = None
        self._told: list[float] = []
        self._turn = asyncio.Lock()
        self._reader: Reader | None = None

    @classmethod
    async def open(cls, site: Site) -> Self:
        turn_id = new_id()
        user = cls(turn_id, await Connection.open(site.parts["floorapi"].port))
        reader = Reader(request_bytes("GET", f"/{channel_of(turn_id)}"), user._take)
        user._reader = await Reader.open(site.parts["rawrelay"].port, reader)
        return user

    async def turn(self, due: float) -> Marks:
        """One turn; of the marks only the answer's, the text's and the end's are set."""
        async with self._turn:
            marks = Marks(due)
            self._told = []
            self._ended = asyncio.get_running_loop().create_future()
            marks.answered = (await self._connection.ask(self._request)).at - due
            marks.idled = await asyncio.wait_for(self._ended, _LONGEST_TURN_SECONDS) - due
            marks.first_delta = self._told[_MESSAGES_BEFORE_TEXT] - due
            return marks

    def close(self) -> None:
        self._connection.close()
        if self._reader is not None:
            self._reader.close()

    def _take(self, kind: bytes, _data: bytes, at: float) -> None:
        if kind == b"raw":
            self._told.append(at)
        elif kind == b"end" and self._ended is not None and not self._ended.done():
            self._ended.set_result(at)


@contextmanager
def floor_parts(site: Site) -> Iterator[None]:
    """The processes of the least turn, the worker of empty tasks being there."""
    site.execute(TABLE)
    broker = broker_of_noops(site)
    with (
        site.with_part("floorapi", API_PORT=free_port(), BROKER_URL=broker),
        site.with_part("rawrelay", STREAM_PORT=free_port()),
    ):
        yield


async def floor_users(site: Site, number: int) -> list[FloorUser]:
    """So many, each with one turn behind them."""
    users = [await FloorUser.open(site) for _ in range(number)]
    await asyncio.sleep(0.3)  # until Redis has all subscriptions
    for each in users:
        await each.turn(time.monotonic())
    return users

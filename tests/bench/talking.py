"""Users: each with a session, a connection to the api and a stream, timed at both.

Load is open: a turn is due at its time whatever became of the one before, and everything
is counted from when it was due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import orjson

from tests.bench.http_client import Connection, request_bytes
from tests.bench.site import Site
from tests.bench.sse_client import Reader, stream_request

CREATED = 201
WORDS = "Tell me about the harbour, the ferries and the weather there in spring."
_LONGEST_TURN_SECONDS = 60.0


@dataclass(slots=True)
class Marks:
    """When things were seen, in seconds since the turn was due."""

    due: float
    answered: float = 0.0
    started: float = 0.0
    first_delta: float = 0.0
    idled: float = 0.0
    deltas: int = 0
    text: list[str] = field(default_factory=list)
    final: str = ""
    completed: float = 0.0

    @property
    def first_text(self) -> float:
        """The first delta, or the whole answer where there was none."""
        return self.first_delta or self.completed


class User(Protocol):
    """Whoever can have a turn."""

    async def turn(self, due: float) -> Marks:
        """Have one that is due at that moment of the monotonic clock."""

    def close(self) -> None:
        """Hang up."""


class Speaker:
    """One user with one session."""

    def __init__(
        self, session_id: str, connection: Connection, message: bytes, *, keeps_text: bool
    ) -> None:
        self.session_id = session_id
        self._connection = connection
        self._message = message
        self._keeps_text = keeps_text
        self._marks = Marks(0.0)
        self._idled: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()
        self._reader: Reader | None = None

    @classmethod
    async def open(
        cls, site: Site, session_id: str, body: object, *, keeps_text: bool = False
    ) -> Self:
        connection = await Connection.open(site.parts["api"].port)
        path = f"/v1/sessions/{session_id}/messages"
        speaker = cls(
            session_id, connection, request_bytes("POST", path, body), keeps_text=keeps_text
        )
        reader = Reader(stream_request(session_id, start="live"), speaker._take)
        await Reader.open(site.parts["stream"].port, reader)
        speaker._reader = reader
        return speaker

    async def turn(self, due: float) -> Marks:
        """Send the message and see the turn to its end."""
        async with self._turn:
            self._marks = marks = Marks(due)
            self._idled = asyncio.get_running_loop().create_future()
            answer = await self._connection.ask(self._message)
            if answer.status != CREATED:
                raise ConnectionError(f"{answer.status} {answer.body[:200]!r}")
            marks.answered = answer.at - due
            await asyncio.wait_for(self._idled, _LONGEST_TURN_SECONDS)
            return marks

    def close(self) -> None:
        self._connection.close()
        if self._reader is not None:
            self._reader.close()

    def _take(self, kind: bytes, data: bytes, at: float) -> None:
        marks = self._marks
        since = at - marks.due
        if kind == b"output.message.delta":
            marks.first_delta = marks.first_delta or since
            marks.deltas += 1
            if self._keeps_text:
                marks.text.append(orjson.loads(data)["data"]["delta"])
        elif kind == b"turn.started":
            marks.started = marks.started or since
        elif kind == b"output.message.completed":
            marks.completed = since
            if self._keeps_text:
                message = orjson.loads(data)["data"]["message"]
                marks.final = "".join(part["text"] for part in message["content"])
        elif kind == b"session.idled":
            marks.idled = since
            if self._idled is not None and not self._idled.done():
                self._idled.set_result(None)


def message(words: str = WORDS, **llmsim: Any) -> dict[str, Any]:
    """A message; `llmsim` says how the simulated model answers it, at once if nothing does."""
    body: dict[str, Any] = {"content": [{"type": "text", "text": words}]}
    if llmsim:
        body["controls"] = {"hints": {"llmsim": llmsim}}
    return {"message": body}


async def speakers(
    site: Site, number: int, body: object, *, keeps_text: bool = False
) -> list[Speaker]:
    """So many users, each with a fresh session and one turn behind them."""
    ids = await site.open_sessions(number)
    opened = [await Speaker.open(site, each, body, keeps_text=keeps_text) for each in ids]
    for each in opened:
        await each.turn(time.monotonic())
    return opened


def close_all(users: Sequence[User]) -> None:
    for each in users:
        each.close()


async def closed_loop(users: Sequence[User], seconds: float) -> tuple[float, list[Marks]]:
    """Each user goes on as soon as the turn is over: turns a second, and their marks."""
    found: list[Marks] = []
    began = time.monotonic()

    async def go_on(user: User) -> None:
        while (now := time.monotonic()) < began + seconds:
            found.append(await user.turn(now))

    await asyncio.gather(*map(go_on, users))
    return len(found) / (time.monotonic() - began), found


async def open_loop(
    users: Sequence[User], rate: float, seconds: float
) -> tuple[list[Marks], float]:
    """Turns at a fixed rate, in turn from each user; their marks, and seconds until all ended."""
    began = time.monotonic()
    running: list[asyncio.Task[Marks]] = []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        await until(due)
        running.append(asyncio.create_task(users[number % len(users)].turn(due)))
    marks = await asyncio.gather(*running)
    return list(marks), time.monotonic() - began


async def until(moment: float) -> None:
    """Wait for a moment of the monotonic clock."""
    pause = moment - time.monotonic()
    if pause > 0:
        await asyncio.sleep(pause)

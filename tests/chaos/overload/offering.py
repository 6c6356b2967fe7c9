"""Messages offered at a rate that does not care for the answers, as the world does.

Each goes to a session of its own, over as many connections as it takes.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import orjson

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_PATIENCE_SECONDS: Final = 15.0
# Shorter than the server keeps them, as clients do.
_KEPT_SECONDS: Final = 15.0
# Beyond that it is the offering that is overloaded.
_MOST_CONNECTIONS: Final = 1_000
_BODY: Final = orjson.dumps({"message": {"content": [{"type": "text", "text": "Hello"}]}})


@dataclass(frozen=True, slots=True)
class Target:
    """A session and whose it is, as they are written in a request."""

    session: str
    organization: str


@dataclass
class Outcome:
    """What came of what was offered.

    Attributes:
        refused: how often, by status and code.
        broken: requests without an answer, by what went wrong.
        not_sent: for want of connections.
        without_wait: refusals that do not say when to try again.
    """

    accepted: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    not_sent: int = 0
    without_wait: int = 0
    accepted_seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)

    @property
    def offered(self) -> int:
        return len(self.accepted) + self.refused.total() + self.broken.total()


class Offering:
    """One api's port; for one event loop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, Connection]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self.outcome = Outcome()

    async def run(self, targets: Sequence[Target], *, rate: float) -> Outcome:
        """Offer a message to each, so many a second, and wait for the last answers."""
        began = time.monotonic()
        for number, target in enumerate(targets):
            pause = began + number / rate - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            if len(self._under_way) >= _MOST_CONNECTIONS:
                self.outcome.not_sent += 1
                continue
            task = asyncio.create_task(self._offer(target))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)
        for _, (_, writer) in self._idle:
            writer.close()
        return self.outcome

    async def _offer(self, target: Target) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                status, head, body = await self._exchange(_request(target))
        except (OSError, EOFError, TimeoutError) as failure:
            self.outcome.broken[type(failure).__name__] += 1
            return
        seconds = time.monotonic() - began
        if status == HTTPStatus.CREATED:
            self.outcome.accepted.append(orjson.loads(body)["id"])
            self.outcome.accepted_seconds.append(seconds)
            return
        self.outcome.refused[f"{status} {orjson.loads(body)['code']}"] += 1
        self.outcome.refused_seconds.append(seconds)
        self.outcome.without_wait += b"\r\nretry-after:" not in head

    async def _exchange(self, request: bytes) -> tuple[int, bytes, bytes]:
        reader, writer = self._kept() or await self._connect()
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"\r\nconnection: close" in head:
            writer.close()
        else:
            self._idle.append((time.monotonic(), (reader, writer)))
        return int(head.split(b" ", 2)[1]), head, body

    def _kept(self) -> Connection | None:
        """A connection that the server has not closed meanwhile, nor is about to."""
        while self._idle:
            since, (reader, writer) = self._idle.pop()
            if not reader.at_eof() and time.monotonic() - since < _KEPT_SECONDS:
                return reader, writer
            writer.close()
        return None

    async def _connect(self) -> Connection:
        return await asyncio.open_connection("127.0.0.1", self._port)


def _request(target: Target) -> bytes:
    head = (
        f"POST /v1/sessions/{target.session}/messages HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nX-Org-Id: {target.organization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY

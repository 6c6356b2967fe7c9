"""The events of a session, each once and in order, whatever happens to connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from common.terminal.server import (
    NOT_OURS,
    Json,
    Refused,
    Server,
    Unreachable,
    jittered,
    unreachable,
    words_of,
)

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
# A stream that was never opened is tried so often; one that was, for ever.
_FIRST_TRIES: Final = 3
_SERVER_FAULTS: Final = HTTPStatus.INTERNAL_SERVER_ERROR


class SessionGone(Exception):
    """The session was deleted while it was watched."""


@dataclass
class Events:
    """Follows one session; iterate over it once.

    Attributes:
        since: an event's id or number to go on after; moves on with what was read.
        start: where to begin without one: `turn`, `live` or `all`.
        on_loss: told when a connection was lost, with what happened.
    """

    server: Server
    session_id: str
    since: str | None = None
    start: str | None = None
    types: Sequence[str] = ()
    exclude: Sequence[str] = ()
    on_loss: Callable[[str], None] = field(default=lambda _: None)
    _losses: int = 0
    _is_open: bool = False

    def __iter__(self) -> Iterator[Json]:
        """The events, without end.

        Raises:
            SessionGone: there will be no more.
            Refused: the server will not show them.
            Unreachable: it could not be reached in the first place.
        """
        while True:
            try:
                yield from self._connection()
                pause = jittered(_FIRST_PAUSE_SECONDS)
            except Refused as refused:
                self._give_up_on(refused)
                pause = self._loss(f"the server says {refused}")
            except Unreachable as failure:
                if not self._is_open and self._losses >= _FIRST_TRIES:
                    raise
                pause = self._loss(str(failure))
            self.server.pause(pause)

    def _connection(self) -> Iterator[Json]:
        path = f"/sessions/{quote(self.session_id, safe='')}/sse"
        try:
            with connect_sse(self.server.http, "GET", path, params=self._query()) as source:
                self._begin(source.response)
                for frame in source.iter_sse():
                    event = self._read(frame)
                    if event is not None:
                        yield event
        except httpx.TransportError as failure:
            raise unreachable(failure) from failure

    def _begin(self, reply: httpx.Response) -> None:
        if not reply.is_success:
            reply.read()
            raise Refused(reply.status_code, words_of(reply))
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            raise Unreachable(NOT_OURS)
        # A stream that is lost before its first event goes on from where it began.
        self.since = self.since or reply.headers.get("x-after-sequence")

    def _read(self, frame: ServerSentEvent) -> Json | None:
        """The event of a frame; None for those that are of the connection itself."""
        if not frame.data:  # a heartbeat, which the library gives us once there was an id
            return None
        told = json.loads(frame.data)
        if frame.event == "connected":
            self._is_open, self._losses = True, 0
            return None
        if frame.event == "disconnecting":
            if told.get("reason") == "session_deleted":
                raise SessionGone
            return None
        event: Json = told
        self.since = event["id"]
        return event

    def _query(self) -> list[tuple[str, str]]:
        query = [("accumulated", "false")]
        if self.since is not None:
            name = "after_sequence" if self.since.isdecimal() else "since_id"
            query.append((name, self.since))
        elif self.start is not None:
            query.append(("start", self.start))
        query += [("types", kind) for kind in self.types]
        query += [("exclude", kind) for kind in self.exclude]
        return query

    def _give_up_on(self, refused: Refused) -> None:
        if refused.status == HTTPStatus.NOT_FOUND and self._is_open:
            raise SessionGone from refused
        if refused.status < _SERVER_FAULTS and not refused.is_passing:
            raise refused
        if not self._is_open and self._losses >= _FIRST_TRIES:
            raise refused

    def _loss(self, words: str) -> float:
        self.on_loss(words)
        longest = min(_FIRST_PAUSE_SECONDS * 2**self._losses, _LONGEST_PAUSE_SECONDS)
        self._losses = min(self._losses + 1, 10)
        return jittered(longest)

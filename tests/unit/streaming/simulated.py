"""A session, its worker, Redis and PostgreSQL in miniature, with every kind of bad luck.

Only the transport is simulated: watch, subscription, relay, buffer, framing and the
start at a cursor are the real ones.
"""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.streaming.entry import LogEntry
from api.streaming.log_reader import ReadSlice
from api.streaming.relay import Relay
from api.streaming.start import Start, at_cursor
from api.streaming.subscription import Subscription
from api.streaming.watch import Watch
from common.domain.cursor import TextCursor, decode_cursor
from common.domain.events import OPENER_TYPES, EventType, TypeFilter
from common.event_codec import LoggedEvent
from common.live_frames import encode_events, encode_text, live_event
from common.storage.relay import DatabaseUnavailable, NewestTurn, SessionView

SESSION = UUID("019bb2c0-a200-7a11-b200-aabbccddeeff")
_TS = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
_SLICE = 3
# An event's type, data and what its context has beside the turn.
Kind = tuple[str, dict[str, Any], dict[str, Any]]


def logged(sequence: int, kind: str, data: dict[str, Any], **context: Any) -> LoggedEvent:
    return LoggedEvent(SESSION, sequence, kind, _TS, json.dumps(context), json.dumps(data))


@dataclass
class Server:
    """The log, the text and the frames that are on their way."""

    log: list[LoggedEvent] = field(default_factory=list)
    texts: dict[int, bytes] = field(default_factory=dict)
    frames: list[bytes] = field(default_factory=list)
    finals: dict[int, str] = field(default_factory=dict)
    redis_fails_for: int = 0
    database_fails_for: int = 0
    is_gone: bool = False
    fault: Exception | None = None
    reads: int = 0
    opener: int = 0
    said: str = ""
    pushed: int = 0
    is_thinking: bool = False
    first_input: int = 0

    @property
    def head(self) -> int:
        return len(self.log)

    @property
    def is_redis_up(self) -> bool:
        return self.redis_fails_for == 0

    def pass_time(self) -> None:
        self.redis_fails_for = max(0, self.redis_fails_for - 1)
        self.database_fails_for = max(0, self.database_fails_for - 1)

    # --- the worker -------------------------------------------------------------

    def append(self, *kinds: Kind) -> None:
        first = self.head + 1
        events = [
            logged(first + place, kind, data, turn_id="turn_1", **context)
            for place, (kind, data, context) in enumerate(kinds)
        ]
        self.log += events
        if self.is_redis_up:
            self.frames.append(encode_events(events))

    def note(self) -> None:
        self.append((EventType.SESSION_TITLE_UPDATED, {"title": "t"}, {}))

    def open(self) -> None:
        """A new stream; one that was open is superseded, thinking is completed."""
        opener: Kind = (EventType.OUTPUT_STARTED, {"turn_id": "turn_1", "message_id": "m"}, {})
        if self.is_thinking:
            self.finals[self.opener] = self.said
            thinking = {"turn_id": "turn_1", "thinking": self.said}
            context = {"stream_sequence": self.opener}
            self.append((EventType.THINKING_COMPLETED, thinking, context), opener)
        else:
            self.append((EventType.REASON_STARTED, {}, {}), opener)
        self._begins_text(is_thinking=False)

    def think(self) -> None:
        """A new stream of thinking; one that was open is superseded."""
        thinking: Kind = (EventType.THINKING_STARTED, {"turn_id": "turn_1"}, {})
        self.append((EventType.REASON_STARTED, {}, {}), thinking)
        self._begins_text(is_thinking=True)

    def think_late(self) -> None:
        """Thinking that is told as a whole, whatever is open."""
        thinking = {"turn_id": "turn_1", "thinking": "hm"}
        self.append((EventType.THINKING_COMPLETED, thinking, {}))

    def _begins_text(self, *, is_thinking: bool) -> None:
        self.opener, self.said, self.pushed = self.head, "", 0
        self.is_thinking = is_thinking

    def say(self, words: str) -> None:
        self.said += words
        self.push()

    def push(self) -> None:
        """Send what was not sent, as `common.live` does; again if Redis has something else."""
        text = self.said.encode()
        for _ in range(2):
            chunk = text[self.pushed :]
            if not self.is_redis_up or not chunk:
                return
            held = self.texts.get(self.opener, b"")
            if len(held) != self.pushed:
                self.pushed = min(len(held), len(text))
                continue
            self.texts[self.opener] = held + chunk
            self.frames.append(encode_text(self.opener, self.pushed, chunk))
            self.pushed = len(text)

    def complete(self, rest: str, *, pushes: bool) -> None:
        if self.is_thinking:
            self.open()
        self.said += rest
        if pushes:
            self.push()
        self.finals[self.opener] = self.said
        message = {"content": [{"type": "text", "text": self.said}]}
        self.append(
            (EventType.OUTPUT_COMPLETED, {"message": message}, {"stream_sequence": self.opener}),
            (EventType.TURN_COMPLETED, {}, {}),
        )
        self.opener = 0

    def fail(self) -> None:
        """A text that stays without its end, and an apology that is none of it."""
        self.is_thinking = False
        apology = {"content": [{"type": "text", "text": "sorry"}]}
        self.append(
            (EventType.TURN_FAILED, {}, {}),
            (EventType.OUTPUT_COMPLETED, {"message": apology}, {}),
        )
        self.opener = 0

    def lose_texts(self) -> None:
        """Redis came back empty."""
        self.texts.clear()

    # --- what the stream process asks ---------------------------------------------

    async def read(self, _session_id: UUID, second: int, third: int | None = None) -> Any:
        """`LogReader.read` with two arguments, `TextSource.read` with three."""
        await asyncio.sleep(0)
        if third is not None:
            if not self.is_redis_up:
                return None
            return self.texts.get(second, b"")[third:]
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        if self.database_fails_for:
            raise DatabaseUnavailable
        if self.is_gone:
            return ReadSlice((), None)
        found = self.log[second : second + _SLICE]
        return ReadSlice(tuple(LogEntry(live_event(event)) for event in found), self.head)

    async def find_opener(self, at: int, above: int) -> LogEntry | None:
        edges = (
            EventType.OUTPUT_STARTED,
            EventType.OUTPUT_COMPLETED,
            EventType.THINKING_STARTED,
            EventType.TURN_COMPLETED,
            EventType.TURN_FAILED,
        )
        for event in reversed(self.log[above:at]):
            ends_thinking = (
                event.type == EventType.THINKING_COMPLETED and "stream_sequence" in event.context
            )
            if event.type in edges or ends_thinking:
                is_opener = event.type in OPENER_TYPES
                return LogEntry(live_event(event)) if is_opener else None
        return None


@dataclass
class Client:
    """What one client has received over all its connections."""

    server: Server
    types: TypeFilter = field(default_factory=TypeFilter)
    units: list[list[dict[str, Any]]] = field(default_factory=list)
    start: int = 0
    watch: Watch = field(init=False)
    subscription: Subscription = field(init=False)
    kept: int = 0

    def connect(self, *, is_fresh_process: bool) -> None:
        if is_fresh_process or not hasattr(self, "watch"):
            self.watch = Watch(SESSION, self.server, has_open_turn=True)
        start = _now(self._start())
        relay = Relay(start.position, self.types, self.watch.buffer, text=start.text)
        reader: Any = self.server
        self.subscription = Subscription(self.watch, relay, reader, with_accumulated=True)
        self.watch.subscribers = {self.subscription}
        self.kept = len(self.units)

    async def _start(self) -> Start:
        if not self.units:
            return Start(self.start)
        cursor = decode_cursor(SESSION, self.units[-1][-1]["id"])
        turn = NewestTurn(self.server.first_input, self.server.first_input, None, None)
        view = SessionView(SESSION, SESSION, self.server.head, has_open_turn=True, newest_turn=turn)
        return await at_cursor(view, cursor, self.server.find_opener)

    def lose_connection(self, *, unread: int) -> None:
        """Of what this connection brought, the newest `unread` units never got here."""
        self.subscription.close()
        del self.units[max(self.kept, len(self.units) - unread) :]

    def take(self) -> None:
        """Receive what the server writes."""
        for write in self.subscription.take():
            is_after_event = False
            for frame in write.data.split(b"\n\n")[:-1]:
                event = json.loads(frame.split(b"data: ", 1)[1])
                if is_after_event and _starts_within(event):
                    # An event in mid-text and the place in the text go out together.
                    self.units[-1].append(event)
                else:
                    self.units.append([event])
                is_after_event = "sequence" in event

    @property
    def received(self) -> list[dict[str, Any]]:
        return [event for unit in self.units for event in unit]


def _starts_within(event: dict[str, Any]) -> bool:
    """Whether it is a delta that goes on with a text rather than beginning it."""
    cursor = decode_cursor(SESSION, event["id"])
    return isinstance(cursor, TextCursor) and cursor.offset > len(event["data"]["delta"].encode())


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(12):
        await asyncio.sleep(0)


def _now(start: Any) -> Start:
    """The result of a coroutine that waits for nothing."""
    try:
        start.send(None)
    except StopIteration as done:
        result: Start = done.value
        return result
    raise AssertionError("it waits")

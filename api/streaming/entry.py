"""A persisted event as all subscribers of the process share it.  Pure.

Its frame, its final text and what its deltas have in common are made once, when first
asked for, however many subscribers there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import orjson

from api.streaming.sse import escaped, event_frame
from common.domain.events import DELTA_TYPES, TERMINAL_TYPES, EventType
from common.domain.message import text_of
from common.live_frames import LiveEvent

_TIME_IN_BODY: Final = slice(len(b'{"id":"event_'), len(b'{"id":"event_') + 12)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the deltas of one text stream have in common.

    Attributes:
        ts: the opener's; no delta is older.
        head: JSON members from `session_id` up to the start of `data`'s own.
    """

    ts: datetime
    head: bytes


class LogEntry:
    """A persisted event; `finishes` is the opener whose stream it completes, else 0."""

    def __init__(self, event: LiveEvent) -> None:
        self.event = event
        self.sequence = event.sequence
        self.type = event.type
        self.finishes = event.finishes

    @property
    def committed_ms(self) -> int | None:
        """When, in ms since the epoch: its id begins with that; None of another release's."""
        try:
            return int(self.event.body[_TIME_IN_BODY], 16)
        except ValueError:
            return None

    @property
    def size(self) -> int:
        """Bytes it keeps in memory, about."""
        return len(self.event.body)

    @property
    def is_opener(self) -> bool:
        return self.type in DELTA_TYPES

    @property
    def delta_type(self) -> EventType:
        """As what its text goes out; only for an opener."""
        return DELTA_TYPES[self.type]

    @property
    def closes_text(self) -> bool:
        """Whether no text stream is open after it: any message of the agent and a turn's end.

        Thinking that was not streamed ends nothing, and may be told while an answer is.
        """
        is_end = self.type == EventType.OUTPUT_COMPLETED or self.type in TERMINAL_TYPES
        return is_end or self.finishes > 0

    @cached_property
    def frame(self) -> bytes:
        """The event as it is sent."""
        return event_frame(self.event)

    @cached_property
    def text(self) -> bytes:
        """The whole text of the stream that it completes, UTF-8."""
        data = orjson.loads(self.event.body)["data"]
        if self.type == EventType.THINKING_COMPLETED:
            return str(data["thinking"]).encode()
        return text_of(data["message"]).encode()

    @cached_property
    def escaped_text(self) -> bytes:
        return escaped(self.text)

    @cached_property
    def opening(self) -> Opening:
        """What its deltas say beside the text; only for an opener."""
        event = orjson.loads(self.event.body)
        shown = {
            name: event["data"][name]
            for name in ("turn_id", "message_id", "iteration")
            if name in event["data"]
        }
        # Without the closing braces: the text's own members follow.
        common = {"session_id": event["session_id"], "context": event["context"], "data": shown}
        head = orjson.dumps(common)[1:-2]
        return Opening(datetime.fromisoformat(event["ts"]), head + (b"," if shown else b""))

"""Decide what one subscriber is sent, so that it misses and repeats nothing (I8).  Pure.

Fed with events in any order and number, from the live channel and from the log alike:
an event passes when it is the next one, is ignored when it is old, and otherwise shows
that the log has to be read.  So it never matters which of the two was faster, and a
lost, doubled or late frame does no harm.

Text has no numbers of its own.  It belongs to its opener, goes out only after that and
before the event that completes it, and counts in bytes from the stream's start.

What running tool calls report is live only: whoever is behind does without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.streaming.entry import LogEntry
from api.streaming.text_buffer import TextBuffer
from common.domain.cursor import MAX_OFFSET, TextCursor
from common.domain.events import DELTA_TYPES, TypeFilter
from common.live_frames import LiveReport


@dataclass(slots=True)
class OpenText:
    """The text stream this subscriber is in: it has the first `offset` bytes."""

    opener: LogEntry
    offset: int


@dataclass(frozen=True, slots=True)
class Delta:
    """Text to send: bytes `start` to `end` of the opener's stream, possibly none.

    Attributes:
        sequence: how far the subscriber has the log; part of the delta's id.
        completed: the event to take the text from; None when it is in the buffer.
    """

    opener: LogEntry
    sequence: int
    start: int
    end: int
    completed: LogEntry | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A report to send; `cursor` is where the subscriber stands, as after any delta."""

    report: LiveReport
    cursor: TextCursor


Output = LogEntry | Delta | Reported


class Relay:
    """Where one subscriber stands.

    Attributes:
        position: sequence of the last event that was sent or filtered out.
        wants_text: whether deltas of any kind pass the filter.
        text: the open text stream; None too when its deltas are filtered out.
    """

    def __init__(
        self,
        position: int,
        types: TypeFilter,
        buffer: TextBuffer,
        *,
        text: OpenText | None = None,
    ) -> None:
        self.position = position
        self.wants_text = any(map(types.admits, DELTA_TYPES.values()))
        self.text = text if text is not None and types.admits(text.opener.delta_type) else None
        self._types = types
        self._buffer = buffer
        # Until a read of the log is done: it may have grown since the position was chosen.
        self._owes_read = True
        self._known = position
        # Until an event has passed, the one at the position may be an opener.
        self._may_be_at_opener = True
        self._reports = 0

    @property
    def is_behind(self) -> bool:
        """Whether the log holds more, or may: then the next thing is to read it."""
        return self._owes_read or self.position < self._known

    def pass_on(self, entries: Iterable[LogEntry | LiveReport]) -> list[Output]:
        """What to send for these events, oldest first; stops at a gap."""
        outputs: list[Output] = []
        for entry in entries:
            if isinstance(entry, LiveReport):
                outputs += self._report(entry)
                continue
            if entry.sequence <= self.position:
                continue
            if entry.sequence > self.position + 1:
                self.has_heard_of(entry.sequence)
                break
            outputs += self._pass(entry)
        return outputs

    def has_heard_of(self, sequence: int) -> None:
        """The log is at least this long."""
        self._known = max(self._known, sequence)

    def begins_to_read(self) -> None:
        """What was heard so far no longer counts: the log itself is asked."""
        self._owes_read = self.is_behind
        self._known = self.position

    def has_read(self, last_sequence: int) -> None:
        """The read that was begun ended; the log went up to this number at that time."""
        self._owes_read = False
        self.has_heard_of(last_sequence)

    def take_text(self) -> Delta | None:
        """New text to send, if there is any.

        A subscriber that is behind gets no text of a stream that it has not begun: by
        now that may be complete, and then its event says it all.
        """
        if not self.wants_text:
            return None
        # Text of an opener that was not sent is a gap in the log.
        self.has_heard_of(self._buffer.opener)
        return self._new_text()

    def _new_text(self) -> Delta | None:
        buffer, text = self._buffer, self.text
        if text is None or buffer.opener != text.opener.sequence or buffer.end <= text.offset:
            return None
        if self.is_behind and text.offset == 0:
            return None
        delta = Delta(text.opener, self.position, text.offset, buffer.end)
        text.offset = buffer.end
        return delta

    def _report(self, report: LiveReport) -> Iterable[Output]:
        if self.is_behind or self.position < 1 or not self._types.admits(report.type):
            return
        opener, offset = self.position, 0
        if self.text is not None:
            opener, offset = self.text.opener.sequence, self.text.offset
        elif not self._may_be_at_opener:
            # It resumes no text, so the number is free to tell ids of one moment apart.
            offset = self._reports = self._reports % MAX_OFFSET + 1
        yield Reported(report, TextCursor(self.position, opener, offset))

    def _pass(self, entry: LogEntry) -> Iterable[Output]:
        yield from self._tail(entry)
        self.position = entry.sequence
        self._may_be_at_opener = entry.is_opener
        self._follow(entry)
        if not self._types.admits(entry.type):
            return
        yield entry
        if self.text is not None and self.text.offset > 0:
            # The newest id that the client has must go on saying where in the text it is.
            offset = self.text.offset
            yield Delta(self.text.opener, self.position, offset, offset)

    def _tail(self, entry: LogEntry) -> Iterable[Output]:
        """What is missing of a stream that was begun, now that its event completes it."""
        text = self.text
        if text is None or entry.finishes != text.opener.sequence:
            return
        delta = self._new_text()
        start = text.offset if delta is None else delta.start
        # From the event, not from the buffer: another stream may open in the same breath,
        # and the buffer turns to it before this is written.
        if text.offset > 0 and start < len(entry.text):
            yield Delta(text.opener, self.position, start, len(entry.text), entry)

    def _follow(self, entry: LogEntry) -> None:
        """An opener supersedes the stream before it; some events close it."""
        if entry.is_opener:
            self.text = OpenText(entry, 0) if self._types.admits(entry.delta_type) else None
        elif entry.closes_text:
            self.text = None

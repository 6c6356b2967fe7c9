"""A session that is being watched: what its subscribers in this process share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol
from uuid import UUID

import structlog

from api.streaming.bell import Bell
from api.streaming.entry import LogEntry
from api.streaming.relay import Delta, Reported
from api.streaming.sse import delta_frame, escaped, report_frame
from api.streaming.text_buffer import Push, TextBuffer
from common.clock import now, now_milliseconds
from common.domain.cursor import TextCursor, delta_id
from common.domain.events import EventType
from common.event_codec import milliseconds, show_time
from common.live_frames import LiveReport, LiveText, MalformedFrame, SessionGone, decode

_RELEASE_SECONDS: Final = 1.0
_CACHED_DELTAS: Final = 8

_log = structlog.get_logger()


class Subscriber(Protocol):
    """What a watch tells a subscriber; none of it blocks."""

    wants_text: bool

    def offer(self, entries: tuple[LogEntry, ...]) -> None:
        """Events that were committed together."""

    def offer_report(self, report: LiveReport) -> None:
        """What a running call reports."""

    def hear(self, last_sequence: int) -> None:
        """The log goes up to this number."""

    def wake(self) -> None:
        """There is more text."""

    def recheck(self) -> None:
        """Events may have been lost: the log is to be read."""

    def end(self, reason: str, *, retry_ms: int) -> None:
        """The stream is to be closed."""


class TextSource(Protocol):
    """Where all of a text stream is kept while it lasts."""

    async def read(self, session_id: UUID, opener: int, start: int) -> bytes | None:
        """The text from `start` on; None when it cannot be asked just now."""


class Watch:
    """One watched session.

    Attributes:
        acknowledged: set once frames of the session are sure to arrive.
        has_open_turn: decides how often PostgreSQL is asked about it.
        users: how many streams hold it, those included that are just opening.
    """

    def __init__(
        self,
        session_id: UUID,
        texts: TextSource,
        *,
        has_open_turn: bool,
        note_lag: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """`note_lag` is told how old events are that come over the live channel."""
        self.session_id = session_id
        self.has_open_turn = has_open_turn
        self.users = 0
        self.acknowledged = Bell()
        self.buffer = TextBuffer()
        self.subscribers: set[Subscriber] = set()
        self._texts = texts
        self._note_lag = note_lag
        self._is_text_missing = False
        self._fetch: asyncio.Task[None] | None = None
        self._deltas: dict[tuple[object, ...], bytes] = {}

    # --- what happens to the session -----------------------------------------

    def acknowledge(self) -> None:
        """Frames arrive from now on; what was sent before may be lost."""
        self.acknowledged.set()
        for subscriber in self.subscribers:
            subscriber.recheck()
        if self.buffer.is_open:
            self._miss_text()

    def take_frame(self, data: bytes) -> None:
        """Pass a frame of the live channel on to everyone."""
        try:
            frame = decode(data)
        except MalformedFrame:
            # Another release's, perhaps: what it says is in the log too.
            _log.warning("malformed_frame", session_id=str(self.session_id))
            for subscriber in self.subscribers:
                subscriber.recheck()
            return
        if isinstance(frame, SessionGone):
            self.end()
        elif isinstance(frame, LiveText):
            self._take_text(frame)
        elif isinstance(frame, LiveReport):
            for subscriber in self.subscribers:
                subscriber.offer_report(frame)
        else:
            self._take_events(tuple(LogEntry(event) for event in frame))

    def hear(self, last_sequence: int) -> None:
        """The log goes up to this number, says PostgreSQL."""
        for subscriber in self.subscribers:
            subscriber.hear(last_sequence)
        if self._is_text_missing:
            self._miss_text()

    def end(self) -> None:
        """The session is gone."""
        for subscriber in self.subscribers:
            subscriber.end("session_deleted", retry_ms=1000)

    def close(self) -> None:
        """The last subscriber has left."""
        if self._fetch is not None:
            self._fetch.cancel()

    # --- what a subscriber finds in the log ------------------------------------

    def observe(self, entries: Iterable[LogEntry]) -> None:
        """Take note of events, wherever they came from."""
        for entry in entries:
            if entry.type == EventType.SESSION_IDLED:
                self.has_open_turn = False
            elif entry.type in (EventType.INPUT_MESSAGE, EventType.TURN_STARTED):
                self.has_open_turn = True
            if entry.sequence > self.buffer.opener > 0 and entry.closes_text:
                opener = self.buffer.opener
                # Not at once: most subscribers are just about to take the last of it.
                asyncio.get_running_loop().call_later(_RELEASE_SECONDS, self._release, opener)

    def follow(self, opener: int) -> None:
        """A subscriber came to this open stream by way of the log, so has missed chunks."""
        if self.buffer.follow(opener) or self._is_text_missing:
            self._miss_text()

    # --- frames ------------------------------------------------------------------

    def delta_frame(self, delta: Delta, *, with_accumulated: bool) -> bytes:
        """The delta as it is sent; made once for all who stand at the same place."""
        key = (delta.opener.sequence, delta.sequence, delta.start, delta.end, with_accumulated)
        frame = self._deltas.get(key)
        if frame is None:
            frame = self._make_delta(delta, with_accumulated=with_accumulated)
            while len(self._deltas) >= _CACHED_DELTAS:
                del self._deltas[next(iter(self._deltas))]
            self._deltas[key] = frame
        return frame

    def _make_delta(self, delta: Delta, *, with_accumulated: bool) -> bytes:
        accumulated: bytes | None = None
        if delta.completed is not None:
            text = escaped(delta.completed.text[delta.start : delta.end])
            accumulated = delta.completed.escaped_text
        elif self.buffer.opener == delta.opener.sequence:
            text = self.buffer.part(delta.start, delta.end)
            accumulated = self.buffer.accumulated(delta.end) if with_accumulated else None
        else:
            text = b""  # a mark of a stream whose text is not here any more
        opening = delta.opener.opening
        ts = max(now(), opening.ts)
        cursor = TextCursor(delta.sequence, delta.opener.sequence, delta.end)
        return delta_frame(
            delta.opener.delta_type,
            event_id=delta_id(self.session_id, cursor, milliseconds(ts)),
            ts=show_time(ts),
            head=opening.head,
            delta=text,
            accumulated=accumulated if with_accumulated else None,
        )

    def report_frame(self, reported: Reported) -> bytes:
        """The report as one subscriber is sent it."""
        event_id = delta_id(self.session_id, reported.cursor, milliseconds(now()))
        report = reported.report
        return report_frame(report.type, report.body, event_id=event_id)

    # --- inside ----------------------------------------------------------------------

    def _take_events(self, entries: tuple[LogEntry, ...]) -> None:
        committed = entries[-1].committed_ms if entries else None
        if committed is not None:
            self._note_lag((now_milliseconds() - committed) / 1000)
        for entry in entries:
            if entry.is_opener:
                # Its text begins now, so none of it has been missed.
                self.buffer.follow(entry.sequence)
        self.observe(entries)
        for subscriber in self.subscribers:
            subscriber.offer(entries)

    def _take_text(self, chunk: LiveText) -> None:
        if not self._is_text_wanted():
            self._is_text_missing = True
            return
        result = self.buffer.push(chunk.opener, chunk.start, chunk.text)
        if result is Push.GAP:
            self._miss_text()
        if result is not Push.KNOWN:
            self._wake()

    def _is_text_wanted(self) -> bool:
        return any(subscriber.wants_text for subscriber in self.subscribers)

    def _wake(self) -> None:
        for subscriber in self.subscribers:
            if subscriber.wants_text:
                subscriber.wake()

    def _release(self, opener: int) -> None:
        if self.buffer.opener == opener:
            self.buffer.release()

    def _miss_text(self) -> None:
        """Fetch what is kept of the stream; again if more is missed meanwhile."""
        self._is_text_missing = True
        if self._fetch is None and self._is_text_wanted():
            self._fetch = asyncio.create_task(self._fetch_text())
            self._fetch.add_done_callback(self._has_fetched)

    async def _fetch_text(self) -> None:
        while self._is_text_missing:
            self._is_text_missing = False
            opener, start = self.buffer.opener, self.buffer.end
            found = await self._texts.read(self.session_id, opener, start)
            if found is None:
                self._is_text_missing = True  # until the next look at PostgreSQL
                return
            if found and self.buffer.push(opener, start, found) is Push.GREW:
                self._wake()

    def _has_fetched(self, _task: asyncio.Task[None]) -> None:
        self._fetch = None

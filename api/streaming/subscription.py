"""One subscriber: its bounded inbox, its relay, and what is to be written next.

Nothing here waits.  Others put things in and wake the stream's task, which takes what
there is to write.  Events that are not taken in time are dropped, not kept: the relay
then sees a gap and reads the log at the subscriber's own pace (I11).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from api.streaming.bell import Bell
from api.streaming.entry import LogEntry
from api.streaming.log_reader import LogReader, ReadSlice
from api.streaming.relay import Delta, Output, Relay, Reported
from api.streaming.sse import HEARTBEAT, disconnecting_frame
from api.streaming.watch import Watch
from api.streaming.workflow import OVER, OVER_RETRY_MS, Excerpt
from common.domain.events import TERMINAL_TYPES
from common.live_frames import LiveReport
from common.logs import place_of
from common.storage.relay import ANSWER_TYPES, DatabaseUnavailable

_INBOX_EVENTS: Final = 256
_INBOX_BYTES: Final = 1024 * 1024
_WRITE_BYTES: Final = 64 * 1024
# Before the log is read again that could not be read, or did not hold what was heard of.
_READ_PAUSE_SECONDS: Final = 0.5
_ANSWERS: Final = frozenset({*ANSWER_TYPES, *TERMINAL_TYPES})

# Whether it is done; otherwise the stream's task has to be woken to finish it.
WriteAtOnce = Callable[[bytes], bool]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that go out together.

    Attributes:
        answer: sequence of the newest event in it that tells how a turn went, else 0.
    """

    data: bytes
    answer: int = 0


class Subscription:
    """Use it from one event loop.

    Attributes:
        is_ended: nothing is to be sent any more, but what `farewell` returns.
    """

    def __init__(
        self,
        watch: Watch,
        relay: Relay,
        reader: LogReader,
        *,
        with_accumulated: bool,
        on_full: Callable[[], None] = lambda: None,
        excerpt: Excerpt | None = None,
    ) -> None:
        """Make one that gets nothing yet.

        Args:
            watch: the session's.
            relay: where the client stands.
            reader: of the log.
            with_accumulated: whether deltas bring the text so far.
            on_full: called when the client was too slow for what came.
            excerpt: of what is to be shown; None for all.
        """
        self.wants_text = relay.wants_text
        self.is_ended = False
        self._watch = watch
        self._relay = relay
        self._reader = reader
        self._with_accumulated = with_accumulated
        self._on_full = on_full
        self._excerpt = excerpt
        self._has_news = Bell()
        self._inbox: list[LogEntry | LiveReport] = []
        self._inbox_bytes = 0
        self._must_read = False
        self._is_paused = False
        self._is_beat_due = False
        self._slice: ReadSlice | None = None
        self._read: asyncio.Task[None] | None = None
        self._farewell = b""
        self._write_at_once: WriteAtOnce | None = None

    def may_write_by(self, write_at_once: WriteAtOnce) -> None:
        """Let text that comes while the stream's task waits be written without it."""
        self._write_at_once = write_at_once

    # --- what it is told ------------------------------------------------------

    def offer(self, entries: tuple[LogEntry, ...]) -> None:
        """Events that were committed together; all are dropped when there is no room."""
        self._inbox.extend(entries)
        self._inbox_bytes += sum(entry.size for entry in entries)
        if len(self._inbox) > _INBOX_EVENTS or self._inbox_bytes > _INBOX_BYTES:
            newest = entries[-1].sequence
            self._empty_inbox()
            self._on_full()
            self.hear(newest)
        self._has_news.set()

    def offer_report(self, report: LiveReport) -> None:
        """What a running call reports; dropped when there is no room, or its event may be lost."""
        size = len(report.body)
        is_full = len(self._inbox) >= _INBOX_EVENTS or self._inbox_bytes + size > _INBOX_BYTES
        if is_full or self._must_read:
            return
        self._inbox.append(report)
        self._inbox_bytes += size
        self._has_news.set()

    def hear(self, last_sequence: int) -> None:
        """The log goes up to this number."""
        self._relay.has_heard_of(last_sequence)
        if self._relay.is_behind:
            self._has_news.set()

    def recheck(self) -> None:
        """Events may have been lost: read the log."""
        self._must_read = True
        self._has_news.set()

    def wake(self) -> None:
        """There is more to take."""
        if not self._is_written_at_once():
            self._has_news.set()

    def beat(self) -> None:
        """A heartbeat is due."""
        self._is_beat_due = True
        self._has_news.set()

    def end(self, reason: str, *, retry_ms: int) -> None:
        """Close the stream after what is at hand, telling the client why."""
        if not self.is_ended:
            self._farewell = disconnecting_frame(reason, retry_ms=retry_ms)
            self.cut()

    def cut(self) -> None:
        """Close the stream: the client is gone, or cannot be helped."""
        self.is_ended = True
        self._has_news.set()

    # --- what it gives ----------------------------------------------------------

    async def news(self) -> None:
        """Wait until there may be something to take."""
        await self._has_news.wait()
        self._has_news.clear()

    def take(self) -> list[Write]:
        """What is to be written now, and start reading the log if that is called for."""
        before, has_read = self._relay.position, self._slice is not None
        outputs = [*self._take_slice(), *self._relay.pass_on(self._empty_inbox())]
        delta = self._relay.take_text()
        if delta is not None:
            if outputs and _is_mark(outputs[-1]):
                outputs.pop()
            outputs.append(delta)
        if self._relay.text is not None and not self._relay.is_behind:
            self._watch.follow(self._relay.text.opener.sequence)
        if has_read and self._relay.is_behind and self._relay.position == before:
            self._pause()  # the log does not have what was heard of
        writes = list(self._written(outputs))
        if self._excerpt and self._excerpt.is_over(is_behind=self._relay.is_behind):
            self.end(OVER, retry_ms=OVER_RETRY_MS)
        self._read_on()
        if self._is_beat_due:
            self._is_beat_due = False
            writes.append(Write(HEARTBEAT))
        return writes

    @property
    def farewell(self) -> bytes:
        """The last bytes of the stream."""
        return self._farewell

    def close(self) -> None:
        """Stop what runs on its behalf."""
        self.is_ended = True
        if self._read is not None:
            self._read.cancel()

    # --- inside -------------------------------------------------------------------

    def _is_written_at_once(self) -> bool:
        """Write new text here and now, if that is all there is to do."""
        write = self._write_at_once
        news = self._has_news
        if write is None or not news.has_listeners or news.is_set():
            return False
        if self.is_ended or self._must_read or self._relay.is_behind:
            return False
        delta = self._relay.take_text()
        if delta is None:
            return False
        frame = self._watch.delta_frame(delta, with_accumulated=self._with_accumulated)
        try:
            return write(frame) and not self._relay.is_behind
        except Exception as failure:  # noqa: BLE001 - of one connection; others hear the same text
            _log.error("write_failed", error=type(failure).__name__)
            self.cut()
            return True

    def _empty_inbox(self) -> list[LogEntry | LiveReport]:
        taken, self._inbox = self._inbox, []
        self._inbox_bytes = 0
        return taken

    def _take_slice(self) -> list[Output]:
        found, self._slice = self._slice, None
        if found is None:
            return []
        outputs = self._relay.pass_on(found.entries)
        self._watch.observe(found.entries)
        if found.last_sequence is None:
            self.end("session_deleted", retry_ms=1000)
            return outputs
        self._relay.has_read(found.last_sequence)
        return outputs

    def _read_on(self) -> None:
        is_due = self._must_read or self._relay.is_behind
        if not is_due or self._is_paused or self._read is not None or self.is_ended:
            return
        self._must_read = False
        self._relay.begins_to_read()
        self._read = asyncio.create_task(self._read_log())
        self._read.add_done_callback(self._has_read)

    async def _read_log(self) -> None:
        try:
            self._slice = await self._reader.read(self._watch.session_id, self._relay.position)
        except DatabaseUnavailable as failure:
            _log.warning("log_unreadable", error=str(failure))
            self._must_read = True
            self._pause()

    def _has_read(self, task: asyncio.Task[None]) -> None:
        self._read = None
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            _log.error("log_read_failed", error=type(failure).__name__, at=place_of(failure))
            self.cut()
        self._has_news.set()

    def _pause(self) -> None:
        self._is_paused = True
        delay = _READ_PAUSE_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
        asyncio.get_running_loop().call_later(delay, self._resume)

    def _resume(self) -> None:
        self._is_paused = False
        self._has_news.set()

    def _written(self, outputs: list[Output]) -> Iterator[Write]:
        """Frames joined to writes of moderate size, an event and its mark in one."""
        frames: list[bytes] = []
        size = answer = 0
        for output in outputs:
            if isinstance(output, Delta):
                frame = self._watch.delta_frame(output, with_accumulated=self._with_accumulated)
            elif isinstance(output, Reported):
                frame = self._watch.report_frame(output)
            else:
                if size >= _WRITE_BYTES:
                    yield Write(b"".join(frames), answer)
                    frames, size, answer = [], 0, 0
                frame, is_answer = self._shown(output)
                answer = output.sequence if is_answer else answer
            frames.append(frame)
            size += len(frame)
        if size:
            yield Write(b"".join(frames), answer)

    def _shown(self, entry: LogEntry) -> tuple[bytes, bool]:
        """Its frame, and whether who reads it has had an answer: an excerpt is read by others."""
        if self._excerpt is not None:
            return self._excerpt.frame(entry), False
        return entry.frame, entry.type in _ANSWERS


def _is_mark(output: Output) -> bool:
    return isinstance(output, Delta) and output.start == output.end

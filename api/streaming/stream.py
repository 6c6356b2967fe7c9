"""One stream from request to end.

Opening costs one SQL statement to find the session, for some cursors one to find the
text that is open there, and one to read the log (three at most; of a workflow one or two
more to find the turn); and in Redis one round trip to be counted in the session and one
in the organization, and for a stream without cursor on a turn that ended just now one to
a few for the start rule.  An event or a delta costs neither, but an answer one round trip
to Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from uuid import UUID

import structlog

from api.auth import Caller
from api.streaming.admission import WhileAdmitted
from api.streaming.delivery import ReadAnswers
from api.streaming.deps import Deps
from api.streaming.entry import LogEntry
from api.streaming.limits import RETRY_AFTER_SECONDS, TooManyStreams
from api.streaming.line import Line
from api.streaming.relay import Relay
from api.streaming.request import StreamRequest
from api.streaming.responses import Headers, Refused, Send, unavailable
from api.streaming.sending import AtOnce, Stalled, send_body, send_start
from api.streaming.sse import RETRY_MS
from api.streaming.start import RECENT_SECONDS, Start, StartMode, at_cursor, without_cursor
from api.streaming.subscription import Subscription, Write
from api.streaming.watch import Watch
from api.streaming.workflow import Excerpt
from common.domain.cursor import LogCursor
from common.domain.errors import NotFound
from common.live_frames import live_event
from common.storage import relay as storage
from common.storage.channel_sessions import is_below
from common.storage.engine import Tx

_OPEN_SECONDS: Final = 5.0
_ACKNOWLEDGE_SECONDS: Final = 0.3
_CYCLE_JITTER: Final = 0.2

T = TypeVar("T")
_log = structlog.get_logger()


async def ask(deps: Deps, organization_id: UUID, question: Callable[[Tx], T]) -> T:
    """Ask the database what a stream needs to open, without holding up the others.

    Raises:
        Refused: it does not answer.
    """
    database, loop = deps.database.of(organization_id), asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            return await loop.run_in_executor(deps.executor, storage.ask, database, question)
    except (storage.DatabaseUnavailable, TimeoutError) as failure:
        _log.warning("stream_not_opened", error=str(failure) or type(failure).__name__)
        raise unavailable() from failure


class Stream:
    """A request for a stream that was found well-formed, of a caller who may ask."""

    def __init__(self, deps: Deps, caller: Caller, request: StreamRequest) -> None:
        self._deps = deps
        self._caller = caller
        self._request = request

    async def open(self, line: Line, send: Send, *, headers: Headers) -> OpenStream:
        """Everything up to the first byte: what comes back is to be run at once.

        Raises:
            NotFound: no such session for this organization.
            Refused: not now; nothing was sent in either case.
        """
        request, deps = self._request, self._deps
        view = await self._find()
        try:
            await deps.counts.enter(request.session_id, request.organization_id)
        except TooManyStreams as full:
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_streams",
                str(full),
                retry_after_seconds=RETRY_AFTER_SECONDS,
            ) from full
        try:
            start = await self._start(view)
        except BaseException:
            await deps.counts.leave(request.session_id, request.organization_id)
            raise
        headers = [_position_header(start.position), *headers]
        watch = deps.hub.enter(request.session_id, has_open_turn=view.has_open_turn)
        ends = Ends(line, send, headers)
        return OpenStream(deps, self._caller, request, start=start, watch=watch, ends=ends)

    # --- where to start --------------------------------------------------------

    async def _find(self) -> storage.SessionView:
        request = self._request
        asks_for_answer = request.cursor is None and request.start is StartMode.AUTO
        recent = RECENT_SECONDS if asks_for_answer else 0.0
        agent = request.agent
        if agent is not None and not await self._ask(
            lambda tx: is_below(
                tx,
                request.organization_id,
                request.session_id,
                agent=agent,
                principal_id=request.owner,
                only_agent_id=request.only_agent_id,
            )
        ):
            raise NotFound("Session not found")
        view = await self._ask(
            lambda tx: storage.find_session(
                tx, request.organization_id, request.session_id, recent_seconds=recent
            )
        )
        if view is None:
            raise NotFound("Session not found")
        return view

    async def _start(self, view: storage.SessionView) -> Start:
        request = self._request
        if request.cursor is not None:
            return await at_cursor(view, request.cursor, self._find_opener)
        position = await without_cursor(view, request.start, self._has_left)
        return await at_cursor(view, LogCursor(position), self._find_opener)

    async def _has_left(self, answer: int) -> bool:
        request = self._request
        return await self._deps.memory.has_left(request.session_id, request.caller, answer)

    async def _find_opener(self, at: int, above: int) -> LogEntry | None:
        found = await self._ask(
            lambda tx: storage.opener_of_open_text(tx, self._request.session_id, at=at, above=above)
        )
        return None if found is None else LogEntry(live_event(found))

    async def _ask(self, question: Callable[[Tx], T]) -> T:
        return await ask(self._deps, self._request.organization_id, question)


@dataclass(frozen=True, slots=True)
class Ends:
    """The client's side of a stream, and the headers that it begins with."""

    line: Line
    send: Send
    headers: Headers


class OpenStream:
    """A stream that is counted and watched; it holds no more than it needs for that."""

    __slots__ = ("_answers", "_caller", "_deps", "_ends", "_request", "_subscription", "_watch")

    def __init__(
        self,
        deps: Deps,
        caller: Caller,
        request: StreamRequest,
        *,
        start: Start,
        watch: Watch,
        ends: Ends,
    ) -> None:
        workflow = request.workflow
        self._deps = deps
        self._caller = caller
        self._request = request
        self._watch = watch
        self._ends = ends
        self._answers = ReadAnswers()
        self._subscription = Subscription(
            watch,
            Relay(start.position, request.types, watch.buffer, text=start.text),
            deps.reader,
            with_accumulated=request.with_accumulated,
            on_full=deps.metrics.fell_behind,
            excerpt=None if workflow is None else Excerpt(workflow, start.position),
        )

    async def run(self) -> None:
        """Keep the stream until either side ends it."""
        deps, subscription = self._deps, self._subscription
        timers = Timers(subscription, deps)
        self._watch.subscribers.add(subscription)
        deps.drain.add(subscription)
        deps.metrics.opened()
        try:
            await self._begin()
            with WhileAdmitted(deps.gate, self._caller, subscription):
                at_once = AtOnce(self._ends.line, self._ends.send)
                subscription.wake()
                subscription.may_write_by(at_once.write)
                while not subscription.is_ended:
                    await subscription.news()
                    await at_once.finish()
                    await self._write(subscription.take())
                await self._end()
        except Stalled:
            self._answers.forget()  # nobody can say what of it was read
            deps.metrics.stalled()
            _log.info("stream_stalled", session_id=str(self._request.session_id))
        finally:
            timers.cancel()
            subscription.close()
            deps.drain.discard(subscription)
            self._watch.subscribers.discard(subscription)
            deps.hub.leave(self._watch)
            await self._leave()

    async def _begin(self) -> None:
        line, send, headers = self._ends.line, self._ends.send, self._ends.headers
        line.when_lost(self._subscription.cut)
        await send_start(send, headers)
        line.forget_request()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ACKNOWLEDGE_SECONDS):
                await self._watch.acknowledged.wait()

    async def _write(self, writes: list[Write]) -> None:
        request = self._request
        for write in writes:
            if write.answer:
                await self._deps.memory.note_seen(request.session_id, request.caller, write.answer)
            await send_body(self._ends.send, write.data)
            if write.answer:
                self._answers.add(write.answer)

    async def _end(self) -> None:
        if self._subscription.farewell:
            # The client will be back, with a cursor; it has not turned away.
            self._answers.forget()
        await send_body(self._ends.send, self._subscription.farewell, more=False)

    async def _leave(self) -> None:
        """Say at once which answer the client went away with: its next stream asks."""
        request, deps = self._request, self._deps
        answer = self._answers.last()
        if answer:
            await deps.memory.note_left(request.session_id, request.caller, answer)
        await deps.counts.leave(request.session_id, request.organization_id)


class Timers:
    """What happens to a stream by the clock alone: heartbeats, and the end of its cycle."""

    def __init__(self, subscription: Subscription, deps: Deps) -> None:
        self._subscription = subscription
        self._loop = asyncio.get_running_loop()
        self._heartbeat_seconds = deps.settings.sse_heartbeat_interval_secs
        jitter = random.uniform(1 - _CYCLE_JITTER, 1 + _CYCLE_JITTER)  # noqa: S311 - not a secret
        self._cycle = self._loop.call_later(
            deps.settings.sse_realtime_cycle_secs * jitter, self._end_cycle
        )
        self._beat = self._loop.call_later(self._heartbeat_seconds, self._beat_again)

    def cancel(self) -> None:
        """Stop them."""
        self._cycle.cancel()
        self._beat.cancel()

    def _beat_again(self) -> None:
        self._subscription.beat()
        self._beat = self._loop.call_later(self._heartbeat_seconds, self._beat_again)

    def _end_cycle(self) -> None:
        self._subscription.end("connection_cycle", retry_ms=RETRY_MS)


def _position_header(position: int) -> tuple[bytes, bytes]:
    """After which event the stream begins: a cursor for who loses it before the first event."""
    return (b"x-after-sequence", b"%d" % position)

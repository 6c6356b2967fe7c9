"""The service's health as a stream: a snapshot every few seconds (contract 3.13).

However many watch, the database is asked once an interval and process.  Only counts are
shown, those of the whole installation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import orjson
import structlog

from api.streaming.drain import Closable, Drain
from api.streaming.responses import Headers, Receive, Refused, Send
from api.streaming.sending import Stalled, send_body, send_start
from api.streaming.sse import HEARTBEAT, RETRY_MS, disconnecting_frame
from common.domain.service_health import ServiceHealth

INTERVAL_SECONDS: Final = 5.0
_MOST: Final = 50
_RETRY_AFTER_SECONDS: Final = 5
_log = structlog.get_logger()


class Unanswered(Exception):
    """The database could not be asked."""


class Monitor:
    """The latest snapshot of this process, and how many watch it.

    `look` asks the database; raises `Unanswered` when it does not answer.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[ServiceHealth]],
        *,
        cycle_seconds: float,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._look = look
        self.cycle_seconds = cycle_seconds
        self.interval_seconds = interval_seconds
        self.watching = 0
        self._frame = b""
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def frame(self) -> bytes:
        """The newest snapshot as a frame, at most half an interval old."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._looked_at >= self.interval_seconds / 2:
                self._frame = snapshot_frame(await self._look())
                self._looked_at = now
            return self._frame


def snapshot_frame(health: ServiceHealth) -> bytes:
    """Counts of turns and workers."""
    fleet = health.fleet
    workers = {
        "active": fleet.live - fleet.draining,
        "draining": fleet.draining,
        "stopped": fleet.total - fleet.live,
        "total_capacity": fleet.capacity,
        "total_load": fleet.load,
    }
    data = orjson.dumps({"health": health.to_json(), "workers": workers})
    return b"event: snapshot\ndata: %s\n\n" % data


class MonitorStream(Closable):
    """One client that watches."""

    def __init__(self, monitor: Monitor, drain: Drain) -> None:
        self._monitor = monitor
        self._drain = drain
        self._over = asyncio.Event()
        self._farewell = b""

    def end(self, reason: str, *, retry_ms: int) -> None:
        """Close it, telling the client why and when to come back."""
        self._farewell = self._farewell or disconnecting_frame(reason, retry_ms=retry_ms)
        self._over.set()

    async def serve(self, receive: Receive, send: Send, *, headers: Headers) -> None:
        """Send snapshots until either side ends it.

        Raises:
            Refused: not now; nothing was sent.
        """
        monitor = self._monitor
        if monitor.watching >= _MOST:
            message = f"This server has {_MOST} monitoring streams already"
            raise _refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many_streams", message)
        monitor.watching += 1
        self._drain.add(self)
        listening = asyncio.create_task(self._until_gone(receive))
        ending = asyncio.get_running_loop().call_later(
            monitor.cycle_seconds, lambda: self.end("connection_cycle", retry_ms=RETRY_MS)
        )
        try:
            await self._run(send, headers)
        except Stalled:
            _log.info("stream_stalled")
        finally:
            ending.cancel()
            listening.cancel()
            self._drain.discard(self)
            monitor.watching -= 1

    async def _run(self, send: Send, headers: Headers) -> None:
        try:
            frame = await self._monitor.frame()
        except Unanswered as away:
            message = "The database cannot be reached just now; try again"
            raise _refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", message) from away
        await send_start(send, headers)
        while True:
            await send_body(send, frame)
            if await self._is_over(self._monitor.interval_seconds):
                break
            try:
                frame = await self._monitor.frame()
            except Unanswered:
                frame = HEARTBEAT  # old numbers would be taken for new ones
        await send_body(send, self._farewell, more=False)

    async def _is_over(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._over.set()


def _refused(status: HTTPStatus, code: str, message: str) -> Refused:
    return Refused(status, code, message, retry_after_seconds=_RETRY_AFTER_SECONDS)

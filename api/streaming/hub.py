"""All watched sessions of the process: who is told what, by Redis and by PostgreSQL.

Redis tells at once, PostgreSQL surely: one statement a second asks for the heads of
watched sessions, so that a stream never depends on Redis (design 7: there is no outage
mode).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final
from uuid import UUID

import structlog

from api.streaming.live_channel import LiveChannel
from api.streaming.watch import TextSource, Watch
from common.live import live_channel
from common.live_frames import session_of
from common.storage import relay as storage
from common.storage.engine import Database

POLL_SECONDS: Final = 1.0
# A session without an open turn is asked for in every fifth poll only.
_IDLE_POLLS: Final = 5

_log = structlog.get_logger()


class Hub:
    """Use it from one event loop; `run` must be running there.

    Args:
        executor: for the poll alone, one thread.
        note_lag: told how long events took from their commit to here.
    """

    def __init__(
        self,
        *,
        pubsub_url: str,
        texts: TextSource,
        database: Database,
        executor: Executor,
        poll_seconds: float,
        note_lag: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._texts = texts
        self._database = database
        self._executor = executor
        self._poll_seconds = poll_seconds
        self._note_lag = note_lag
        self._watches: dict[UUID, Watch] = {}
        self._channel = LiveChannel(
            pubsub_url, on_acknowledged=self._acknowledged, on_frame=self._frame
        )

    def enter(self, session_id: UUID, *, has_open_turn: bool) -> Watch:
        """The session's watch, begun if need be; pair it with `leave`."""
        watch = self._watches.get(session_id)
        if watch is None:
            watch = Watch(
                session_id, self._texts, has_open_turn=has_open_turn, note_lag=self._note_lag
            )
            self._watches[session_id] = watch
            self._channel.watch(live_channel(session_id).encode())
        watch.users += 1
        return watch

    def leave(self, watch: Watch) -> None:
        """Give the watch up; it ends with its last user."""
        watch.users -= 1
        if not watch.users:
            del self._watches[watch.session_id]
            watch.close()
            self._channel.unwatch(live_channel(watch.session_id).encode())

    async def run(self) -> None:
        """Keep listening and polling until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._channel.run())
            group.create_task(self._poll())

    def _acknowledged(self, channel: bytes) -> None:
        watch = self._watches.get(session_of(channel))
        if watch is not None:
            watch.acknowledge()

    def _frame(self, channel: bytes, data: bytes) -> None:
        watch = self._watches.get(session_of(channel))
        if watch is not None:
            watch.take_frame(data)

    async def _poll(self) -> None:
        polls = 0
        while True:
            await asyncio.sleep(self._poll_seconds)
            polls += 1
            due = [
                watch
                for session_id, watch in self._watches.items()
                if watch.has_open_turn or (session_id.int + polls) % _IDLE_POLLS == 0
            ]
            if due:
                await self._look_at(due)

    async def _look_at(self, watches: list[Watch]) -> None:
        ids = [watch.session_id for watch in watches]
        loop = asyncio.get_running_loop()
        try:
            heads = await loop.run_in_executor(self._executor, self._find_heads, ids)
        except storage.DatabaseUnavailable as failure:
            _log.warning("heads_unreadable", error=str(failure))
            return
        for watch in watches:
            head = heads.get(watch.session_id)
            if head is None:
                watch.end()
            else:
                watch.has_open_turn = head.has_open_turn
                watch.hear(head.last_sequence)

    def _find_heads(self, ids: list[UUID]) -> dict[UUID, storage.SessionHead]:
        return storage.ask(self._database, lambda tx: storage.find_heads(tx, ids))

"""Reads of the log for subscribers, off the event loop and in few statements.

Requests that come while all lanes are busy are answered together by the next
statement, and equal ones once, so a storm of reconnections costs little more than the
rows it brings.  A request is never answered by a statement that began before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.streaming.entry import LogEntry
from common.live_frames import live_event
from common.storage import relay as storage
from common.storage.engine import Database

_READS_AT_ONCE: Final = 16

_Key = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class ReadSlice:
    """Events after some position, and the head's number then; None: the session is gone."""

    entries: tuple[LogEntry, ...]
    last_sequence: int | None


class LogReader:
    """Use it from one event loop."""

    def __init__(self, database: Database, executor: Executor, *, lanes: int) -> None:
        self._database = database
        self._executor = executor
        self._free_lanes = lanes
        self._waiting: dict[_Key, asyncio.Future[ReadSlice]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, session_id: UUID, after: int) -> ReadSlice:
        """A slice of the log as it is now.

        Raises:
            DatabaseUnavailable: try again later.
        """
        key = (session_id, after)
        future = self._waiting.get(key)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            # Everyone who asked may have left by the time it fails.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waiting[key] = future
            self._start()
        return await asyncio.shield(future)

    def _start(self) -> None:
        while self._free_lanes and self._waiting:
            self._free_lanes -= 1
            keys = list(self._waiting)[:_READS_AT_ONCE]
            batch = {key: self._waiting.pop(key) for key in keys}
            task = asyncio.create_task(self._answer(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _answer(self, batch: dict[_Key, asyncio.Future[ReadSlice]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            slices = await loop.run_in_executor(self._executor, self._read, list(batch))
        except Exception as failure:  # noqa: BLE001 - it is the askers', who await the futures
            for future in batch.values():
                future.set_exception(failure)
        else:
            for future, found in zip(batch.values(), slices, strict=True):
                future.set_result(found)
        finally:
            self._free_lanes += 1
            self._start()

    def _read(self, keys: list[_Key]) -> list[ReadSlice]:
        """Read and serialise, in a thread."""
        found = storage.ask(self._database, lambda tx: storage.read_slices(tx, keys))
        return [ReadSlice(_entries(each), each.last_sequence) for each in found]


def _entries(found: storage.LogSlice) -> tuple[LogEntry, ...]:
    events: Iterable[LogEntry] = (LogEntry(live_event(event)) for event in found.events)
    return tuple(events)

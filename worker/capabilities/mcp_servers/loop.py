"""One event loop a process, on a thread of its own, for a library that is asynchronous."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, Final, TypeVar

import structlog

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.1

_log = structlog.get_logger()


class GaveUp(Exception):
    """Nobody waits for the answer any more."""


def run(work: Coroutine[Any, Any, T], *, is_stopped: Callable[[], bool] = lambda: False) -> T:
    """What the coroutine returns or raises; it has to bound its own time.

    Raises:
        GaveUp: `is_stopped` said so; the coroutine was cancelled.
    """
    if is_stopped():
        work.close()
        raise GaveUp
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except concurrent.futures.TimeoutError:
            # Also what the coroutine itself may raise.
            if future.done():
                raise
            if is_stopped():
                future.cancel()
                raise GaveUp from None


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_log_fault)
    threading.Thread(target=loop.run_forever, name="mcp", daemon=True).start()
    return loop


def _log_fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Without the message, which may quote what a server sent (I10).
    error = context.get("exception")
    _log.warning("mcp_loop_fault", error=type(error).__name__)

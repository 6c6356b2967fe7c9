"""Who may open a stream, and for how long: until the key is revoked or expires."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import structlog

from api.auth import Caller, Presented, check
from api.gate import Gate
from api.streaming.deps import Deps
from api.streaming.drain import Closable
from api.streaming.request import Scope, headers_of
from api.streaming.responses import unavailable
from api.streaming.sse import RETRY_MS
from common.domain.access import Need
from common.storage.engine import DatabaseError

_ADMIT_SECONDS: Final = 5.0

_log = structlog.get_logger()


async def admit(deps: Deps, scope: Scope, need: Need) -> Caller:
    """Who sends the request; asks the database only about what this process does not know.

    Raises:
        Forbidden: the caller is not granted what is needed.
        NotFound: the organization is not the caller's.
        Refused: the database does not answer.
        Unauthorized: nobody knows the caller.
    """
    headers = headers_of(scope)
    presented = Presented(headers.get("authorization"), headers.get("x-org-id"))
    caller = deps.gate.recall(presented)
    if caller is None:
        caller = await _ask(deps, presented)
    check(caller, need)
    return caller


async def _ask(deps: Deps, presented: Presented) -> Caller:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_ADMIT_SECONDS):
            return await loop.run_in_executor(deps.executor, deps.gate.admit, presented)
    except (DatabaseError, TimeoutError) as failure:
        _log.warning("caller_unknown", error=type(failure).__name__)
        raise unavailable() from failure


@contextmanager
def while_admitted(gate: Gate, caller: Caller, stream: Closable) -> Iterator[None]:
    """End the stream within seconds of the caller's key being revoked, or expiring."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        with suppress(RuntimeError):  # the loop is closed, and the stream with it
            loop.call_soon_threadsafe(lambda: stream.end("access_revoked", retry_ms=RETRY_MS))

    gate.hold(caller, end)
    try:
        yield
    finally:
        gate.release(caller, end)

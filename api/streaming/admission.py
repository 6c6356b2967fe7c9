"""Who may open a stream, and for how long: until the key is revoked or expires."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

import structlog

from api.auth import Caller, Presented, check
from api.browsers import access_cookie
from api.gate import Gate
from api.streaming.deps import Deps
from api.streaming.drain import Closable
from api.streaming.request import Scope, headers_of
from api.streaming.responses import unavailable
from api.streaming.sse import RETRY_MS
from api.throttle import Admitted, Origin
from common.domain.access import Need
from common.storage.engine import DatabaseError

_ADMIT_SECONDS: Final = 5.0

_log = structlog.get_logger()


async def admit(deps: Deps, scope: Scope, need: Need) -> Admitted:
    """Who sends the request; asks the database only about what this process does not know.

    Nothing leaves the event loop unless a rate limit applies or the caller is unknown.

    Raises:
        Forbidden: the caller is not granted what is needed.
        NotFound: the organization is not the caller's.
        RateLimited: too often.
        Refused: the database does not answer.
        Unauthorized: nobody knows the caller.
    """
    headers = headers_of(scope)
    presented = Presented(
        headers.get("authorization"),
        headers.get("x-org-id"),
        cookie=access_cookie(headers.get("cookie")),
    )
    origin = _origin(scope)
    known = None if deps.throttle.concerns(origin) else deps.gate.recall(presented)
    admitted = await _ask(deps, presented, origin) if known is None else Admitted(known)
    check(admitted.caller, need)
    return admitted


def _origin(scope: Scope) -> Origin:
    """A header that came more than once counts as one with all its values."""
    forwarded = [
        value.decode("latin-1")
        for name, value in scope["headers"]
        if name.lower() == b"x-forwarded-for"
    ]
    return Origin((scope.get("client") or ("", 0))[0], ",".join(forwarded))


async def _ask(deps: Deps, presented: Presented, origin: Origin) -> Admitted:
    loop = asyncio.get_running_loop()
    admit = partial(deps.throttle.admit, deps.gate, presented, origin)
    try:
        async with asyncio.timeout(_ADMIT_SECONDS):
            return await loop.run_in_executor(deps.executor, admit)
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

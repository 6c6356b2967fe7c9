"""Who may open a stream, and for how long: until the key is revoked or expires."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog

from api.auth import NOBODY, Caller, Presented, actor_of, check
from api.browsers import access_cookie
from api.client_address import client_address
from api.gate import Gate
from api.streaming.deps import Deps
from api.streaming.drain import Closable
from api.streaming.request import Scope, headers_of
from api.streaming.responses import current_request_id, unavailable
from api.streaming.sse import RETRY_MS
from api.throttle import Admitted, Origin
from common import clock
from common.domain.access import Need
from common.domain.audit import ADDRESS_CHARACTERS, Entry, Outcome, Resource
from common.domain.errors import Forbidden, Unauthorized
from common.domain.ids import NO_ORGANIZATION
from common.storage.engine import DatabaseError

_ADMIT_SECONDS: Final = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is for.

    Attributes:
        action: as the OpenAPI document names it, as `route`.
        resources: what its path names.
    """

    need: Need
    action: str
    route: str
    resources: tuple[Resource, ...] = ()


async def admit(deps: Deps, scope: Scope, asked: Asked) -> Admitted:
    """Who sends the request; asks the database only about what this process does not know.

    A refusal is entered in the audit log.

    Nothing leaves the event loop unless a rate limit applies or the caller is unknown.

    Raises:
        Forbidden: the caller is not granted what is needed.
        NotFound: the organization is not the caller's.
        RateLimited: too often.
        Refused: the database does not answer.
        Unauthorized: nobody knows the caller.
    """
    caller = NOBODY
    try:
        admitted = await _find(deps, scope)
        caller = admitted.caller
        check(caller, asked.need)
    except (Forbidden, Unauthorized) as refusal:
        _enter(deps, scope, asked, caller, refusal)
        raise
    return admitted


async def _find(deps: Deps, scope: Scope) -> Admitted:
    headers = headers_of(scope)
    presented = Presented(
        headers.get("authorization"),
        headers.get("x-org-id"),
        cookie=access_cookie(headers.get("cookie")),
    )
    origin = _origin(scope)
    known = None if deps.throttle.concerns(origin) else deps.gate.recall(presented)
    return await _ask(deps, presented, origin) if known is None else Admitted(known)


def _enter(
    deps: Deps, scope: Scope, asked: Asked, caller: Caller, refusal: Forbidden | Unauthorized
) -> None:
    """Put a refusal on its way to the audit log."""
    is_somewhere = caller.organization_id != NO_ORGANIZATION
    origin = _origin(scope)
    address = client_address(origin.peer, origin.forwarded, hops=deps.settings.trusted_proxy_hops)
    entry = Entry(
        id=clock.new_id(),
        at=clock.now(),
        organization_id=caller.organization_id if is_somewhere else None,
        actor=actor_of(caller),
        action=asked.action,
        outcome=Outcome.REFUSED,
        method=scope["method"],
        route=asked.route,
        status=HTTPStatus.FORBIDDEN if isinstance(refusal, Forbidden) else HTTPStatus.UNAUTHORIZED,
        resources=() if caller is NOBODY else asked.resources,
        request_id=current_request_id(),
        address=address[:ADDRESS_CHARACTERS],
    )
    if caller is NOBODY:
        deps.trail.put_of_stranger(entry)
    else:
        deps.trail.put(entry)


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


class WhileAdmitted:
    """Ends the stream within seconds of the caller's key being revoked, or expiring.

    A context manager by hand: each open stream has one.
    """

    __slots__ = ("_caller", "_gate", "_held", "_loop", "_stream")

    def __init__(self, gate: Gate, caller: Caller, stream: Closable) -> None:
        self._gate = gate
        self._caller = caller
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        # Released as the object that was held: each look at a method makes another.
        self._held = self._end

    def __enter__(self) -> None:
        self._gate.hold(self._caller, self._held)

    def __exit__(self, *_: object) -> None:
        self._gate.release(self._caller, self._held)

    def _end(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the stream with it
            self._loop.call_soon_threadsafe(self._end_here)

    def _end_here(self) -> None:
        self._stream.end("access_revoked", retry_ms=RETRY_MS)

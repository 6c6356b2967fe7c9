"""The ASGI application: four families of routes, and the process's start and end."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from redis.exceptions import RedisError

from api.auth import Caller
from api.streaming import workflow
from api.streaming.admission import Asked, WhileAdmitted, admit
from api.streaming.deps import Deps
from api.streaming.drain import begin_on_sigterm
from api.streaming.line import Line
from api.streaming.monitor import MonitorStream
from api.streaming.request import Scope as AsgiScope
from api.streaming.request import (
    StreamRequest,
    below_agent,
    below_channel,
    headers_of,
    of_workflow,
    parse_request,
    request_id_of,
)
from api.streaming.responses import (
    Headers,
    Message,
    Receive,
    Refused,
    Send,
    as_headers,
    begin_request,
    cors_headers,
    error_answer,
    json_answer,
    preflight_answer,
    refusal_answer,
    with_protection,
)
from api.streaming.start import StartMode
from api.streaming.stream import OpenStream, Stream, ask
from api.throttle import rate_headers
from common.clock import new_id
from common.domain.access import Need, Scope
from common.domain.audit import Resource, shown
from common.domain.errors import DomainError, InvalidId, NotFound
from common.domain.ids import Kind, parse_id, show_id
from common.logs import place_of
from common.storage.engine import DatabaseError

# Where a stream reads from and writes to, and the headers it begins with.
Ends = tuple[Receive, Send, Headers]


@dataclass(frozen=True, slots=True)
class Route:
    """A family of paths, what a caller must be granted for it, and how the document names it."""

    path: re.Pattern[str]
    scope: Need
    action: str
    template: str


_SESSION: Final = Route(
    re.compile(r"(?:/api)?/v1/(?:agents/(?P<agent>[^/]+)/)?sessions/(?P<session>[^/]+)/sse/?"),
    Scope.SESSIONS_READ,
    "stream_events",
    "/v1/sessions/{session_id}/sse",
)
_CHANNEL: Final = Route(
    re.compile(r"(?:/api)?/v1/channels/(?P<agent>[^/]+)/sessions/(?P<session>[^/]+)/sse/?"),
    Scope.CHANNELS_USE,
    "channel_stream_events",
    "/v1/channels/{channel}/sessions/{session_id}/sse",
)
_MONITOR: Final = Route(
    re.compile(r"(?:/api)?/v1/durable/sse/?"),
    Scope.OPERATIONS_READ,
    "stream_health",
    "/v1/durable/sse",
)
_WORKFLOW: Final = Route(
    re.compile(r"(?:/api)?/v1/durable/workflows/(?P<workflow>[^/]+)/sse/?"),
    Scope.OPERATIONS_READ,
    "stream_workflow",
    "/v1/durable/workflows/{workflow_id}/sse",
)
# All there are, but for those of the process's health, which need nothing.
ROUTES: Final = (_SESSION, _CHANNEL, _WORKFLOW, _MONITOR)
_HEALTH_PATHS: Final = ("/health", "/health/live", "/health/ready")
_READY_SECONDS: Final = 2.0
_CLOSE_SECONDS: Final = 1.0
_RETRY_AFTER_SECONDS: Final = 1

_log = structlog.get_logger()


class StreamApp:
    """Built by the server before there is an event loop; `make_deps` is called within it."""

    def __init__(self, make_deps: Callable[[], Deps]) -> None:
        self._make_deps = make_deps
        self._deps: Deps | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            opened = await self._answer(scope, receive, send)
            if opened is not None:
                # For hours, perhaps: what led here is not kept for as long.
                del scope, receive, send
                await opened.run()

    # --- lifespan ---------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        deps = self._deps = self._make_deps()
        restore_signals = begin_on_sigterm(deps.drain, asyncio.get_running_loop())
        background = asyncio.create_task(_run_background(deps))
        background.add_done_callback(_end_process_if_failed)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        restore_signals()
        background.cancel()
        await asyncio.wait([background], timeout=_CLOSE_SECONDS)
        await asyncio.wait([asyncio.create_task(deps.close())], timeout=_CLOSE_SECONDS)
        await send({"type": "lifespan.shutdown.complete"})

    # --- requests -----------------------------------------------------------------

    async def _answer(self, scope: AsgiScope, receive: Receive, send: Send) -> OpenStream | None:
        """Answer, or return the stream that is the answer."""
        deps = self._deps
        if deps is None:
            raise AssertionError("the server answers requests only after start-up")
        send = with_protection(send, hsts_seconds=deps.settings.hsts_seconds)
        begin_request(request_id_of(headers_of(scope)) or new_id().hex)
        path = scope["path"].rstrip("/") or "/"
        if path in _HEALTH_PATHS:
            await _send_all(send, await _health(scope, path, deps))
            return None
        found = route_of(path)
        if found is None:
            await _send_all(
                send,
                error_answer(HTTPStatus.NOT_FOUND, "not_found", "There is no such route"),
            )
            return None
        origin = headers_of(scope).get("origin")
        headers = cors_headers(origin, deps.settings.cors_allowed_origins)
        if scope["method"] == "OPTIONS" and len(headers) > 1:
            await _send_all(send, preflight_answer(headers))
        elif scope["method"] != "GET":
            await _send_all(send, _wrong_method(scope, headers))
        else:
            try:
                return await _serve(deps, scope, found, (receive, send, headers))
            except (DomainError, Refused) as refusal:
                deps.metrics.refused(refusal.code)
                await _send_all(send, refusal_answer(refusal, headers=headers))
        return None


def route_of(path: str) -> tuple[Route, re.Match[str]] | None:
    """The route that serves a path."""
    return next(((route, match) for route in ROUTES if (match := route.path.fullmatch(path))), None)


async def _serve(
    deps: Deps, scope: AsgiScope, found: tuple[Route, re.Match[str]], ends: Ends
) -> OpenStream | None:
    """Open the stream that is asked for, if the caller may have it; None: it is over."""
    if deps.drain.has_begun:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "draining",
            "This server is about to stop; try again",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )
    route, match = found
    receive, send, headers = ends
    admitted = await admit(deps, scope, _asked(route, match))
    caller = admitted.caller
    headers = [*headers, *as_headers(rate_headers(admitted.standings))]
    if route is _MONITOR:
        monitoring = MonitorStream(deps.monitor, deps.drain)
        with WhileAdmitted(deps.gate, caller, monitoring):
            await monitoring.serve(receive, send, headers=headers)
        return None
    if route is _WORKFLOW:
        request = await _read_workflow(deps, scope, match["workflow"], caller)
    else:
        request = _read(deps, scope, route, match, caller)
    return await Stream(deps, caller, request).open(Line.under(scope), send, headers=headers)


def _asked(route: Route, match: re.Match[str]) -> Asked:
    named: list[Resource] = []
    for group, kind in (("session", Kind.SESSION), ("workflow", Kind.TURN)):
        text = match.groupdict().get(group)
        if text is not None:
            with suppress(InvalidId):
                named.append(shown(kind, parse_id(kind, text)))
    return Asked(route.scope, route.action, route.template, tuple(named))


def _read(
    deps: Deps, scope: AsgiScope, route: Route, match: re.Match[str], caller: Caller
) -> StreamRequest:
    request = _of_session(deps, scope, match["session"], caller)
    if route is _CHANNEL:
        return below_channel(request, scope, match["agent"], caller)
    return request if match["agent"] is None else below_agent(request, match["agent"])


async def _read_workflow(
    deps: Deps, scope: AsgiScope, workflow_id: str, caller: Caller
) -> StreamRequest:
    turn_id = parse_id(Kind.TURN, workflow_id)
    found = await ask(
        deps, caller.organization_id, lambda tx: workflow.find(tx, caller.organization_id, turn_id)
    )
    if found is None:
        raise NotFound("Workflow not found")
    session = show_id(Kind.SESSION, found.session_id)
    return of_workflow(_of_session(deps, scope, session, caller), found)


def _of_session(deps: Deps, scope: AsgiScope, session: str, caller: Caller) -> StreamRequest:
    return parse_request(
        scope,
        session,
        organization_id=caller.organization_id,
        default_start=StartMode(deps.settings.sse_default_start),
    )


async def _run_background(deps: Deps) -> None:
    """Everything that runs beside the streams; its end would leave them deaf."""
    async with asyncio.TaskGroup() as group:
        group.create_task(deps.hub.run())
        group.create_task(deps.counts.run())


def _end_process_if_failed(background: asyncio.Task[None]) -> None:
    """The process edge: without these tasks streams would hang, so start afresh."""
    failure = None if background.cancelled() else background.exception()
    if failure is not None:
        while isinstance(failure, BaseExceptionGroup):
            failure = failure.exceptions[0]
        _log.error("background_failed", error=type(failure).__name__, at=place_of(failure))
        signal.raise_signal(signal.SIGTERM)


async def _health(scope: AsgiScope, path: str, deps: Deps) -> list[Message]:
    if scope["method"] != "GET":
        return _wrong_method(scope, [])
    if path != "/health/ready":
        return json_answer(HTTPStatus.OK, {"status": "ok", "open_streams": deps.drain.open_count})
    found = {
        "database": await _state("database", lambda: _reach_database(deps)),
        "redis": await _state("redis", deps.reach_redis),
    }
    is_ready = all(state == "up" for state in found.values())
    return json_answer(
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        {"status": "ok" if is_ready else "unavailable", "dependencies": found},
    )


async def _reach_database(deps: Deps) -> None:
    await asyncio.get_running_loop().run_in_executor(deps.executor, deps.database.ping)


async def _state(name: str, reach: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await reach()
    except (DatabaseError, RedisError, OSError) as failure:
        _log.warning("dependency_down", dependency=name, error=type(failure).__name__)
        return "down"
    return "up"


def _wrong_method(scope: AsgiScope, headers: Headers) -> list[Message]:
    return error_answer(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        f"This route does not take {scope['method']}",
        headers=[*headers, (b"allow", b"GET")],
    )


async def _send_all(send: Send, messages: list[Message]) -> None:
    for message in messages:
        await send(message)

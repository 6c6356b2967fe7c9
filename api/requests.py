"""What every request gets: an id, a line in the log without content, headers for browsers."""

from __future__ import annotations

import re
import time
from http import HTTPMethod, HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, g, request

from api.deps import current_deps
from common import tracing
from common.clock import now
from common.domain.browser import protective_headers
from common.domain.trace import HEADER, TraceContext, parse_traceparent
from common.tracing import Span

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_QUIET: Final = ("/health",)
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Everruns-Change-Reason,"
    " Idempotency-Key, Traceparent, X-Org-Id, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
_READABLE: Final = (
    "Content-Disposition, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, X-Total-Count"
)

_log = structlog.get_logger()


def observe(app: Flask) -> None:
    """Register the hooks."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> Response | None:
    given = request.headers.get("X-Request-Id", "")
    is_usable = _REQUEST_ID.fullmatch(given) is not None
    g.request_id = given if is_usable else current_deps().new_id().hex
    g.started = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if current_deps().tracer.is_on:
        _enter_trace()
    if request.method == HTTPMethod.OPTIONS and _allowed_origin() is not None:
        return Response(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)
    return None


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    for name, value in protective_headers(
        hsts_seconds=current_deps().settings.hsts_seconds
    ).items():
        response.headers.setdefault(name, value)
    _add_origin(response)
    # The route's template: a path could hold a name, a query what is searched for (I10).
    route = request.url_rule.rule if request.url_rule else None
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    current_deps().metrics.answered(request.method, route, response.status_code, seconds=seconds)
    say = _log.debug if request.path.startswith(_QUIET) else _log.info
    say(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        duration_ms=round(seconds * 1000, 1),
    )
    if "trace" in g:
        _leave_trace(route, response.status_code, seconds)
    structlog.contextvars.unbind_contextvars("request_id", "trace_id")
    return response


def _enter_trace() -> None:
    """What is done for the request belongs to the caller's trace, or begins one."""
    sent = parse_traceparent(request.headers.get(HEADER))
    new = current_deps().new_id().hex
    root = sent or TraceContext(new, "")
    g.trace, g.trace_parent = root.below("request", new), sent
    tracing.enter(g.trace)
    structlog.contextvars.bind_contextvars(trace_id=root.trace_id)


def _leave_trace(route: str | None, status: int, seconds: float) -> None:
    tracing.enter(None)
    if request.path.startswith(_QUIET):
        return
    ended_ns = tracing.nanoseconds(now())
    sent: TraceContext | None = g.trace_parent
    current_deps().tracer.emit(
        Span(
            name=f"{request.method} {route}" if route else request.method,
            place=g.trace,
            parent_id=None if sent is None else sent.span_id,
            began_ns=ended_ns - round(seconds * 1e9),
            ended_ns=ended_ns,
            kind="server",
            attributes={
                "http.request.method": request.method,
                "http.response.status_code": status,
                "everturn.request.id": g.request_id,
                **({"http.route": route} if route else {}),
            },
            error=str(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
        )
    )


def _add_origin(response: Response) -> None:
    """Let a page of a configured origin read the answer."""
    if not current_deps().settings.cors_allowed_origins:
        return
    response.headers["Vary"] = "Origin"
    origin = _allowed_origin()
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = _READABLE


def _allowed_origin() -> str | None:
    origin = request.headers.get("Origin")
    return origin if origin in current_deps().settings.cors_allowed_origins else None

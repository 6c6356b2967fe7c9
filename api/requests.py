"""What every request gets: an id, a line in the log without content, headers for browsers."""

from __future__ import annotations

import re
import time
from http import HTTPMethod, HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, g, request

from api.deps import current_deps
from common.domain.browser import protective_headers

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_QUIET: Final = ("/health",)
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Everruns-Change-Reason,"
    " Idempotency-Key, X-Org-Id, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
_READABLE: Final = "Content-Disposition, Retry-After, X-Request-Id, X-Total-Count"

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
    structlog.contextvars.unbind_contextvars("request_id")
    return response


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

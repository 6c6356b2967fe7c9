"""Whole answers: JSON, and errors in the envelope that the api uses too (contract 1.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog

from api.auth import challenge
from common.domain.browser import protective_headers
from common.domain.errors import (
    DomainError,
    FieldProblem,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthorized,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_UNAVAILABLE_RETRY_SECONDS: Final = 1
_ALLOWED_REQUEST_HEADERS: Final = (
    b"Authorization, Cache-Control, Last-Event-ID, X-Org-Id, Content-Type"
)
_EXPOSED_HEADERS: Final = (
    b"RateLimit, RateLimit-Policy, Retry-After, X-After-Sequence, X-Request-Id"
)

_STATUS_OF: Final = (
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (RateLimited, HTTPStatus.TOO_MANY_REQUESTS),
)
_OTHERS: Final = HTTPStatus.BAD_REQUEST

# Of the request that this task answers.
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def begin_request(request_id: str) -> None:
    """What this task answers and logs from now on belongs to this request."""
    _request_id.set(request_id)
    structlog.contextvars.bind_contextvars(request_id=request_id)


def current_request_id() -> str:
    """How the request is called that this task answers."""
    return _request_id.get()


def request_id_header() -> Headers:
    """Tells the client how its request is called in the log."""
    return [(b"x-request-id", _request_id.get().encode())]


class Refused(Exception):
    """A stream that is not opened for a reason of ours; the message is for the client."""

    def __init__(
        self, status: HTTPStatus, code: str, message: str, *, retry_after_seconds: int
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds


def unavailable() -> Refused:
    """What is said while the database does not answer."""
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "The database cannot be reached just now; try again",
        retry_after_seconds=_UNAVAILABLE_RETRY_SECONDS,
    )


def json_answer(
    status: int, body: Mapping[str, Any], *, headers: Headers | None = None
) -> list[Message]:
    """The messages of a JSON response."""
    data = orjson.dumps(body)
    return [
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json; charset=utf-8"),
                (b"content-length", b"%d" % len(data)),
                *(headers or []),
            ],
        },
        {"type": "http.response.body", "body": data},
    ]


def error_answer(
    status: HTTPStatus,
    code: str,
    message: str,
    *,
    problems: tuple[FieldProblem, ...] = (),
    retry_after_seconds: int | None = None,
    headers: Headers | None = None,
) -> list[Message]:
    """The messages of an error response."""
    body: dict[str, Any] = {
        "error": message,
        "status": int(status),
        "code": code,
        "message": message,
        "title": status.phrase,
        "detail": message,
        "request_id": _request_id.get(),
    }
    sent = [*request_id_header(), *(headers or [])]
    if problems:
        body["errors"] = [{"field": each.field, "message": each.message} for each in problems]
    if retry_after_seconds is not None:
        body["retry_after_seconds"] = retry_after_seconds
        sent.append((b"retry-after", b"%d" % retry_after_seconds))
    return json_answer(status, body, headers=sent)


def refusal_answer(error: DomainError | Refused, *, headers: Headers) -> list[Message]:
    """The response for a request that opens no stream."""
    if isinstance(error, Refused):
        return error_answer(
            error.status,
            error.code,
            error.message,
            retry_after_seconds=error.retry_after_seconds,
            headers=headers,
        )
    if (wanted := challenge(error)) is not None:
        headers = [*headers, (b"www-authenticate", wanted.encode("latin-1"))]
    wait = None
    if isinstance(error, RateLimited):
        wait, headers = error.retry_after_seconds, [*headers, *as_headers(error.headers)]
    status = next((known for kind, known in _STATUS_OF if isinstance(error, kind)), _OTHERS)
    return error_answer(
        status,
        error.code,
        error.message,
        problems=error.problems,
        retry_after_seconds=wait,
        headers=headers,
    )


def as_headers(named: Mapping[str, str]) -> Headers:
    """Headers as ASGI wants them."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()]


def with_protection(send: Send, *, hsts_seconds: int) -> Send:
    """Send answers with the headers that every answer has unless it sets them itself."""

    def protected(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            added = [
                (name.lower().encode(), value.encode())
                for name, value in protective_headers(hsts_seconds=hsts_seconds).items()
                if name.lower().encode() not in own
            ]
            message = {**message, "headers": [*message["headers"], *added]}
        return send(message)

    return protected


def cors_headers(origin: str | None, allowed: tuple[str, ...]) -> Headers:
    """What lets a page of a configured origin read the answer; nothing for others."""
    if not allowed:
        return []
    if origin is None or origin not in allowed:
        return [(b"vary", b"Origin")]
    return [
        (b"vary", b"Origin"),
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED_HEADERS),
    ]


def preflight_answer(headers: Headers) -> list[Message]:
    """The response to a browser that asks whether it may send its headers."""
    return [
        {
            "type": "http.response.start",
            "status": int(HTTPStatus.NO_CONTENT),
            "headers": [
                *headers,
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", _ALLOWED_REQUEST_HEADERS),
                (b"access-control-max-age", b"600"),
            ],
        },
        {"type": "http.response.body", "body": b""},
    ]

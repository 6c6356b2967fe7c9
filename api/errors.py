"""The one table from what can go wrong to HTTP, and the envelope it is told in (contract 1.5).

`error` is a string and the body has the same keys for every error, so that the seed's
client, both SDKs and a person with curl read the same thing.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from flask import Flask, Response, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from api.auth import challenge
from api.pace import TooSlow
from common.domain.errors import (
    BadRequest,
    BlobsUnavailable,
    Conflict,
    DomainError,
    EncryptionMissing,
    FieldProblem,
    Forbidden,
    IdempotencyKeyReused,
    InsufficientScope,
    InvalidChangeReason,
    InvalidCursor,
    InvalidId,
    LoginRefused,
    NotFound,
    Overloaded,
    ProviderFailed,
    RateLimited,
    TooLarge,
    TooManyTurns,
    Unauthorized,
    Unavailable,
    Unprocessable,
    UnsupportedMedia,
)
from common.logs import place_of
from common.storage.engine import is_passing_outage, sqlstate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_log = structlog.get_logger()

# Read and thrown away behind the answer, so that a client which sends its whole body sees it:
# closing a connection with unread bytes resets it.  A thread has no more time for that.
_DRAIN_SECONDS: Final = 5.0
_DRAIN_PAUSE_SECONDS: Final = 1.0
_RETRY_AFTER_SECONDS: Final = 1
# Told before the whole body was read.
_BEFORE_THE_END: Final = (TooLarge, UnsupportedMedia, BlobsUnavailable)
_QUERY_CANCELED: Final = "57014"


class NotBuilt(DomainError):
    """A route of the contract that this release does not serve."""

    code = "not_implemented"


class Misdirected(DomainError):
    """A route that another process serves: the proxy in front sent it here."""

    code = "misdirected"


STATUS_OF: Final[dict[type[DomainError], HTTPStatus]] = {
    BadRequest: HTTPStatus.BAD_REQUEST,
    InvalidId: HTTPStatus.BAD_REQUEST,
    InvalidCursor: HTTPStatus.BAD_REQUEST,
    InvalidChangeReason: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    LoginRefused: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    InsufficientScope: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Misdirected: HTTPStatus.MISDIRECTED_REQUEST,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyTurns: HTTPStatus.TOO_MANY_REQUESTS,
    NotBuilt: HTTPStatus.NOT_IMPLEMENTED,
    ProviderFailed: HTTPStatus.BAD_GATEWAY,
    EncryptionMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    BlobsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# What a client is to wait before it tries again, in seconds, by kind of error.
_RETRY_AFTER_OF: Final[dict[type[DomainError], int]] = {
    # Somebody has to configure something first.
    EncryptionMissing: 300,
    BlobsUnavailable: 5,
    Overloaded: 2,
    TooManyTurns: 5,
    Unavailable: 2,
}

_CODE_OF_STATUS: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "too_large",
    415: "unsupported_media_type",
}


def register(app: Flask) -> None:
    """Make the application answer every error in the envelope."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _malformed_request)
    app.register_error_handler(ClientDisconnected, _unfinished_request)
    app.register_error_handler(TooSlow, _unfinished_request)
    app.register_error_handler(Exception, _unexpected)


def envelope(
    status: int,
    code: str,
    message: str,
    *,
    problems: tuple[FieldProblem, ...] = (),
    retry_after_seconds: int | None = None,
) -> Response:
    """An error as a response."""
    body: dict[str, Any] = {
        "error": message,
        "status": status,
        "code": code,
        "message": message,
        "title": HTTPStatus(status).phrase,
        "detail": message,
        "request_id": g.get("request_id"),
    }
    if problems:
        body["errors"] = [
            {"field": problem.field, "message": problem.message} for problem in problems
        ]
    response = Response(status=status, content_type="application/json; charset=utf-8")
    if retry_after_seconds is not None:
        body["retry_after_seconds"] = retry_after_seconds
        response.headers["Retry-After"] = str(retry_after_seconds)
    response.set_data(orjson.dumps(body))
    return response


def _domain_error(error: DomainError) -> Response:
    response = envelope(
        STATUS_OF[type(error)],
        error.code,
        error.message,
        problems=error.problems,
        retry_after_seconds=retry_after(error),
    )
    if isinstance(error, RateLimited):
        response.headers.update(error.headers)
    if (wanted := challenge(error)) is not None:
        response.headers["WWW-Authenticate"] = wanted
    if isinstance(error, _BEFORE_THE_END) or g.get("is_body_unread"):
        _end_early(response)
    return response


def retry_after(error: DomainError) -> int | None:
    """What a client is to wait, in seconds; None where waiting does not help."""
    if isinstance(error, RateLimited):
        return error.retry_after_seconds
    return _RETRY_AFTER_OF.get(type(error))


def _http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    message = _message_of(status)
    response = envelope(status, _CODE_OF_STATUS.get(status, "error"), message)
    if isinstance(error, RequestEntityTooLarge):
        _end_early(response)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _malformed_request(_: ParseException) -> Response:
    """A body that is not sent as HTTP wants it; what follows it on the connection is nothing."""
    response = envelope(HTTPStatus.BAD_REQUEST, "bad_request", "Not a valid HTTP request")
    response.headers["Connection"] = "close"
    return response


def _unfinished_request(_: Exception) -> Response:
    """A client that stopped sending, or all but did; one that is still there is told."""
    response = envelope(
        HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request came too slowly"
    )
    response.headers["Connection"] = "close"
    return response


def _message_of(status: int) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "There is no such route"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This route does not take {request.method}"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "The request body is too large"
    return HTTPStatus(status).phrase


def _unexpected(error: Exception) -> Response:
    """The process edge: an outage is the database's, anything else is a fault of ours."""
    state = sqlstate(error)
    if is_passing_outage(error) or state == _QUERY_CANCELED:
        _log.warning("database_unavailable", error=type(error).__name__, sqlstate=state)
        return envelope(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "The database cannot be reached just now; try again",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )
    _log.error("request_failed", error=type(error).__name__, sqlstate=state, at=place_of(error))
    return envelope(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal server error")


def _end_early(response: Response) -> None:
    """Answer before the body has come; what still comes of it is read behind the answer."""
    response.headers["Connection"] = "close"
    response.call_on_close(partial(_drain, request.environ))


def _drain(environ: WSGIEnvironment) -> None:
    stream, ends = environ["wsgi.input"], time.monotonic() + _DRAIN_SECONDS
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(_DRAIN_PAUSE_SECONDS)
    # A client that has gone, sends nothing more or no HTTP needs no answer.
    with suppress(OSError, ParseException):
        while stream.read(65536) and time.monotonic() < ends:
            pass

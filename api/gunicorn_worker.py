"""gunicorn's threads for clients of any kind: none may keep one for as long as it likes."""

from __future__ import annotations

import socket
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from api.pace import Pace, PacedSocket
from api.thread_wait import MeasuringPool
from common.clock import new_id
from common.domain.browser import protective_headers
from common.logs import place_of

# A connection that says nothing waits with the poller, not on a thread.
_FIRST_WORD_SECONDS: Final = 0.005
_ANSWERS: Final = {
    LimitRequestLine: (HTTPStatus.REQUEST_URI_TOO_LONG, "too_large"),
    LimitRequestHeaders: (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large"),
    ExpectationFailed: (HTTPStatus.EXPECTATION_FAILED, "bad_request"),
}
_MALFORMED: Final = (HTTPStatus.BAD_REQUEST, "bad_request")

_log = structlog.get_logger()


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """As `gthread`, with a pace that clients have to keep."""

    pace = Pace()

    def get_thread_pool(self) -> Any:
        return MeasuringPool(max_workers=self.cfg.threads)

    def handle(self, conn: Any) -> Any:
        """Serve one request; called on a thread, for each request of a connection."""
        is_new = not conn.initialized and not conn.data_ready
        if is_new and not conn.wait_for_data(_FIRST_WORD_SECONDS):
            return _DEFER
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket.take(conn.sock, self.pace)
        conn.sock.begin()
        outcome = super().handle(conn)
        if outcome is False:
            # gunicorn would do so on the thread that accepts, for two seconds a client.
            conn.sock.part()
        return outcome

    def handle_error(self, _req: Any, client: socket.socket, _addr: Any, exc: Exception) -> None:
        """Answer in the envelope what never got to the application; nothing of it is repeated."""
        if isinstance(exc, ParseException):
            status, code = _ANSWERS.get(type(exc), _MALFORMED)
            _log.warning("request_refused", error=type(exc).__name__, status=int(status))
        else:
            status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"
            _log.error("request_failed", error=type(exc).__name__, at=place_of(exc))
        with suppress(OSError):
            client.sendall(_answer(status, code))


def _answer(status: HTTPStatus, code: str) -> bytes:
    message = "Not a valid HTTP request" if status == HTTPStatus.BAD_REQUEST else status.phrase
    body = {
        "error": message,
        "status": int(status),
        "code": code,
        "message": message,
        "title": status.phrase,
        "detail": message,
        "request_id": new_id().hex,
    }
    data = orjson.dumps(body)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(data)),
        "Connection": "close",
        "X-Request-Id": body["request_id"],
        **protective_headers(),
    }
    lines = [f"HTTP/1.1 {int(status)} {status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + data

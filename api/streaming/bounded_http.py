"""uvicorn's HTTP with bounds of our own: it has none for how much a request is, or how long.

A request here is a short head and nothing else, and waits for the answer to the one before.
What comes beyond the limit, too slowly or too soon ends the connection: headers and trailers
would otherwise be collected for as long as they come.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.streaming.bell import Bell
from api.streaming.line import Line
from api.streaming.responses import error_answer
from common.domain.browser import protective_headers

if TYPE_CHECKING:
    from collections import deque

# As much as the api takes of a request line and headers together, with room for cookies.
MOST_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0


class _Flow(FlowControl):
    """uvicorn's, with a smaller thing to wait at."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._is_writable_event = cast(asyncio.Event, Bell())
        self._is_writable_event.set()


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    # Beside uvicorn's own, which are as many as Python keeps without a dictionary.
    __slots__ = ("_bytes", "_line", "_until_head")

    head_seconds = HEAD_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._bytes = 0
        self._until_head: asyncio.TimerHandle | None = None
        self._line: Line | None = None
        # Nobody waits in it, and no deque is as small.
        self.pipeline = cast("deque[Any]", ())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the loop."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._head_has_come()
        super().connection_lost(exc)
        if self._line is not None:
            self._line.lost()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self.transport.is_closing():
            return
        self._bytes += len(data)
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self._bytes > MOST_BYTES:
            self._refuse(is_answering=is_answering)
            return
        if not is_answering:
            self._expect_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._head_has_come()
        if self.cycle is not None and not self.cycle.response_complete:
            # The one that is being answered would no longer hear of its connection's end.
            self.transport.abort()
            return
        super().on_headers_complete()
        # The task that answers has not begun yet.
        self.cycle.message_event = cast(asyncio.Event, Bell())
        self._line = Line(self, self.cycle)
        self._line.offer_to(self.scope)

    def on_response_complete(self) -> None:
        """Called by uvicorn."""
        self._bytes = 0
        super().on_response_complete()

    def _expect_head(self) -> None:
        if self._until_head is None:
            self._until_head = self.loop.call_later(self.head_seconds, self._give_up)

    def _head_has_come(self) -> None:
        if self._until_head is not None:
            self._until_head.cancel()
            self._until_head = None

    def _give_up(self) -> None:
        self._until_head = None
        self.transport.abort()

    def _refuse(self, *, is_answering: bool) -> None:
        if is_answering:
            self.transport.abort()
            return
        self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large")

    def send_400_response(self, _msg: str) -> None:
        """Called by uvicorn for what is no request."""
        self._end(HTTPStatus.BAD_REQUEST, "bad_request", "Not a valid HTTP request")

    def _end(self, status: HTTPStatus, code: str, message: str | None = None) -> None:
        """Answer in the envelope and hang up."""
        start, body = error_answer(status, code, message or status.phrase)
        headers = [
            *start["headers"],
            (b"connection", b"close"),
            *((name.encode(), value.encode()) for name, value in protective_headers().items()),
        ]
        lines = [f"HTTP/1.1 {int(status)} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join([*lines, b"", body["body"]]))
        self.transport.close()

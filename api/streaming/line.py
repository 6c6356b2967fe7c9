"""The connection under an answer that is being streamed, for what ASGI has no words for.

A server's way to write goes by a message, a coroutine and a look at the protocol's state, and
its way to say that the client is gone by a task that waits for it.  With ten thousand quiet
streams, or a thousand that are all told the same, these cost more than the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Under which an ASGI scope has it; set by `api.streaming.bounded_http`.
_EXTENSION: Final = "everturn.line"


class Line:
    """One request's."""

    __slots__ = ("_cycle", "_on_lost", "_protocol")

    def __init__(self, protocol: HttpToolsProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._on_lost: Callable[[], None] | None = None

    @classmethod
    def under(cls, scope: Mapping[str, Any]) -> Line:
        """The line that a request came by."""
        return cast(Line, scope["extensions"][_EXTENSION])

    def offer_to(self, scope: Any) -> None:
        """Let the application find it."""
        scope["extensions"] = {_EXTENSION: self}

    def write(self, data: bytes) -> bool:
        """Write a part of the body here and now; False when that would have to wait."""
        cycle = self._cycle
        if cycle.flow.write_paused or cycle.disconnected or not cycle.chunked_encoding:
            return False
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def when_lost(self, told: Callable[[], None]) -> None:
        """Call this as soon as the client has closed the connection, or now if it has."""
        self._on_lost = told
        if self._cycle.disconnected:
            told()

    def lost(self) -> None:
        """The connection is closed."""
        if self._on_lost is not None:
            self._on_lost()

    def forget_request(self) -> None:
        """Keep no more of the request than the server asks for while it answers."""
        protocol, cycle = self._protocol, self._cycle
        if protocol.scope is cycle.scope:
            protocol.headers = []
            protocol.url = b""
            protocol.scope = cycle.scope = cast(Any, {"method": cycle.scope["method"]})

"""httpx2 transports whose connections are guarded; no proxies, no connection outlives its use."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Final

import httpcore2
import httpx2

from worker.capabilities.outbound.connections import (
    AsyncGuardedBackend,
    GuardedBackend,
    TimeLeft,
)
from worker.capabilities.outbound.guard import Guard

_MOST_CONNECTIONS: Final = 10


class GuardedTransport(httpx2.HTTPTransport):
    """For one request, redirects included, on a thread."""

    def __init__(self, guard: Guard, *, time_left: TimeLeft) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        # There is no public way to give the transport a backend; a test connects through it.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_tls(),
            max_keepalive_connections=0,
            network_backend=GuardedBackend(guard, time_left),
        )


class AsyncGuardedTransport(httpx2.AsyncHTTPTransport):
    """For an event loop; a response longer than `response_bytes` breaks off."""

    def __init__(self, guard: Guard, *, response_bytes: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=_MOST_CONNECTIONS,
            network_backend=AsyncGuardedBackend(guard),
        )
        self._response_bytes = response_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, asking for a body that is not compressed."""
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("a compressed response was not asked for")
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise httpx2.RemoteProtocolError("the response cannot be streamed")
        response.stream = _Bounded(response.stream, self._response_bytes)
        return response


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > self._limit:
                raise httpx2.RemoteProtocolError(f"the response is over {self._limit} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """One context a process: loading the certificates takes tens of milliseconds."""
    return httpx2.create_ssl_context()

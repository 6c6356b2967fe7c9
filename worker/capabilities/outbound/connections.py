"""Network backends that connect only where the guard allows, for threads and for a loop.

Both hand the wire library an address instead of a name.  The library keeps the name for the
Host header, SNI and the certificate check.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore2
from httpcore2 import SOCKET_OPTION

from worker.capabilities.outbound.guard import Guard

TimeLeft = Callable[[], float]
"""Seconds until the phase of the request that is under way must be over; may raise."""

_TRIED_ADDRESSES: Final = 3
_SLICE_SECONDS: Final = 0.5
_CONNECT_SECONDS: Final = 10.0


class GuardedBackend(httpcore2.NetworkBackend):
    """For one request on a thread; all its waits together keep to `time_left`.

    It is asked at least twice a second, so what it raises ends the request soon.
    """

    def __init__(self, guard: Guard, time_left: TimeLeft) -> None:
        self._guard = guard
        self._time_left = time_left
        self._wire = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the base's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of the host's addresses that answers."""
        failure: Exception = httpcore2.ConnectError("no address")
        for address in self._guard.addresses(host, port, self._time_left())[:_TRIED_ADDRESSES]:
            try:
                stream = self._wire.connect_tcp(
                    str(address),
                    port,
                    timeout=_positive(self._time_left()),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as refused:
                failure = refused
            else:
                return _TimedStream(stream, self._time_left)
        raise failure

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Never: a URL names no file."""
        raise httpcore2.UnsupportedProtocol

    def sleep(self, seconds: float) -> None:
        """Sleep between attempts."""
        time.sleep(min(seconds, max(0.0, self._time_left())))


class _TimedStream(httpcore2.NetworkStream):
    """A stream whose waits are cut into slices, with a look at the time between them."""

    def __init__(self, stream: httpcore2.NetworkStream, time_left: TimeLeft) -> None:
        self._stream = stream
        self._time_left = time_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        while True:
            left = self._time_left()
            if left <= 0:
                raise httpcore2.ReadTimeout
            try:
                return self._stream.read(max_bytes, timeout=min(left, _SLICE_SECONDS))
            except httpcore2.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, timeout=_positive(self._time_left()))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        left = _positive(self._time_left())
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=left)
        return _TimedStream(stream, self._time_left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncGuardedBackend(httpcore2.AsyncNetworkBackend):
    """For an event loop; whoever awaits it bounds the time."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._wire = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers."""
        limit = _CONNECT_SECONDS if timeout is None else timeout
        found = await asyncio.to_thread(self._guard.addresses, host, port, limit)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in found[:_TRIED_ADDRESSES]:
            try:
                return await self._wire.connect_tcp(
                    str(address),
                    port,
                    timeout=limit,
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as refused:
                failure = refused
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.AsyncNetworkStream:
        """Never: a URL names no file."""
        raise httpcore2.UnsupportedProtocol

    async def sleep(self, seconds: float) -> None:
        """Sleep between attempts."""
        await asyncio.sleep(seconds)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise httpcore2.ConnectTimeout
    return seconds

"""Lets a blocking read on a provider's connection end soon after its call was stopped.

The SDKs read with a blocking socket and cannot look at our stop meanwhile.  So the
connections of their HTTP client read in short slices and look in between, in the
thread that makes the call: no thread more for each call, and nothing left behind.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore2
import httpx2

from worker.llm.driver import Stop

SLICE_SECONDS: Final = 0.25
_NO_LIMIT: Final = float("inf")

_watched = threading.local()


class CallStopped(Exception):
    """The call was stopped while it waited for the provider; its connection is closed."""


@contextmanager
def watching(stop: Stop) -> Iterator[None]:
    """Within it, this thread's reads on such connections end when `stop` is set."""
    before: Stop | None = getattr(_watched, "stop", None)
    _watched.stop = stop
    try:
        yield
    finally:
        _watched.stop = before


def make_stoppable(client: httpx2.Client) -> None:
    """Make the connections that the client will open stoppable, those through a proxy too."""
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx2.HTTPTransport):
            # There is no public way that keeps the client's handling of proxies; a test
            # notices if a new version of the library has another one.
            transport._pool._network_backend = _SlicedBackend()  # noqa: SLF001


class _SlicedBackend(httpcore2.SyncBackend):
    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        return _SlicedStream(super().connect_tcp(*args, **kwargs))


class _SlicedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        stop: Stop | None = getattr(_watched, "stop", None)
        if stop is None:
            return self._stream.read(max_bytes, timeout)
        until = time.monotonic() + (_NO_LIMIT if timeout is None else timeout)
        while not stop.is_set():
            left = until - time.monotonic()
            try:
                return self._stream.read(max_bytes, max(0.001, min(SLICE_SECONDS, left)))
            except httpcore2.ReadTimeout:
                if time.monotonic() >= until:
                    raise
        raise CallStopped

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _SlicedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

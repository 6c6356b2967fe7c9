"""The listening socket, and uvicorn on it.

The socket is opened here because accepted ones inherit its options, and only those
bound what a client that does not read can hold on to: a small send buffer, and a time
after which the kernel gives a connection up on which nothing gets through.  Ending the
application's side does neither.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn

from api.streaming.app import StreamApp
from api.streaming.bounded_http import BoundedHttp
from api.streaming.deps import Deps

_BACKLOG: Final = 4096
_SEND_BUFFER_BYTES: Final = 64 * 1024
_USER_TIMEOUT_MS: Final = 10_000
# Streams end within moments of SIGTERM; what has not by then does not read.
_GRACE_SECONDS: Final = 2
_KEEP_ALIVE_SECONDS: Final = 30


def open_socket(host: str, port: int) -> socket.socket:
    """A bound socket whose connections cannot be held up for ever; port 0 takes a free one.

    Raises:
        OSError: the address is taken or not ours.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; elsewhere the defaults of the system
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
    try:
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    listening.listen(_BACKLOG)
    return listening


def make_server(make_deps: Callable[[], Deps]) -> uvicorn.Server:
    """The server, not yet running; it makes the dependencies within its event loop."""
    return uvicorn.Server(server_config(StreamApp(make_deps)))


def server_config(app: Callable[..., Any]) -> uvicorn.Config:
    """How an application is served here, this one or one that it is measured against."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def raise_file_limit() -> None:
    """Allow as many connections as this user may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (soft, resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

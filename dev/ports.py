"""Find out whether a port of this machine is free.

Our own ports lie below 32768: above it the kernel hands them out to client
connections, and a server then fails now and then with 'address in use'.
"""

import socket
from collections.abc import Collection

_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_HIGHEST = 32767


class PortTaken(Exception):
    """Somebody else listens on a port that has to be exactly this one."""


def require(port: int, *, setting: str) -> None:
    """Raise a sentence that names the port and its setting unless the port is ours to take."""
    problem = _problem(port)
    if problem is not None:
        raise PortTaken(
            f"port {port} {problem}.  Stop what uses it, or choose another: "
            f"{setting}={port + 10} python3 dev.py run"
        )


def next_free(port: int, *, avoid: Collection[int] = ()) -> int:
    """Return the port, or the first free one above it that is not in `avoid`."""
    for candidate in range(port, min(port + 200, max(_HIGHEST, port + 1))):
        if candidate not in avoid and _problem(candidate) is None:
            return candidate
    raise PortTaken(f"no free port from {port} on")


def loopback_addresses() -> list[tuple[socket.AddressFamily, str]]:
    """The loopback addresses this machine has: `localhost` may mean either."""
    return [
        (family, address)
        for family, address in _LOOPBACKS
        if family == socket.AF_INET or _has_ipv6_loopback()
    ]


def _problem(port: int) -> str | None:
    for family, address in loopback_addresses():
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            # Asked first: BSD lets a specific address be bound beside a taken wildcard.
            if client.connect_ex((address, port)) == 0:
                return "is taken by another program"
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind((address, port))
            except PermissionError:
                return "is not open to this user"
            except OSError:
                return "is taken by another program"
    return None


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True

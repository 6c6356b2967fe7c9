"""Name look-ups with a deadline."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from common.domain.outbound import OutboundRefused

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int, float], tuple[Address, ...]]
"""Host, port and seconds to all addresses; raises `OutboundRefused` or `CannotResolve`."""

_AT_ONCE: Final = threading.BoundedSemaphore(32)
_MOST_ADDRESSES: Final = 64


class CannotResolve(Exception):
    """The host has no address, or nobody said so in time."""


def resolve(host: str, port: int, timeout_seconds: float) -> tuple[Address, ...]:
    """All addresses of a host, in the system's order.

    Raises:
        CannotResolve: there are none, or none came in time.
        OutboundRefused: an address is scoped to an interface.
    """
    # getaddrinfo cannot be told a deadline; its thread ends by itself later.
    if not _AT_ONCE.acquire(timeout=timeout_seconds):
        raise CannotResolve("too many look-ups are under way")
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(entry[4][0]) for entry in found])
        except (OSError, UnicodeError) as failure:
            answers.put(failure if isinstance(failure, OSError) else OSError("not a name"))
        finally:
            _AT_ONCE.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, timeout_seconds))
    except queue.Empty:
        raise CannotResolve("its name could not be looked up in time") from None
    if isinstance(answer, OSError) or not answer:
        raise CannotResolve("its name is not known")
    if len(answer) > _MOST_ADDRESSES or any("%" in text for text in answer):
        raise OutboundRefused("its name has unusable addresses")
    return tuple(dict.fromkeys(ip_address(text) for text in answer))

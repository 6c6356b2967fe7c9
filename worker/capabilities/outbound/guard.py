"""From a host to the addresses that may be connected to."""

from __future__ import annotations

from ipaddress import ip_address

from common.domain.outbound import OutboundPolicy
from worker.capabilities.outbound.resolver import Address, Resolve, resolve


class Guard:
    """Resolves and judges; one for each policy, safe between threads."""

    def __init__(self, policy: OutboundPolicy, *, resolve: Resolve = resolve) -> None:
        self._policy = policy
        self._resolve = resolve

    def addresses(self, host: str, port: int, timeout_seconds: float) -> tuple[Address, ...]:
        """The addresses to connect to, in order.

        All of them are judged, and one that is not allowed refuses the host: a name that
        has a private address beside public ones is an attempt, not an accident.

        Raises:
            OutboundRefused: the host or one of its addresses may not be reached.
            CannotResolve: it has no address.
        """
        self._policy.check_host(host, port)
        try:
            found: tuple[Address, ...] = (ip_address(host),)
        except ValueError:
            found = self._resolve(host, port, timeout_seconds)
        for address in found:
            self._policy.check_address(host, port, address)
        return found

"""The rules of where a request may go: the operator's, the session's, and the fixed ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from common.domain.outbound.address import Address, refusal_of_address

PUBLIC_PORTS: Final = frozenset({80, 443, 8080, 8443})

_METADATA: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
_LOCAL_NAMES: Final = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "corp",
    "home",
    "private",
)
_NEVER_BY_NAME: Final = ("cloud metadata", "link-local", "multicast", "unspecified")
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


class OutboundRefused(Exception):
    """A request may not go there; `reason` is a clause that the caller may see."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PrivateTargets:
    """What the operator allows beyond the public internet: host names and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> PrivateTargets:
        """Read `mcp.internal, 10.1.0.0/16`.

        Raises:
            ValueError: an entry is neither a host name nor an address nor a network.
        """
        hosts, networks = set(), []
        for entry in (part.strip().lower() for part in text.split(",")):
            if not entry:
                continue
            try:
                networks.append(ip_network(entry))
            except ValueError:
                if "/" in entry or not _NAME.fullmatch(entry):
                    raise ValueError(
                        "must be host names, addresses or networks, comma-separated"
                    ) from None
                hosts.add(entry)
        return cls(frozenset(hosts), tuple(networks))

    def names(self, host: str) -> bool:
        """Whether the host itself is listed: by name, or as an address."""
        if host in self.hosts:
            return True
        try:
            return self.holds(ip_address(host))
        except ValueError:
            return False

    def holds(self, address: Address) -> bool:
        """Whether the address is in a listed network."""
        return any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class HostRules:
    """A session's `network_access`: exact hosts and `*.example.com` (not the apex itself).

    Attributes:
        allowed: only these; everything when empty.
        blocked: never these, whatever is allowed.
    """

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, raw: Mapping[str, Any] | None) -> HostRules:
        """From `{allowed, blocked}`, as it is stored; None is no rule."""
        if raw is None:
            return cls()
        return cls(_patterns(raw.get("allowed")), _patterns(raw.get("blocked")))

    def permit(self, host: str) -> bool:
        """Whether the session may reach the host."""
        if any(_matches(pattern, host) for pattern in self.blocked):
            return False
        return not self.allowed or any(_matches(pattern, host) for pattern in self.allowed)


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """All rules for one request."""

    private: PrivateTargets = field(default_factory=PrivateTargets)
    rules: HostRules = field(default_factory=HostRules)

    def check_host(self, host: str, port: int) -> None:
        """Judge a host and port before anything is looked up.

        Raises:
            OutboundRefused: it may not be reached, whatever its addresses.
        """
        if not self.rules.permit(host):
            raise OutboundRefused("the session's network access does not allow this host")
        if self.private.names(host):
            return
        if host in _METADATA or not re.search("[.:]", host):
            raise OutboundRefused("it is a name of a private network")
        if any(host.endswith(f".{suffix}") for suffix in _LOCAL_NAMES):
            raise OutboundRefused("it is a name of a private network")
        try:
            address = ip_address(host)
        except ValueError:
            # A name may yet turn out to be in an allowed network, where any port is fine.
            if port not in PUBLIC_PORTS and not self.private.networks:
                raise _wrong_port(port) from None
        else:
            self.check_address(host, port, address)

    def check_address(self, host: str, port: int, address: Address) -> None:
        """Judge one address that the host has.

        Raises:
            OutboundRefused: it is not public, and the operator does not allow it.
        """
        if self.private.holds(address):
            return
        what = refusal_of_address(address)
        # Whoever answers for an allowed name is trusted with private addresses, but not with
        # those that no service has.
        if host in self.private.hosts and what not in _NEVER_BY_NAME:
            return
        if what is not None:
            raise OutboundRefused(f"it leads to a {what} address, which is not public")
        if port not in PUBLIC_PORTS:
            raise _wrong_port(port)


def _wrong_port(port: int) -> OutboundRefused:
    allowed = ", ".join(map(str, sorted(PUBLIC_PORTS)))
    return OutboundRefused(f"port {port} cannot be reached, only {allowed}")


def _patterns(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        return ()
    # A dot at the end is the same name; an address may be written in brackets.
    return tuple(str(each).strip().lower().rstrip(".").strip("[]") for each in raw)


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return pattern in ("*", host)

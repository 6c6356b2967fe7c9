"""From which address a request comes, as far as the reverse proxies in front can be believed.

Each of them adds the address it was called from at the end of X-Forwarded-For; what stands
before those was written by the caller, who may have made it up.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# What one subscriber of a network is given.
_IPV6_BITS = 64


def client_address(peer: str, forwarded: str, *, hops: int) -> str:
    """The address that `hops` proxies vouch for; the peer's own where they do not.

    `forwarded` are all X-Forwarded-For headers, joined by commas.
    """
    named = [part.strip() for part in forwarded.split(",")] if forwarded else []
    if 0 < hops <= len(named) and _parse(named[-hops]) is not None:
        return named[-hops]
    return peer


def counted_address(address: str, *, peer: str) -> str | None:
    """What is counted as one caller: an address, of IPv6 a network; None for this machine."""
    found = _parse(address)
    if found is None:
        return address[:64]
    if found.is_loopback and _is_loopback(peer):
        return None
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _IPV6_BITS), strict=False))
    return str(found)


def _is_loopback(text: str) -> bool:
    found = _parse(text)
    return found is not None and found.is_loopback


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies write a port behind it, and brackets around IPv6."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found

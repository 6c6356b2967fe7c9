"""Reads a URL strictly: what two parsers could understand in two ways is refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import idna

from common.domain.outbound.policy import OutboundRefused

URL_CHARACTERS: Final = 2048

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]|\s")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HOST_CHARACTERS: Final = 253


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that is understood in one way only.

    Attributes:
        url: normalized, without a fragment.
        host: a name in lower-case ASCII, or an address without brackets.
    """

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials belong to."""
        return self.scheme, self.host, self.port


def read_target(url: str) -> Target:
    """Read an http or https URL.

    Raises:
        OutboundRefused: it is another scheme, carries a user name, or has an odd form.
    """
    if len(url) > URL_CHARACTERS:
        raise OutboundRefused(f"the URL is longer than {URL_CHARACTERS} characters")
    if _UNSAFE.search(url):
        raise OutboundRefused("the URL has a blank, a control character or a backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundRefused("it is not a valid URL") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise OutboundRefused("only http and https URLs can be reached")
    if "@" in parts.netloc:
        raise OutboundRefused("a URL with a user name or password cannot be reached")
    if port == 0 or parts.netloc.endswith(":"):
        raise OutboundRefused("it is not a valid port")
    host = _read_host(parts)
    default = _DEFAULT_PORTS[scheme]
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port in (None, default) else f"{shown}:{port}"
    normalized = SplitResult(scheme, netloc, parts.path or "/", parts.query, "").geturl()
    return Target(normalized, scheme, host, port or default)


def _read_host(parts: SplitResult) -> str:
    # Not `hostname`: it drops what stands beside brackets.
    host = re.sub(r":[0-9]*\Z", "", parts.netloc) if parts.port is not None else parts.netloc
    if host.startswith("["):
        return _read_address_6(host)
    host = host.lower()
    if not host:
        raise OutboundRefused("the URL names no host")
    if "%" in host:
        raise OutboundRefused("the host has an encoded character")
    if not host.isascii():
        host = _to_ascii(host)
    return _read_name(host)


def _read_address_6(host: str) -> str:
    if not host.endswith("]") or "%" in host:
        raise OutboundRefused("it is not a valid IPv6 address")
    try:
        return str(IPv6Address(host[1:-1]))
    except AddressValueError:
        raise OutboundRefused("it is not a valid IPv6 address") from None


def _to_ascii(host: str) -> str:
    # Letters that a looser parser folds to others (full-width digits, circled letters,
    # other dots) are refused, not folded.
    if unicodedata.normalize("NFKC", host) != host:
        raise OutboundRefused("the host has characters that stand for others")
    try:
        return idna.encode(host).decode("ascii").lower()
    except idna.IDNAError:
        raise OutboundRefused("it is not a valid host name") from None


def _read_name(host: str) -> str:
    labels = host.split(".")
    if len(host) > _HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise OutboundRefused("it is not a valid host name")
    if _NUMBER.fullmatch(labels[-1]):
        # Whoever ends in a number is an address; only the plain form of one is taken, not
        # decimal, octal, hexadecimal or shortened ones.
        try:
            return str(IPv4Address(host))
        except AddressValueError:
            raise OutboundRefused("it is an address in an unusual form") from None
    return host

from ipaddress import ip_address

import pytest

from common.domain.outbound import HostRules, OutboundPolicy, OutboundRefused, PrivateTargets
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.outbound.resolver import Address


class Names:
    """A resolver that answers from a table, each time with the next line of it."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int, _timeout_seconds: float) -> tuple[Address, ...]:
        self.asked.append(host)
        return tuple(ip_address(text) for text in self._answers.pop(0))


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:192.168.0.1"],
        ["fd00::1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["2606:4700::1111", "fe80::1"],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104 - judged, not listened on
    ],
)
def test_one_private_address_refuses_the_name(addresses: list[str]) -> None:
    guard = Guard(OutboundPolicy(), resolve=Names(addresses))

    with pytest.raises(OutboundRefused, match="not public"):
        guard.addresses("rebound.example.com", 80, 1)


def test_the_checked_addresses_are_the_ones_to_connect_to() -> None:
    """A name that changes its mind between check and use is looked up once."""
    names = Names(["8.8.8.8", "2606:4700::1111"], ["127.0.0.1"])
    guard = Guard(OutboundPolicy(), resolve=names)

    found = guard.addresses("example.com", 443, 1)

    assert [str(address) for address in found] == ["8.8.8.8", "2606:4700::1111"]
    assert names.asked == ["example.com"]
    with pytest.raises(OutboundRefused):
        guard.addresses("example.com", 443, 1)


def test_what_is_refused_by_name_is_never_looked_up() -> None:
    names = Names()
    guard = Guard(OutboundPolicy(rules=HostRules(blocked=("*.example.com",))), resolve=names)

    for host in ("a.example.com", "localhost", "metadata.google.internal", "redis", "127.0.0.1"):
        with pytest.raises(OutboundRefused):
            guard.addresses(host, 80, 1)
    assert names.asked == []


def test_an_allowed_network_lets_a_name_in_it_through() -> None:
    policy = OutboundPolicy(PrivateTargets.parse("10.1.0.0/16"))
    guard = Guard(policy, resolve=Names(["10.1.2.3"], ["10.1.2.3", "10.2.0.1"]))

    assert guard.addresses("tools.example.com", 3000, 1) == (ip_address("10.1.2.3"),)
    with pytest.raises(OutboundRefused):
        guard.addresses("tools.example.com", 3000, 1)

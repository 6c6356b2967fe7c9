"""Whom an address is believed to be of."""

import pytest

from api.client_address import client_address, counted_address


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        ("", 1, "10.0.0.1"),
        ("203.0.113.7", 0, "10.0.0.1"),
        ("203.0.113.7", 1, "203.0.113.7"),
        # What the caller wrote itself stands before what the proxy saw.
        ("198.51.100.1, 203.0.113.7", 1, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.0.0.2", 2, "203.0.113.7"),
        # Fewer than there are proxies: nobody vouches for any.
        ("203.0.113.7", 2, "10.0.0.1"),
        ("nonsense", 1, "10.0.0.1"),
        ("203.0.113.7,", 1, "10.0.0.1"),
        ("[2001:db8::1]:443", 1, "[2001:db8::1]:443"),
    ],
)
def test_the_last_entries_are_the_proxies_own(forwarded: str, hops: int, address: str) -> None:
    assert client_address("10.0.0.1", forwarded, hops=hops) == address


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5000", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_one_subscriber_is_counted_as_one(address: str, counted: str) -> None:
    assert counted_address(address, peer="10.0.0.1") == counted


def test_this_machine_is_not_counted_and_cannot_be_feigned() -> None:
    assert counted_address("127.0.0.1", peer="127.0.0.1") is None
    assert counted_address("::1", peer="127.0.0.1") is None
    assert counted_address("127.0.0.1", peer="203.0.113.7") == "127.0.0.1"

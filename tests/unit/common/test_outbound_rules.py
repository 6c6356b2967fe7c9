from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.outbound import (
    HostRules,
    OutboundPolicy,
    OutboundRefused,
    PrivateTargets,
    is_metadata,
    read_target,
    refusal_of_address,
)

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),  # noqa: S104 - judged, not listened on
    *("127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "168.63.129.16"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1"),
    *("2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1"),
    *("3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1"),
    *("ff02::1", "ff0e::1"),
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1"),
    *("172.32.0.1", "192.167.0.1", "11.0.0.1", "223.255.255.255", "126.0.0.1", "128.0.0.1"),
    *("2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"),
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_public(text: str) -> None:
    assert refusal_of_address(ip_address(text)) is not None


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address(text: str) -> None:
    assert refusal_of_address(ip_address(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((each, True) for each in ("169.254.169.254", "::ffff:169.254.169.254", "fe80::1")),
        *((each, True) for each in ("168.63.129.16", "fd00:ec2::254")),
        *((each, False) for each in ("127.0.0.1", "10.0.0.1", "fd00:ec2::253", "8.8.8.8")),
    ],
)
def test_where_metadata_is_served(text: str, *, expected: bool) -> None:
    assert is_metadata(ip_address(text)) is expected


@given(st.ip_addresses(v=4))
def test_whatever_the_standard_library_calls_not_global_is_refused(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal_of_address(address) is not None


@given(st.ip_addresses(v=4))
def test_an_address_in_another_form_is_never_more_public(address: IPv4Address) -> None:
    mapped = IPv6Address(int(IPv6Address("::ffff:0:0")) + int(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert refusal_of_address(mapped) == refusal_of_address(address)
    assert refusal_of_address(translated) == refusal_of_address(address)
    for form in (
        IPv6Address(int(address)),
        IPv6Address(int(IPv6Address("2002::")) | int(address) << 80),
        IPv6Address(int(IPv6Address("2001::")) | ~int(address) & 0xFFFFFFFF),
    ):
        assert refusal_of_address(form) is not None


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_the_block_that_is_handed_out_is_public(address: IPv6Address) -> None:
    if refusal_of_address(address) is None:
        is_carrier = address.ipv4_mapped is not None or int(address) >> 32 == 0x64FF9B << 64
        assert is_carrier or int(address) >> 125 == 0b001


# Refused as they stand, without a look-up.
HOSTILE_URLS = [
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "javascript:alert(1)",
    "//example.com/",
    "example.com",
    "",
    "http://",
    "http:///path",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\.evil/",
    "http://exa mple.com/",
    "http://example.com\t/",
    "http://example.com/\r\nHost: localhost",
    "http://example.com:0/",
    "http://example.com:/",
    "http://example.com:99999/",
    "http://example.com:-1/",
    "http://example.com:8e1/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0X7F.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.0x1/",
    "http://127.0.0.001/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://example.1/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://ⓛocalhost/",
    "http://\uff4cocalhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost/",
    "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://redis:6379/",
    "http://postgres/",
    "http://printer.local/",
    "http://db.internal/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata/",
    "http://metadata.goog/",
    "http://instance-data/latest/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[::1",
    "http://[::1]x/",
    "http://x[::1]/",
    "http://[v1.x]/",
    "http://127.0.0.1%2f@example.com/",
    "http://example%2ecom/",
    "http://%31%32%37.0.0.1/",
    "http://-example.com/",
    "http://example..com/",
    "http://.example.com/",
    "http://example.com./",
    "http://exa_mple!.com/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379/",
    "https://8.8.8.8:53/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://example.com/" + "a" * 2048,
    "http://ex\u200bample.com/",
    "http://xn--\u0131.com/",
]


def judged(url: str, policy: OutboundPolicy) -> None:
    target = read_target(url)
    policy.check_host(target.host, target.port)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(OutboundRefused):
        judged(url, OutboundPolicy())


@pytest.mark.parametrize(
    ("url", "normalized", "host", "port"),
    [
        ("http://Example.COM", "http://example.com/", "example.com", 80),
        ("HTTPS://example.com:443/a?b#c", "https://example.com/a?b", "example.com", 443),
        ("https://example.com:8443/", "https://example.com:8443/", "example.com", 8443),
        ("http://8.8.8.8/", "http://8.8.8.8/", "8.8.8.8", 80),
        (
            "http://[2606:4700:4700:0::1111]/",
            "http://[2606:4700:4700::1111]/",
            "2606:4700:4700::1111",
            80,
        ),
        ("http://müller.example/", "http://xn--mller-kva.example/", "xn--mller-kva.example", 80),
        ("http://a_b.example.com/x@y", "http://a_b.example.com/x@y", "a_b.example.com", 80),
        ("http://4chan.example/", "http://4chan.example/", "4chan.example", 80),
    ],
)
def test_an_ordinary_url_is_understood(url: str, normalized: str, host: str, port: int) -> None:
    target = read_target(url)

    assert (target.url, target.host, target.port) == (normalized, host, port)
    judged(url, OutboundPolicy())


@given(st.text(max_size=80))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://{text}.example.com/"):
        try:
            target = read_target(url)
        except OutboundRefused:
            continue
        assert target.host.isascii()
        assert not set("@%/\\ ") & set(target.host)


@pytest.mark.parametrize(
    ("rules", "host", "may"),
    [
        (None, "example.com", True),
        ({"allowed": [], "blocked": []}, "example.com", True),
        ({"allowed": ["example.com"], "blocked": []}, "example.com", True),
        ({"allowed": ["Example.COM."], "blocked": []}, "example.com", True),
        ({"allowed": ["example.com"], "blocked": []}, "a.example.com", False),
        ({"allowed": ["*.example.com"], "blocked": []}, "a.b.example.com", True),
        ({"allowed": ["*.example.com"], "blocked": []}, "example.com", False),
        ({"allowed": ["*.example.com"], "blocked": []}, "notexample.com", False),
        ({"allowed": ["*.example.com"], "blocked": ["a.example.com"]}, "a.example.com", False),
        ({"allowed": [], "blocked": ["*.example.com"]}, "a.example.com", False),
        ({"allowed": ["*"], "blocked": []}, "example.com", True),
        ({"allowed": ["[2606:4700::1]"], "blocked": []}, "2606:4700::1", True),
    ],
)
def test_a_sessions_network_access(
    rules: dict[str, list[str]] | None, host: str, *, may: bool
) -> None:
    assert HostRules.from_json(rules).permit(host) is may


def test_network_access_cannot_open_what_is_private() -> None:
    policy = OutboundPolicy(rules=HostRules(allowed=("127.0.0.1", "localhost")))
    for url in ("http://127.0.0.1/", "http://localhost/"):
        with pytest.raises(OutboundRefused):
            judged(url, policy)


@pytest.mark.parametrize(
    ("allowed", "url", "addresses"),
    [
        ("10.1.0.0/16", "http://10.1.2.3:9000/", []),
        ("tools.internal", "http://tools.internal:3000/", ["10.0.0.1"]),
        ("tools", "http://tools:3000/", ["fd12::1"]),
        ("127.0.0.1, ::1", "http://[::1]:8000/", []),
        ("10.0.0.0/8", "http://tools.example.com:8000/", ["10.1.1.1"]),
    ],
)
def test_the_operator_opens_private_targets(allowed: str, url: str, addresses: list[str]) -> None:
    policy = OutboundPolicy(PrivateTargets.parse(allowed))
    target = read_target(url)

    policy.check_host(target.host, target.port)
    for address in addresses:
        policy.check_address(target.host, target.port, ip_address(address))


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address"),
    [
        ("tools.internal", "other.internal", 80, "10.0.0.1"),
        ("tools.internal", "tools.internal", 80, "169.254.169.254"),
        ("tools.internal", "tools.internal", 80, "224.0.0.1"),
        ("10.1.0.0/16", "tools.example.com", 80, "10.2.0.1"),
        ("10.1.0.0/16", "tools.example.com", 22, "8.8.8.8"),
    ],
)
def test_and_opens_nothing_beside_them(allowed: str, host: str, port: int, address: str) -> None:
    policy = OutboundPolicy(PrivateTargets.parse(allowed))

    def connected() -> None:
        policy.check_host(host, port)
        policy.check_address(host, port, ip_address(address))

    with pytest.raises(OutboundRefused):
        connected()


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "http://x", "a b", "x/", "*.a"])
def test_private_targets_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="comma-separated"):
        PrivateTargets.parse(text)

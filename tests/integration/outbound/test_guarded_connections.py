"""The guard as it is enforced: by what a real server sees, or does not see."""

import asyncio
import socket
import threading
from ipaddress import ip_address

import httpx2
import pytest

from common.domain.outbound import OutboundPolicy, OutboundRefused, PrivateTargets
from tests.integration.outbound.conftest import Site, context, fetched, refused, tool
from worker.capabilities.capability import ToolFailed
from worker.capabilities.outbound import resolver
from worker.capabilities.outbound.guard import Guard
from worker.capabilities.outbound.resolver import Address, CannotResolve
from worker.capabilities.outbound.transports import AsyncGuardedTransport, GuardedTransport


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0"),  # noqa: S104 - connected to, not listened on
        *("localhost", "LOCALHOST", "localhost.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *(
            "[::]",
            "[::1]",
            "user@127.0.0.1",
            "example.com@127.0.0.1",
            "127.0.0.1.",
            "\uff11\uff12\uff17.0.0.1",
        ),
    ],
)
def test_no_spelling_of_this_machine_reaches_it(site: Site, host: str) -> None:
    message = refused(f"http://{host}:{site.server_port}/text", allow_private="")

    assert "cannot be fetched" in message
    assert site.seen == []


def test_a_redirect_to_a_private_address_is_not_followed(site: Site, secret_site: Site) -> None:
    secret = f"127.0.0.2:{secret_site.server_port}"
    for target in (
        f"http://{secret}/text",
        f"//{secret}/text",
        f"http://[::ffff:127.0.0.2]:{secret_site.server_port}/text",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        f"http://user:secret@{site.url.removeprefix('http://')}/text",
    ):
        assert (
            "cannot be fetched" in (message := refused(f"{site.url}/to?{target}"))
            or "redirects" in message
        ), target

    assert secret_site.seen == []
    assert "/text" not in site.paths()


def test_the_sessions_network_access_counts_at_each_hop(site: Site) -> None:
    only_other = context(network_access={"allowed": ["example.com"], "blocked": []})
    blocked = context(network_access={"allowed": [], "blocked": ["127.0.0.1"]})

    for rules in (only_other, blocked):
        outcome = tool().run({"url": f"{site.url}/text"}, rules)
        assert isinstance(outcome, ToolFailed)
        assert "network access" in outcome.message
    assert site.seen == []


class Rebinding:
    """A name server that says something else the second time."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def __call__(self, _host: str, _port: int, _seconds: float) -> tuple[Address, ...]:
        return (ip_address(self.answers.pop(0)),)


def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    names = Rebinding("127.0.0.1", "127.0.0.2")
    policy = OutboundPolicy(PrivateTargets.parse("127.0.0.1"))
    transport = GuardedTransport(Guard(policy, resolve=names), time_left=lambda: 5.0)

    with httpx2.Client(transport=transport, trust_env=False) as client:
        url = f"http://rebound.example.com:{site.server_port}/echo"
        sent = client.get(url).json()
        # The name is kept for the server, and the address was asked for once.
        assert sent["headers"]["Host"] == f"rebound.example.com:{site.server_port}"
        assert names.answers == ["127.0.0.2"]
        with pytest.raises(OutboundRefused):
            client.get(url)
    assert len(site.seen) == 1


def test_the_asynchronous_connection_too(site: Site) -> None:
    names = Rebinding("127.0.0.1", "127.0.0.2")
    policy = OutboundPolicy(PrivateTargets.parse("127.0.0.1"))

    async def twice() -> None:
        url = f"http://rebound.example.com:{site.server_port}/to?/text"
        for _ in range(2):
            transport = AsyncGuardedTransport(Guard(policy, resolve=names), response_bytes=100)
            async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
                assert (await client.get(url)).status_code == 302

    with pytest.raises(OutboundRefused):
        asyncio.run(twice())
    assert len(site.seen) == 1


def test_an_asynchronous_response_is_bounded_and_not_compressed(site: Site) -> None:
    guard = Guard(OutboundPolicy(PrivateTargets.parse("127.0.0.1")))

    async def get(path: str) -> httpx2.Response:
        transport = AsyncGuardedTransport(guard, response_bytes=1000)
        async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
            return await client.get(f"{site.url}/{path}")

    assert asyncio.run(get("text")).text == "hello"
    for path in ("huge", "gzip"):
        with pytest.raises(httpx2.RemoteProtocolError):
            asyncio.run(get(path))


def test_proxies_of_the_environment_are_not_used(
    site: Site, secret_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{secret_site.server_port}")

    assert fetched(f"{site.url}/text")["content"] == "hello"
    assert secret_site.seen == []


def test_a_name_that_is_not_known_is_said_so() -> None:
    with pytest.raises(CannotResolve):
        resolver.resolve("nothing.invalid", 80, 5.0)
    assert "not known" in refused("http://nothing.invalid/")
    assert "xn--mller-kva.invalid" in refused("http://m\u00fcller.invalid/")


def test_a_look_up_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(CannotResolve, match="in time"):
        resolver.resolve("slow.example.com", 80, 0.05)
    release.set()

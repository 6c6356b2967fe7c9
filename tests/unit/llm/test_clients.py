"""Which client is made, and how long it is kept; nothing connects."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import anthropic
import openai
import pytest

from worker.llm.client_cache import ClientCache
from worker.llm.clients import (
    CONNECT_SECONDS,
    READ_SECONDS,
    anthropic_client,
    openai_client,
)
from worker.llm.driver import Endpoint, FailureReason, LLMFailure


class _Client:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def _endpoint(name: str, **settings: Any) -> Endpoint:
    return Endpoint("p", "openai", f"http://{name}", "key", settings)


def test_an_endpoint_has_one_client() -> None:
    cache = ClientCache(_Client)
    with cache.lent(_endpoint("a", x=1)) as first, cache.lent(_endpoint("a", x=1)) as second:
        assert first is second
    with cache.lent(_endpoint("a", x=1)) as third:
        assert third is first
        assert not first.is_closed


@pytest.mark.parametrize(
    "other",
    [
        Endpoint("p", "anthropic", "http://a", "key"),
        Endpoint("p", "openai", "http://b", "key"),
        Endpoint("p", "openai", "http://a", "another key"),
        Endpoint("p", "openai", "http://a", "key", {"headers": {"x": "y"}}),
    ],
)
def test_another_endpoint_has_another_client(other: Endpoint) -> None:
    cache = ClientCache(_Client)
    with cache.lent(_endpoint("a")) as one, cache.lent(other) as two:
        assert one is not two
        assert two.endpoint is other


def test_the_least_recently_used_is_dropped_and_closed() -> None:
    cache = ClientCache(_Client, most=2)
    used: list[_Client] = []
    for name in "abac":
        with cache.lent(_endpoint(name)) as client:
            used.append(client)
    a, b, _, c = used
    assert [a.is_closed, b.is_closed, c.is_closed] == [False, True, False]


def test_a_client_in_use_is_closed_only_after_its_last_call() -> None:
    cache = ClientCache(_Client, most=1)
    with cache.lent(_endpoint("a")) as a:
        with cache.lent(_endpoint("a")), cache.lent(_endpoint("b")):
            pass
        assert not a.is_closed
    assert a.is_closed
    cache.close()


def test_closing_the_cache_closes_what_is_not_in_use() -> None:
    cache = ClientCache(_Client)
    with cache.lent(_endpoint("a")) as a, cache.lent(_endpoint("b")) as b:
        pass
    cache.close()
    assert a.is_closed
    assert b.is_closed


def test_threads_that_come_together_share_one_client() -> None:
    made: list[_Client] = []
    together = threading.Barrier(8)

    def make(endpoint: Endpoint) -> _Client:
        made.append(_Client(endpoint))
        return made[-1]

    cache = ClientCache(make)

    def call() -> None:
        together.wait()
        with cache.lent(_endpoint("a")):
            pass

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.fixture
def closed_after() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_openai_clients_never_retry_and_have_time_outs(closed_after: ExitStack) -> None:
    client = closed_after.enter_context(closing(openai_client(_endpoint("a"))))
    assert client.max_retries == 0
    assert str(client.base_url) == "http://a"
    timeout = client._client.timeout
    assert (timeout.connect, timeout.read) == (CONNECT_SECONDS, READ_SECONDS)
    assert client.timeout == timeout
    assert client._client.follow_redirects is False


def test_anthropic_clients_never_retry_and_have_time_outs(closed_after: ExitStack) -> None:
    settings = {"connect_timeout_seconds": 1, "read_timeout_seconds": 2.5}
    endpoint = Endpoint("p", "anthropic", None, "key", settings)
    client = closed_after.enter_context(closing(anthropic_client(endpoint)))
    assert isinstance(client, anthropic.Anthropic)
    assert client.max_retries == 0
    assert str(client.base_url) == "https://api.anthropic.com"
    timeout = client._client.timeout
    assert (timeout.connect, timeout.read) == (1, 2.5)


def test_the_environment_decides_nothing(
    closed_after: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "http://not-ours")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://not-ours")
    ours = closed_after.enter_context(closing(openai_client(Endpoint("p", "openai", None, "k"))))
    assert (ours.api_key, ours.organization, ours.project) == ("k", None, None)
    assert "not-ours" not in str(ours.base_url)
    theirs = closed_after.enter_context(
        closing(anthropic_client(Endpoint("p", "anthropic", None, "k")))
    )
    assert (theirs.api_key, theirs.auth_token) == ("k", None)
    assert "not-ours" not in str(theirs.base_url)


@pytest.mark.parametrize(
    ("provider_type", "url"),
    [
        ("openai", "https://api.openai.com/v1/"),
        ("openai_completions", "https://api.openai.com/v1/"),
        ("openrouter", "https://openrouter.ai/api/v1/"),
    ],
)
def test_each_type_has_its_own_address(
    closed_after: ExitStack, provider_type: str, url: str
) -> None:
    client = openai_client(Endpoint("p", provider_type, None, "key"))
    closed_after.enter_context(closing(client))
    assert str(client.base_url) == url


def test_azure_has_a_client_of_its_own(closed_after: ExitStack) -> None:
    endpoint = Endpoint("p", "azure_openai", "https://me.openai.azure.com", "key")
    client = closed_after.enter_context(closing(openai_client(endpoint)))
    assert isinstance(client, openai.AzureOpenAI)


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("p", "openai"),
        Endpoint("p", "openrouter"),
        Endpoint("p", "azure_openai", None, "key"),
        Endpoint("p", "azure_openai", "https://me.openai.azure.com"),
        _endpoint("a", read_timeout_seconds="long"),
        _endpoint("a", read_timeout_seconds=0),
        _endpoint("a", connect_timeout_seconds=1e9),
        _endpoint("a", connect_timeout_seconds=True),
        _endpoint("a", headers=["x"]),
        _endpoint("a", headers={"x": 1}),
        _endpoint("a", organization=5),
    ],
)
def test_an_endpoint_that_cannot_work_is_misconfigured(endpoint: Endpoint) -> None:
    with pytest.raises(LLMFailure) as caught:
        openai_client(endpoint)
    assert caught.value.reason is FailureReason.MISCONFIGURED
    assert not caught.value.may_retry

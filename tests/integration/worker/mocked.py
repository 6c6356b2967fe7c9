"""A model provider's server that others wrote, reached as a stored provider."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from llmock.testing import LLMockServer

from dev.services import free_test_port
from tests.contract.llm.stage import PATHS, REMOTE, MockedProvider
from tests.integration.worker.conftest import World
from tests.integration.worker.test_provider_keys import KEY, provided


@pytest.fixture(scope="module")
def mock_server_url() -> Iterator[str]:
    with LLMockServer(port=free_test_port()) as server:
        yield server.url


@pytest.fixture(params=REMOTE)
def provider(
    request: pytest.FixtureRequest, mock_server_url: str, world: World
) -> Iterator[MockedProvider]:
    """The session's model speaks each wire format in turn."""
    with mocked_provider(world, mock_server_url, request.param) as mocked:
        yield mocked


@pytest.fixture
def anthropic(mock_server_url: str, world: World) -> Iterator[MockedProvider]:
    """The session's model speaks one of them."""
    with mocked_provider(world, mock_server_url, "anthropic") as mocked:
        yield mocked


@contextmanager
def mocked_provider(world: World, url: str, provider_type: str) -> Iterator[MockedProvider]:
    world.settings = replace(world.settings, secrets_encryption_key=KEY)
    mocked = MockedProvider(url, provider_type)
    provided(world, provider_type, url + PATHS[provider_type])
    yield mocked
    mocked.reset()

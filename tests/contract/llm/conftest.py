"""A mock provider server that others wrote, and one that plays what it is given."""

from collections.abc import Iterator

import pytest
from llmock.testing import LLMockServer

from dev.services import free_test_port
from tests.contract.llm.playback import Playback
from tests.contract.llm.stage import REMOTE, MockedProvider, SimulatedProvider, Stage


@pytest.fixture(scope="session")
def mock_server_url() -> Iterator[str]:
    with LLMockServer(port=free_test_port()) as server:
        yield server.url


@pytest.fixture(params=REMOTE)
def provider(request: pytest.FixtureRequest, mock_server_url: str) -> Iterator[MockedProvider]:
    """Each wire format in turn."""
    mocked = MockedProvider(mock_server_url, request.param)
    yield mocked
    mocked.reset()


@pytest.fixture(params=[*REMOTE, "llmsim"])
def stage(request: pytest.FixtureRequest, mock_server_url: str) -> Stage:
    """Each driver in turn, the simulated model too."""
    if request.param == "llmsim":
        return SimulatedProvider()
    return MockedProvider(mock_server_url, request.param)


@pytest.fixture
def playback() -> Iterator[Playback]:
    with Playback(free_test_port()) as server:
        yield server

"""The TypeScript client as it is published, and one running system for all its tests."""

from collections.abc import Iterator

import pytest

from dev import node
from dev.services import free_test_port
from tests.servers import Servers
from tests.system import System
from tests.talk import Simulate, simulated_model, system_of_its_own


@pytest.fixture(scope="session")
def _built() -> None:
    node.ensure_built()


@pytest.fixture(scope="session")
def page_port() -> int:
    """Where a page is served that is of another origin than the system."""
    return free_test_port()


@pytest.fixture(scope="session")
def system(
    servers: Servers, page_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    settings = {"CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{page_port}"}
    with system_of_its_own(servers, tmp_path_factory.mktemp("system"), settings) as started:
        yield started


@pytest.fixture
def simulate(system: System) -> Iterator[Simulate]:
    with simulated_model(system) as change:
        yield change

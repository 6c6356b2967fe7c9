"""One running system for all contract tests of a process."""

from collections.abc import Iterator

import pytest

from tests.servers import Servers
from tests.system import System
from tests.talk import Simulate, Talk, simulated_model, system_of_its_own


@pytest.fixture(scope="session")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system_of_its_own(servers, tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.fixture
def talk(system: System) -> Iterator[Talk]:
    caller = Talk(system.base_url)
    yield caller
    caller.close()


@pytest.fixture
def simulate(system: System) -> Iterator[Simulate]:
    with simulated_model(system) as change:
        yield change

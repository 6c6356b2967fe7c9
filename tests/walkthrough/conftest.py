"""A running system and a plain HTTP client for it."""

from collections.abc import Iterator

import httpx
import pytest

from tests import plain_http
from tests.servers import Servers
from tests.system import System
from tests.talk import system_of_its_own


@pytest.fixture(scope="session")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system_of_its_own(servers, tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.fixture
def api(system: System) -> Iterator[httpx.Client]:
    with plain_http.client(base_url=f"{system.base_url}/v1", timeout=30) as client:
        yield client

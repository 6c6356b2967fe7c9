"""The official client, unmodified, pointed at a running system."""

from collections.abc import AsyncIterator

import pytest
from everruns_sdk import Everruns

from tests.system import System


@pytest.fixture
def anyio_backend() -> str:
    """The client is written for asyncio."""
    return "asyncio"


@pytest.fixture
async def sdk(system: System) -> AsyncIterator[Everruns]:
    async with Everruns("evr_pat_any", base_url=f"{system.base_url}/api") as client:
        yield client

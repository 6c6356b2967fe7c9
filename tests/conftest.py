"""Markers from folder names, an environment without surprises, and real servers on demand."""

import gc
import os
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Never

import hypothesis
import pytest

from common.settings import Settings
from dev.children import unprivileged_account
from dev.postgres import Postgres
from dev.services import (
    remove,
    start_and_wait,
    throw_away_directory,
    throw_away_postgres,
    throw_away_valkey,
)
from dev.valkey import Valkey
from tests import fuzzing
from tests import servers as test_servers
from tests.servers import Servers

_RUN_DIRECTORY = "EVERTURN_TEST_RUN"
_MARKER_OF_FOLDER = {
    "unit": "unit",
    "example_tools": "unit",
    "contract": "contract",
    "clients": "clients",
    "integration": "integration",
    "chaos": "chaos",
    "bench": "bench",
    "walkthrough": "walkthrough",
    "dev": "launcher",
}
# What this machine is set to must not decide whether a test passes.
_SETTINGS = {field.name.upper() for field in fields(Settings)} | {"CLOCK_OFFSET_SECONDS", "PORT"}
_SETTINGS_PREFIXES = ("AUTH_", "DEFAULT_", "EVERTURN_LOCAL", "OTEL_", "SECRETS_", "SSE_")


# The same examples each time, however busy the machine is; another profile looks for new ones
# (tests/fuzzing.py has one).
fuzzing.register_profile()
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    for name in list(os.environ):
        if name in _SETTINGS or name.startswith(_SETTINGS_PREFIXES):
            del os.environ[name]
    if not hasattr(config, "workerinput"):  # the one process that sees the run's beginning and end
        os.environ[_RUN_DIRECTORY] = str(throw_away_directory(None))
        os.environ[test_servers.RUN_PID] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _RUN_DIRECTORY in os.environ:
        test_servers.release(Path(os.environ.pop(_RUN_DIRECTORY)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(tests).parts[0]
        if folder in _MARKER_OF_FOLDER:
            item.add_marker(_MARKER_OF_FOLDER[folder])
    if not config.option.markexpr and not any("bench" in argument for argument in config.args):
        wanted = [item for item in items if item.get_closest_marker("bench") is None]
        items[:] = wanted  # measuring is asked for, never met by chance
    _slow_files_first(items)


def pytest_collection_finish() -> None:
    # Thousands of tests, and all that they import, are there until the end: no collection of
    # garbage needs to go through them again and again.
    gc.collect()
    gc.freeze()


def _slow_files_first(items: list[pytest.Item]) -> None:
    """A file that takes half a minute must not begin when the others are about to end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow") is not None)
    all_of = Counter(item.path for item in items)
    items.sort(key=lambda item: (slow[item.path], all_of[item.path]), reverse=True)


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: socket.socket, address: Any) -> Never:
        raise AssertionError(f"a unit test connects to {address!r}")

    if request.node.get_closest_marker("unit") is not None:
        monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The run's PostgreSQL and Redis; started by the first test that asks."""
    return test_servers.acquire(Path(os.environ[_RUN_DIRECTORY]))


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """A migrated, empty database for one test."""
    url = servers.create_database()
    yield url
    servers.drop_database(url)


@pytest.fixture(scope="module")
def shared_database_url(servers: Servers) -> Iterator[str]:
    """A migrated database for the tests of one module, which make ids of their own in it."""
    url = servers.create_database()
    yield url
    servers.drop_database(url)


@pytest.fixture(scope="session")
def _redis_database(servers: Servers) -> str:
    return test_servers.claim_redis_database(servers.redis_url, servers.run_name)


@pytest.fixture
def redis_url(servers: Servers, _redis_database: str) -> str:
    """A numbered database, empty but for the key that marks it as this run's."""
    test_servers.empty_redis_database(_redis_database, servers.run_name)
    return _redis_database


@pytest.fixture
def own_redis() -> Iterator[Valkey]:
    """A durable Redis for one test that stops, kills or freezes it."""
    directory = throw_away_directory(None)
    server = throw_away_valkey(directory, is_durable=True)
    start_and_wait(server, log=directory / "log")
    yield server
    test_servers.resume(server)
    server.stop()
    remove(directory)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for one test that stops, kills or freezes it; its database is not migrated."""
    directory = throw_away_directory(unprivileged_account())
    server = throw_away_postgres(directory)
    start_and_wait(server, log=directory / "log")
    yield server
    test_servers.resume(server)
    server.stop()
    remove(directory)

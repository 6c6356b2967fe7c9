"""PostgreSQL and Redis for a run or a test run: given by the caller, or started here.

Lists what to start; starting and stopping in order is the caller's business
(`dev.supervisor` for a run, `start_throw_away` for tests).
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from dev import ports, valkey
from dev.children import Account, Output, can_enter, unprivileged_account
from dev.paths import LOCAL, SHARED_STATE, shared_data_home
from dev.postgres import Postgres
from dev.postgres_binaries import find_binaries
from dev.valkey import Valkey

POSTGRES_PORT = 9432
REDIS_PORT = 9379
_START_SECONDS = 60.0
_MEMORY = "/dev/shm"  # noqa: S108
# What a suite needs is a tenth of it; containers have less unless they were given more.
_ROOM_BYTES = 4 << 30


class Service(Protocol):
    """A server that the launcher prepares, starts, waits for and stops."""

    name: str
    stop_signal: signal.Signals

    @property
    def url(self) -> str:
        """How clients reach it."""

    def prepare(self) -> None:
        """Make what the first start needs."""

    def start(self, output: Output) -> subprocess.Popen[bytes]:
        """Start it."""

    def is_ready(self) -> bool:
        """Whether clients can use it now."""

    def stop(self) -> None:
        """Stop it and wait for that."""


class ServiceFailed(Exception):
    """A server did not come up; the text holds its last words."""


def kept_postgres(*, avoid: Collection[int] = ()) -> Postgres:
    """The server of the local run, whose data stays between runs."""
    account = unprivileged_account()
    binaries = find_binaries(account)
    # By major version: no other one could open it.
    data = data_home(account) / f"pg{binaries.major}"
    port = ports.next_free(POSTGRES_PORT, avoid=avoid)
    return Postgres(binaries, data, port, account)


def kept_valkey(*, avoid: Collection[int] = ()) -> Valkey:
    """The Redis of the local run, with an append-only file."""
    port = ports.next_free(REDIS_PORT, avoid=avoid)
    return Valkey(valkey.find_binary(), LOCAL / "redis", port)


def data_home(account: Account | None) -> Path:
    """The folder for PostgreSQL's data: `.local`, or what serves for it below a closed home.

    As root the server runs as somebody else, who may not get through to the project.
    """
    LOCAL.mkdir(parents=True, exist_ok=True)
    if account is None or can_enter(account, LOCAL):
        return LOCAL
    home = shared_data_home()
    home.mkdir(parents=True, exist_ok=True)
    SHARED_STATE.chmod(0o755)
    home.chmod(0o755)
    return home


def throw_away_directory(account: Account | None, *, may_be_memory: bool = False) -> Path:
    """Make a folder for servers that live as long as a test run, which the account can reach.

    In memory a database is made in a quarter of the time; for who takes care that it is removed.
    """
    parents = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108
    if may_be_memory and _has_room(_MEMORY):
        parents.insert(0, _MEMORY)
    for parent in dict.fromkeys(parents):
        directory = Path(tempfile.mkdtemp(prefix="everturn-test-", dir=parent))
        if account is None:
            return directory
        directory.chmod(0o755)
        if can_enter(account, directory):
            return directory
        directory.rmdir()
    raise ServiceFailed("no temporary folder that the database's user can reach")


def _has_room(directory: str) -> bool:
    try:
        return shutil.disk_usage(directory).free >= _ROOM_BYTES
    except OSError:  # this machine has no such folder
        return False


def throw_away_postgres(directory: Path) -> Postgres:
    """A server for tests: nothing of it survives."""
    account = unprivileged_account()
    data = directory / "pg"
    return Postgres(find_binaries(account), data, free_test_port(), account, is_durable=False)


def throw_away_valkey(directory: Path, *, is_durable: bool = False) -> Valkey:
    """A Redis for tests; durable only where a test restarts it."""
    return Valkey(valkey.find_binary(), directory / "redis", free_test_port(), is_durable)


def free_test_port() -> int:
    """A free port below 32768 that no other test process is likely to pick at the same time."""
    return ports.next_free(20000 + int.from_bytes(os.urandom(2), "big") % 12000)


def start_and_wait(service: Service, *, log: Path) -> None:
    """Prepare, start and wait; for callers without a combined log."""
    service.prepare()
    with log.open("ab") as output:
        process = service.start(output)
    deadline = time.monotonic() + _START_SECONDS
    while not service.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            service.stop()
            last_words = log.read_text(errors="replace")[-2000:]
            raise ServiceFailed(f"{service.name} did not start:\n{last_words}")
        time.sleep(0.02)


def remove(directory: Path) -> None:
    """Remove a throw-away folder, whoever owns what is in it."""
    shutil.rmtree(directory, ignore_errors=True)

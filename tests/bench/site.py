"""The place where it is measured: the real processes on durable servers of their own.

Settings are the product's defaults, but for limits on streams.  There is no front: in
production that is a reverse proxy, not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg2

from common.migrate import upgrade
from dev.children import unprivileged_account
from dev.postgres import Postgres
from dev.postgres_binaries import find_binaries
from dev.services import (
    free_test_port,
    remove,
    start_and_wait,
    throw_away_directory,
    throw_away_valkey,
)
from dev.valkey import Valkey
from tests.bench.http_client import Connection, request_bytes
from tests.system import Part, System, running

PARTS: Final = ("api", "stream", "worker", "sweeper")
# Where Linux says how long a thread has had a processor.
_SCHEDULED: Final = Path("/proc/self/schedstat")
SETTINGS: Final = {
    "API_WORKERS": "2",
    "WORKER_THREADS": "200",
    "SSE_PER_SESSION_MAX": "0",
    "SSE_GLOBAL_MAX": "100000",
}


@dataclass
class Site:
    """Everything on this machine, and what is known of its costs."""

    system: System
    postgres: Postgres
    cache: Valkey
    directory: Path
    rounds: int
    scale: float = 1.0
    parts: dict[str, Part] = field(default_factory=dict)

    # --- processes ---------------------------------------------------------------------

    def start(self, name: str, **settings: str) -> Part:
        """Start one more and wait until it is ready."""
        part = self.system.start(name, **settings)
        self.system.wait_ready(part)
        self.parts[name] = part
        return part

    def end(self, name: str) -> None:
        """End one that was started with `start`."""
        part = self.parts.pop(name)
        part.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            part.process.wait(15)
        if part.is_alive:
            part.kill()
        self.system.parts.remove(part)

    @contextmanager
    def with_part(self, name: str, **settings: str) -> Iterator[Part]:
        """One more process for a while."""
        part = self.start(name, **settings)
        try:
            yield part
        finally:
            self.end(name)

    def restart(self, name: str, **settings: str) -> Part:
        """The same kind of process with other settings, or a fresh one."""
        if name in self.parts:
            self.end(name)
        return self.start(name, **settings)

    @contextmanager
    def only(self, *names: str, **settings: str) -> Iterator[None]:
        """With the standard processes ended but these, these with other settings."""
        for name in PARTS:
            if name in self.parts:
                self.end(name)
        for name in names:
            self.start(name, **settings)
        yield
        for name in names:
            self.end(name)
        for name in PARTS:
            self.start(name)

    # --- what it costs -----------------------------------------------------------------

    def cpu(self) -> dict[str, float]:
        """Processor seconds of each kind of process so far, `load` being ourselves."""
        roots = {name: part.process.pid for name, part in self.parts.items()}
        for name, server in (("postgres", self.postgres), ("redis", self.cache)):
            if server.process is not None:
                roots[name] = server.process.pid
        used = {name: sum(_seconds(each) for each in _tree(pid)) for name, pid in roots.items()}
        return {**used, "load": time.process_time()}

    def memory(self, name: str) -> int:
        """Bytes that a part holds for itself."""
        return sum(_own_bytes(each) for each in _tree(self.parts[name].process.pid))

    # --- data --------------------------------------------------------------------------

    def execute(
        self, statement: str, values: Sequence[object] | Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.postgres.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    async def open_sessions(self, number: int) -> list[str]:
        """So many fresh sessions, by the API."""
        connection = await Connection.open(self.parts["api"].port)
        request = request_bytes("POST", "/v1/sessions", {})
        ids = []
        for _ in range(number):
            answer = await connection.ask(request)
            ids.append(str(answer.json()["id"]))
        connection.close()
        return ids

    async def settled(self, seconds: float = 60.0) -> None:
        """Wait until no turn is open."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.execute(
                "SELECT count(*) FROM turns WHERE status IN ('queued', 'running', 'waiting')"
            )
            if found[0][0] == 0:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("turns are still open")


def free_port() -> str:
    """A port as a setting."""
    return str(free_test_port())


def spent(before: dict[str, float], after: dict[str, float], operations: float) -> dict[str, float]:
    """Processor milliseconds an operation, by kind of process."""
    return {
        name: round((after[name] - before[name]) * 1000 / operations, 4)
        for name in after
        if name in before and operations
    }


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _seconds(process: psutil.Process) -> float:
    """What its threads have used; by Linux in nanoseconds, elsewhere in hundredths of a second."""
    if _SCHEDULED.exists():
        return sum(map(_nanoseconds, Path(f"/proc/{process.pid}/task").glob("*/schedstat"))) / 1e9
    with contextlib.suppress(psutil.NoSuchProcess):
        used = process.cpu_times()
        return float(used.user + used.system)
    return 0.0


def _nanoseconds(scheduled: Path) -> int:
    with contextlib.suppress(OSError):  # the thread has ended
        return int(scheduled.read_text().split()[0])
    return 0


def _own_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().uss)
    return 0


@contextmanager
def built(directory: Path, *, rounds: int, scale: float) -> Iterator[Site]:
    """Servers that keep what they are told, as in production, and one process of each kind."""
    account = unprivileged_account()
    home = throw_away_directory(account)
    postgres = Postgres(find_binaries(account), home / "pg", free_test_port(), account)
    cache = throw_away_valkey(home, is_durable=True)
    try:
        start_and_wait(postgres, log=home / "postgres.log")
        start_and_wait(cache, log=home / "redis.log")
        upgrade(postgres.url)
        with running(postgres.url, cache.url, directory, parts=(), settings=SETTINGS) as system:
            site = Site(system, postgres, cache, home, rounds, scale)
            for name in PARTS:
                site.start(name)
            yield site
    finally:
        for server in (postgres, cache):
            server.stop()
        remove(home)


def told_by(path: Path, *, seconds: float = 60.0) -> Any:
    """What another process writes into a file, once it is there."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(path.name)
        time.sleep(0.02)
    return json.loads(path.read_text())

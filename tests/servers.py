"""Real servers for a test run: one PostgreSQL and one Redis, shared by all its processes.

The first test that needs them starts a keeper process, which ends with the
run however that ends.  The database is migrated once, into a template; a test's
own one is a copy.  With TEST_DATABASE_URL or TEST_REDIS_URL those servers are
used instead: in them everything made here carries the run's name, and nothing
else is touched.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg2
import redis

from dev.children import unprivileged_account
from dev.paths import ROOT
from dev.postgres import Postgres
from dev.services import (
    Service,
    remove,
    start_and_wait,
    throw_away_directory,
    throw_away_postgres,
    throw_away_valkey,
)
from dev.valkey import Valkey

RUN_PID = "EVERTURN_TEST_RUN_PID"
_KEEPER_START_SECONDS = 60.0
_KEEPER_STOP_SECONDS = 20.0
_OWNER_KEY = "everturn:test-run"


@dataclass(slots=True)
class Servers:
    """The servers of this run as one test process sees them."""

    run_name: str
    admin_url: str
    redis_url: str
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    @property
    def template(self) -> str:
        return f"{self.run_name}_template"

    def create_database(self) -> str:
        """Make a fresh, migrated database; returns its URL."""
        name = f"{self.run_name}_{os.getpid()}_{next(self._numbers)}"
        # FILE_COPY is twice as fast as the default for a small template without fsync.
        strategy = " STRATEGY file_copy" if _server_version(self.admin_url) >= 150000 else ""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}"{strategy}')
        return with_database(self.admin_url, name)

    def bind(self, url: str) -> str:
        """The URL of the same database for an owner of its tables whom row security binds.

        Who made the server is a superuser, and bound by nothing.
        """
        name = urlsplit(url).path.lstrip("/")
        password = secrets.token_urlsafe(16)
        execute(url, f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
        tables = execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        execute(url, *(f'ALTER TABLE "{table}" OWNER TO "{name}"' for (table,) in tables))
        found = urlsplit(url)
        return urlunsplit(
            found._replace(netloc=f"{name}:{password}@{found.netloc.rpartition('@')[2]}")
        )

    def drop_database(self, url: str) -> None:
        """Drop it, cutting off whoever is still connected."""
        name = urlsplit(url).path.lstrip("/")
        self._execute(
            f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'DROP ROLE IF EXISTS "{name}"'
        )

    def _execute(self, *statements: str) -> None:
        execute(self.admin_url, *statements)


def acquire(run_directory: Path) -> Servers:
    """Return the run's servers; starts and migrates what is not there yet."""
    with (run_directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        described = run_directory / "servers.json"
        if not described.exists():
            described.write_text(json.dumps(_start(run_directory)))
        facts = json.loads(described.read_text())
    return Servers(facts["run_name"], facts["admin_url"], facts["redis_url"])


def release(run_directory: Path) -> None:
    """Stop what the run started and remove what it made; called once, at its end."""
    described = run_directory / "servers.json"
    if described.exists():
        facts = json.loads(described.read_text())
        if facts["keeper_pid"]:
            _stop_keeper(facts["keeper_pid"])
        if os.environ.get("TEST_DATABASE_URL"):
            _drop_databases_of(facts["run_name"], facts["admin_url"])
    remove(run_directory)


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run each statement outside any transaction, as database-level ones demand.

    Returns the last one's rows.
    """
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def claim_redis_database(url: str, run_name: str) -> str:
    """Find an empty numbered database nobody uses and mark it as this run's; returns its URL."""
    for number in range(63, 0, -1):
        candidate = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        with redis.Redis.from_url(candidate) as client:
            try:
                if client.dbsize() == 0 and client.set(_OWNER_KEY, run_name, nx=True, ex=3600):
                    return candidate
            except redis.ResponseError:  # the server has fewer databases than that
                continue
    raise RuntimeError("the test Redis has no empty database left")


def empty_redis_database(url: str, run_name: str) -> None:
    """Flush a claimed database and keep the claim."""
    with redis.Redis.from_url(url) as client:
        client.pipeline().flushdb().set(_OWNER_KEY, run_name, ex=3600).execute()


def freeze(server: Postgres | Valkey) -> None:
    """Stop the server where it stands: connections stay open, nothing answers."""
    _each_process_of(server, psutil.Process.suspend)


def resume(server: Postgres | Valkey) -> None:
    """Let a frozen server go on; nothing happens when it is not frozen or not there."""
    _each_process_of(server, psutil.Process.resume)


def kill(server: Postgres | Valkey) -> None:
    """End the server as a crash of the machine would, and wait until its port is free."""
    _each_process_of(server, psutil.Process.kill)
    assert server.process is not None
    server.process.wait()


def start_again(server: Postgres | Valkey) -> None:
    """Start a stopped or killed server on the same data and the same port."""
    start_and_wait(server, log=server.data.with_name("log"))


def _each_process_of(server: Postgres | Valkey, action: Callable[[psutil.Process], None]) -> None:
    """Act on the server and its children; a backend may end between being listed and reached."""
    if server.process is None or server.process.poll() is not None:
        return
    main = psutil.Process(server.process.pid)
    for process in [main, *main.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            action(process)


def _start(run_directory: Path) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "run_name": f"everturn_test_{secrets.token_hex(4)}",
        "admin_url": os.environ.get("TEST_DATABASE_URL", ""),
        "redis_url": os.environ.get("TEST_REDIS_URL", ""),
        "keeper_pid": 0,
    }
    if not (facts["admin_url"] and facts["redis_url"]):
        started = _start_keeper(run_directory)
        facts = started | {name: value for name, value in facts.items() if value}
    template = f"{facts['run_name']}_template"
    execute(str(facts["admin_url"]), f'CREATE DATABASE "{template}"')
    _migrate(with_database(str(facts["admin_url"]), template))
    return facts


def _migrate(url: str) -> None:
    from common.migrate import upgrade  # noqa: PLC0415  (unit tests never come here)

    upgrade(url)


def _start_keeper(run_directory: Path) -> dict[str, str | int]:
    ready = run_directory / "keeper.json"
    log = run_directory / "keeper.log"
    # Not subprocess: this process is to forget the keeper, and a Popen would complain of that.
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "tests.servers", str(run_directory), os.environ[RUN_PID]],
        os.environ | {"PYTHONPATH": str(ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    deadline = time.monotonic() + _KEEPER_START_SECONDS
    while not ready.exists():
        if _has_ended(pid) or time.monotonic() > deadline:
            raise RuntimeError(f"the test servers did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.02)
    facts: dict[str, str | int] = json.loads(ready.read_text())
    return facts | {"keeper_pid": pid}


def _stop_keeper(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _KEEPER_STOP_SECONDS
    while not _has_ended(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _keep(run_directory: Path, run_pid: int) -> None:
    """Hold the servers up until the run tells us to stop or is no more."""
    os.setsid()  # the terminal's Ctrl-C is for the run, which then stops us
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    directory = throw_away_directory(unprivileged_account(), may_be_memory=True)
    postgres, cache = throw_away_postgres(directory), throw_away_valkey(directory)
    services: list[Service] = [postgres, cache]
    try:
        for service in services:
            start_and_wait(service, log=directory / f"{service.name}.log")
        facts = {"admin_url": postgres.url, "redis_url": cache.url}
        half_written = run_directory / "keeper.json.new"
        half_written.write_text(json.dumps(facts))
        half_written.rename(run_directory / "keeper.json")
        while not (stopping or _has_ended(run_pid)):
            time.sleep(0.2)
    finally:
        for service in reversed(services):
            service.stop()
        remove(directory)


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):  # not a child of ours: then it is reaped elsewhere
        os.waitpid(pid, os.WNOHANG)
    return not psutil.pid_exists(pid)


def _drop_databases_of(run_name: str, admin_url: str) -> None:
    like = run_name.replace("_", r"\_")
    found = execute(admin_url, f"SELECT datname FROM pg_database WHERE datname LIKE '{like}%'")  # noqa: S608
    for (name,) in found:
        execute(admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _server_version(url: str) -> int:
    if url not in _VERSIONS:
        with contextlib.closing(psycopg2.connect(url)) as connection:
            _VERSIONS[url] = connection.server_version
    return _VERSIONS[url]


_VERSIONS: dict[str, int] = {}

if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))

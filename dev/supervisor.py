"""`dev.py run`: databases, then migrations, then every process of the Procfile behind one port.

Stops in the reverse order, and stops everything when one part dies: a system
that is half there is harder to understand than one that is down.  With `--restart`
it starts again what dies, as whatever runs the processes in production does.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from dev import beside, given, greeting, procfile
from dev.children import signal_group, spawn
from dev.combined_log import CombinedLog
from dev.environment import (
    InvalidEnvironment,
    choose_ports,
    for_children,
    kept_master_key,
    read_dotenv,
)
from dev.paths import DOTENV, LOCAL, MASTER_KEY, PROCFILE, ROOT, RUN_LOCK, RUN_LOG, START_LOCK
from dev.ports import PortTaken
from dev.postgres import Postgres, PostgresFailed
from dev.postgres_binaries import NoPostgres
from dev.processes import Child, ProcessDied, Processes, StopRequested
from dev.readiness import Readiness, checks_for
from dev.services import Service, ServiceFailed, kept_postgres, kept_valkey
from dev.valkey import NoValkey

_SERVICE_SECONDS = 90.0
_RELEASE_SECONDS = 300.0
_READY_SECONDS = 90.0
_STOP_SECONDS = 15.0
# What dies sooner is broken, and would die again.
_LEAST_LIFE_SECONDS = 5.0
_ON_REQUEST = {"flower"}


class RunsAlready(Exception):
    """There is a run on this data folder."""


_EXPLAINED = (
    InvalidEnvironment,
    NoPostgres,
    NoValkey,
    PortTaken,
    PostgresFailed,
    RunsAlready,
    ServiceFailed,
    procfile.ProcfileError,
)


@dataclass(frozen=True, slots=True)
class _Launched:
    """How a process was started, and when."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    at: float


class Run:
    """One local run, from nothing to ready and back."""

    def __init__(self, log: CombinedLog, *, extra: frozenset[str], restarts: bool = False) -> None:
        self._log = log
        self._extra = extra
        self._restarts = restarts
        self._started = time.monotonic()
        self._settings = {**read_dotenv(DOTENV), **os.environ}
        self._ports = choose_ports(self._settings)
        self._process_types = procfile.read(PROCFILE)
        self._processes = Processes(log)
        self._services: list[tuple[Service, Child]] = []
        self._children: dict[str, Child] = {}
        self._launched: dict[str, _Launched] = {}

    def go(self, is_up: Callable[[], None]) -> int:
        """Run until something ends it, saying when all is there; returns the exit status."""
        try:
            self._start()
            is_up()
            while True:
                self._pump()
        except StopRequested:
            self._log.say("stopping (Ctrl-C again to kill)")
            return 0
        except ProcessDied as death:
            last_lines = b"\n".join(death.child.lines.last_lines).decode(errors="replace")
            self._log.say(f"{death}, so everything stops.  Its last lines:\n{last_lines}")
            return 1
        except _EXPLAINED as failure:
            self._log.say(str(failure))
            return 1
        finally:
            self._stop()

    def _pump(self) -> None:
        try:
            self._processes.pump(1.0)
        except ProcessDied as death:
            if not self._restarts or self._children.get(death.child.name) is not death.child:
                raise
            self._start_another(death)

    def _start_another(self, death: ProcessDied) -> None:
        """In place of a process of ours; databases are not, and what cannot live is not tried."""
        child, before = death.child, self._launched[death.child.name]
        if time.monotonic() - before.at < _LEAST_LIFE_SECONDS:
            raise death
        signal_group(child.process.pid, signal.SIGKILL)  # whatever it has left behind
        self._processes.forget(child)
        self._log.say(f"{death}; starting another")
        self._launch(child.name, before.command, before.environment)

    def _start(self) -> None:
        database_url = self._settings.get("DATABASE_URL") or ""
        redis_url = self._settings.get("REDIS_URL") or ""
        if database_url:
            given.check_database(database_url)
        else:
            database_url = self._serve(kept_postgres(avoid=self._ports.all))
        if redis_url:
            given.check_redis(redis_url)
        else:
            redis_url = self._serve(kept_valkey(avoid=self._ports.all))
        environment = for_children(
            self._settings,
            database_url=database_url,
            redis_url=redis_url,
            run_ports=self._ports,
            master_key=kept_master_key(MASTER_KEY),
        )
        self._release(environment)
        for process_type in self._process_types:
            if process_type.name in {"release", *(_ON_REQUEST - self._extra)}:
                continue
            self._launch(process_type.name, process_type.command, environment)
        self._launch("front", (sys.executable, "-m", "dev.front"), environment)
        self._await_readiness(environment)
        beside.tell(environment)
        seconds = time.monotonic() - self._started
        with_flower = "flower" in self._extra
        said = greeting.text(self._ports, seconds, with_flower=with_flower, data=self._data())
        self._log.say(said)

    def _data(self) -> list[Path]:
        """Where this run's data is kept: as root, PostgreSQL's may have to be elsewhere."""
        kept = [
            service.data.parent for service, _ in self._services if isinstance(service, Postgres)
        ]
        return [
            home.relative_to(ROOT) if home.is_relative_to(ROOT) else home
            for home in dict.fromkeys([LOCAL, *kept])
        ]

    def _serve(self, service: Service) -> str:
        self._log.say(f"starting {service.name}")
        service.prepare()
        process = service.start(subprocess.PIPE)
        child = self._processes.add(
            service.name, process, last_signal=service.stop_signal, is_service=True
        )
        self._services.append((service, child))
        if not self._processes.wait_until(service.is_ready, seconds=_SERVICE_SECONDS):
            raise ServiceFailed(f"{service.name} did not come up; see {RUN_LOG}")
        child.lines.is_quiet = False
        return service.url

    def _release(self, environment: Mapping[str, str]) -> None:
        commands = {process_type.name: process_type.command for process_type in self._process_types}
        self._log.say("bringing the database to this version")
        child = self._launch("release", commands["release"], environment, may_end=True)
        has_ended = self._processes.wait_until(
            lambda: child.process.poll() is not None, seconds=_RELEASE_SECONDS
        )
        if not has_ended or child.process.returncode != 0:
            raise ProcessDied(child)
        del self._children["release"]
        self._processes.forget(child)

    def _launch(
        self,
        name: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        may_end: bool = False,
    ) -> Child:
        process = spawn(
            command,
            environment=environment,
            output=subprocess.PIPE,
            death_signal=signal.SIGKILL,
            directory=ROOT,
        )
        child = self._processes.add(name, process, last_signal=signal.SIGKILL, may_end=may_end)
        self._children[name] = child
        self._launched[name] = _Launched(command, environment, time.monotonic())
        return child

    def _await_readiness(self, environment: Mapping[str, str]) -> None:
        self._log.say(f"waiting for {', '.join(self._children)}")
        broker_url = environment.get("BROKER_URL") or environment["REDIS_URL"]
        readiness = Readiness(checks_for(self._children, self._ports, broker_url))
        readiness.start()
        if not self._processes.wait_until(readiness.is_complete, seconds=_READY_SECONDS):
            raise ServiceFailed(
                f"not ready after {_READY_SECONDS:.0f} s: {', '.join(readiness.pending)}"
            )

    def _stop(self) -> None:
        """Applications, then the front (the streams' farewells pass through it), then services."""
        beside.forget()
        front = self._children.pop("front", None)
        self._processes.stop(list(self._children.values()), patience_seconds=_STOP_SECONDS)
        if front is not None:
            self._processes.stop([front], patience_seconds=2.0)
        for service, child in reversed(self._services):
            child.lines.is_quiet = True
            service.stop()
            self._processes.forget(child)
        self._processes.close()
        self._log.say("stopped")


@contextlib.contextmanager
def _only_run() -> Iterator[None]:
    """Refuse a second run: the data folder is one."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    with RUN_LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready(f"this project is running already: process {_holder(lock)}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def _starting_alone() -> Iterator[Callable[[], None]]:
    """Let other runs of this user choose their ports once this one listens on its own.

    Gives what is to be called then.
    """
    with START_LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield partial(fcntl.flock, lock, fcntl.LOCK_UN)


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip() or "unknown"


def main(arguments: list[str]) -> int:
    """Run in the foreground; 0 when asked to stop, 1 when something went wrong."""
    extra = frozenset({"flower"} if "--flower" in arguments else set())
    restarts = "--restart" in arguments
    try:
        with (
            _only_run(),
            contextlib.closing(CombinedLog(RUN_LOG)) as log,
            _starting_alone() as is_up,
        ):
            return Run(log, extra=extra, restarts=restarts).go(is_up)
    except _EXPLAINED as failure:
        print(f"dev.py run: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

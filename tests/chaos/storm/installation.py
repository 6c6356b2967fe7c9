"""Several real processes of each kind on a PostgreSQL and a Redis of their own, to be hit.

Everything here happens on the main thread: a child must be started there (dev.children).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg2
import redis

from common.migrate import upgrade
from common.redis_client import Breaker
from common.settings import Settings
from common.turn_queue import ALL_QUEUES, TurnQueue
from dev.children import unprivileged_account
from dev.postgres import Postgres
from dev.services import (
    free_test_port,
    remove,
    start_and_wait,
    throw_away_directory,
    throw_away_postgres,
    throw_away_valkey,
)
from dev.valkey import Valkey
from tests.chaos.storm.plan import Act, Fault
from tests.servers import kill, resume, start_again
from tests.system import Part, System, running

Later = Callable[[], None]

# Clocks of workers that do not agree; order comes from the database's alone.
_SKEWS: Final = ("0", "-240", "90")
_PULSE_SECONDS: Final = 0.25
# Where none of a kind is at work nothing can go on, and how long it takes says nothing.  So a
# fault waits until it leaves one that is.
_LEAST_AT_WORK: Final = 2


@dataclass
class Slot:
    """One process's place: whoever runs there is started again in the same way."""

    name: str
    settings: Mapping[str, str]
    part: Part
    is_ended_by_us: bool = False
    is_frozen: bool = False

    @property
    def is_at_work(self) -> bool:
        return self.part.is_alive and not self.is_ended_by_us and not self.is_frozen


@dataclass
class Held:
    """A turn whose worker was hit.

    Attributes:
        at: the database's time then, seconds since the epoch.
        sequence: the log's end then.
    """

    session_id: UUID
    at: float
    sequence: int
    act: Act


@dataclass
class Installation:
    """The processes, and what is to be done to them later."""

    system: System
    postgres: Postgres
    cache: Valkey
    slots: list[Slot] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    done: list[Fault] = field(default_factory=list)
    ended_by_themselves: list[str] = field(default_factory=list)
    _later: list[tuple[float, int, Later]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self, counts: Mapping[str, int]) -> None:
        """Start so many of each kind, and wait until they are ready."""
        for name, number in counts.items():
            for place in range(number):
                settings = self._settings_of(name, place)
                part = self.system.start(_COMMANDS.get(name, name), **settings)
                self.slots.append(Slot(name, settings, part))
        self.system.wait_ready()

    def ports(self, name: str) -> list[int]:
        return [slot.part.port for slot in self.slots if slot.name == name]

    def _settings_of(self, name: str, place: int) -> dict[str, str]:
        settings = {"CLOCK_OFFSET_SECONDS": _SKEWS[place % len(_SKEWS)]}
        if name in _PORTS:
            settings[_PORTS[name]] = str(free_test_port())
        return settings

    # --- time --------------------------------------------------------------------------

    def go_through(self, plan: list[Fault], *, until: float, say: Callable[[str], None]) -> None:
        """Do what is planned, each thing at its time; ends with everything up again."""
        began = time.monotonic()
        for fault in plan:
            self._at(began + fault.at, lambda fault=fault: self._inflict(fault, say))  # type: ignore[misc]  # bound now
        self._at(began + until, lambda: None)
        pause = threading.Event()
        while self._later:
            moment, _, action = self._later[0]
            if time.monotonic() < moment:
                pause.wait(min(0.1, moment - time.monotonic()))
                self.supervise()
                continue
            heappop(self._later)
            action()

    def supervise(self) -> None:
        """Start again what ended by itself, as whoever runs a system does."""
        for slot in self.slots:
            if not slot.part.is_alive and not slot.is_ended_by_us:
                said = slot.part.output.read_text(errors="replace")[-_LAST_WORDS:]
                code = slot.part.process.returncode
                self.ended_by_themselves.append(f"{slot.part.name} with {code}, saying {said}")
                self._start_again(slot)

    def _at(self, moment: float, action: Later) -> None:
        heappush(self._later, (moment, next(self._numbers), action))

    def _in(self, seconds: float, action: Later) -> None:
        self._at(time.monotonic() + seconds, action)

    # --- faults ------------------------------------------------------------------------

    def _inflict(self, fault: Fault, say: Callable[[str], None]) -> None:
        if self._do(fault):
            say(str(fault))
            self.done.append(fault)
        elif fault.kind:
            self._in(_PULSE_SECONDS, lambda: self._inflict(fault, say))

    def _do(self, fault: Fault) -> bool:
        """Do it; False when there is nothing to do it to just now."""
        match fault.act:
            case Act.KILL | Act.TERMINATE | Act.FREEZE:
                return self._hit_process(fault)
            case Act.REDIS_KILLED | Act.REDIS_EMPTIED:
                return self._kill_redis(fault.seconds, empty=fault.act is Act.REDIS_EMPTIED)
            case Act.REDIS_SLOW:
                for pulse in range(8):
                    self._in(pulse * 2 * _PULSE_SECONDS, self._pause_redis)
                return True
            case Act.REDIS_CUT:
                return self._cut_redis()
            case Act.POSTGRES_KILLED | Act.POSTGRES_RESTARTED:
                return self._stop_postgres(fault)
            case Act.POSTGRES_CUT:
                return self._cut_postgres()
            case Act.WAKE_UPS_DOUBLED:
                return self._double_wake_ups()
            case Act.WAKE_UPS_LOST:
                for pulse in range(100):
                    self._in(pulse * 0.02, self._lose_wake_ups)
                return True

    def _hit_process(self, fault: Fault) -> bool:
        at_work = [each for each in self.slots if each.name == fault.kind and each.is_at_work]
        if len(at_work) < _LEAST_AT_WORK:
            return False
        slot = at_work[int(fault.choice * len(at_work))]
        part = slot.part
        match fault.act:
            case Act.KILL:
                slot.is_ended_by_us = True
                part.kill()
                self._in(fault.seconds, lambda: self._start_again(slot))
            case Act.TERMINATE:
                slot.is_ended_by_us = True
                _signal(part, signal.SIGTERM)
                self._in(fault.seconds, lambda: self._start_when_ended(slot))
            case _:
                slot.is_frozen = True
                _signal(part, signal.SIGSTOP)
                self._in(fault.seconds, lambda: self._thaw(slot))
        if fault.kind == "worker":
            self._note_held(part, fault.act)
        return True

    def _thaw(self, slot: Slot) -> None:
        _signal(slot.part, signal.SIGCONT)
        slot.is_frozen = False

    def _start_again(self, slot: Slot) -> None:
        slot.part = self.system.start(_COMMANDS.get(slot.name, slot.name), **slot.settings)
        slot.is_ended_by_us = False

    def _start_when_ended(self, slot: Slot) -> None:
        if slot.part.is_alive:
            self._in(0.2, lambda: self._start_when_ended(slot))
        else:
            self._start_again(slot)

    def _note_held(self, part: Part, act: Act) -> None:
        """Which turns the worker had; whoever goes on with them shows in the log."""
        with contextlib.suppress(psycopg2.Error), self._connected() as cursor:
            cursor.execute(
                "SELECT h.session_id::text, extract(epoch FROM clock_timestamp()), h.last_sequence"
                " FROM turns t JOIN session_heads h ON h.open_turn_id = t.id"
                " JOIN workers w ON t.lease_owner LIKE '%%' || replace(w.id::text, '-', '')"
                " WHERE t.status = 'running' AND w.pid = %s",
                [part.process.pid],
            )
            for session_id, at, sequence in cursor.fetchall():
                self.held.append(Held(UUID(session_id), float(at), sequence, act))

    def _kill_redis(self, seconds: float, *, empty: bool) -> bool:
        if not _is_up(self.cache):
            return False
        kill(self.cache)

        def restart() -> None:
            if empty:
                shutil.rmtree(self.cache.data, ignore_errors=True)
            start_again(self.cache)

        self._in(seconds, restart)
        return True

    def _pause_redis(self) -> None:
        self._tell_redis("CLIENT", "PAUSE", int(_PULSE_SECONDS * 1000), "ALL")

    def _cut_redis(self) -> bool:
        return self._tell_redis("CLIENT", "KILL", "TYPE", "normal") and self._tell_redis(
            "CLIENT", "KILL", "TYPE", "pubsub"
        )

    def _lose_wake_ups(self) -> None:
        self._tell_redis("DEL", *ALL_QUEUES)

    def _tell_redis(self, *command: str | int) -> bool:
        if not _is_up(self.cache):
            return False
        with (
            contextlib.suppress(redis.RedisError),
            redis.Redis.from_url(self.cache.url, socket_timeout=2, retry=None) as client,
        ):
            client.execute_command(*command)
            return True
        return False

    def _stop_postgres(self, fault: Fault) -> bool:
        if not _is_up(self.postgres):
            return False
        if fault.act is Act.POSTGRES_KILLED:
            kill(self.postgres)
        else:
            self.postgres.stop()
        self._in(fault.seconds, lambda: start_again(self.postgres))
        return True

    def _cut_postgres(self) -> bool:
        with contextlib.suppress(psycopg2.Error), self._connected() as cursor:
            # Those that work at this moment first; the idle ones are found broken later.
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE 'everturn%' AND pid <> pg_backend_pid()"
            )
            return True
        return False

    def _double_wake_ups(self) -> bool:
        with contextlib.suppress(psycopg2.Error), self._connected() as cursor:
            cursor.execute("SELECT id::text FROM turns WHERE status IN ('queued', 'running')")
            queue = TurnQueue(Settings.from_env(self.system.environment), Breaker())
            for (turn_id,) in cursor.fetchall():
                queue.send(UUID(turn_id))
            return True
        return False

    @contextmanager
    def _connected(self) -> Iterator[psycopg2.extensions.cursor]:
        with closing(psycopg2.connect(self.postgres.url, connect_timeout=2)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor


# Of a process that ended by itself, in characters.
_LAST_WORDS: Final = 1_500
_COMMANDS: Final = {"worker": "stormworker"}
_PORTS: Final = {"api": "API_PORT", "stream": "STREAM_PORT"}


def _signal(part: Part, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        part.signal(number)


def _is_up(server: Postgres | Valkey) -> bool:
    return server.process is not None and server.process.poll() is None


@contextmanager
def installed(directory: Path, settings: Mapping[str, str]) -> Iterator[Installation]:
    """An empty installation on servers of its own, which end with the block."""
    home = throw_away_directory(unprivileged_account())
    postgres, cache = throw_away_postgres(home), throw_away_valkey(home, is_durable=True)
    try:
        start_and_wait(postgres, log=home / "log")
        start_and_wait(cache, log=home / "log")
        upgrade(postgres.url)
        with running(postgres.url, cache.url, directory, parts=(), settings=settings) as system:
            installation = Installation(system, postgres, cache)
            try:
                yield installation
            finally:
                for slot in installation.slots:
                    _signal(slot.part, signal.SIGCONT)
    finally:
        for server in (postgres, cache):
            resume(server)
            server.stop()
        remove(home)

"""More than can be done, for a while: what is taken on is done, the rest is told so.

What can be done is known beforehand: so many threads, turns of such a length.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psutil
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import GENERIC_HARNESS, Kind, parse_id, show_id
from common.storage.engine import Database
from tests.chaos.overload.offering import Offering, Outcome, Target
from tests.conditions import wait_until
from tests.system import System

TIMES: Final = 5
_MEGABYTE: Final = 1_000_000
# A process may grow so much from the first half of the run to the second.
_MOST_GROWTH: Final = 1.25
_GROWTH_MEGABYTES: Final = 30
REASONS: Final = frozenset({"429 too_many_active_turns", "503 overloaded"})

PARTS: Final = ("api", "stream", "worker", "sweeper")


@dataclass(frozen=True, slots=True)
class Overload:
    """What a run is like."""

    seconds: float
    threads: int
    turn_seconds: float
    organizations: int
    open_turns: int
    queued: int

    @property
    def sustainable(self) -> float:
        """Turns a second."""
        return self.threads / self.turn_seconds

    @property
    def settings(self) -> dict[str, str]:
        return {
            "WORKER_THREADS": str(self.threads),
            "LLMSIM": f'{{"first_token_delay_ms": {self.turn_seconds * 1000:.0f}}}',
            "ORG_MAX_ACTIVE_TURNS": str(self.open_turns),
            "QUEUE_MAX_TURNS": str(self.queued),
            "API_WORKERS": "2",
        }


@dataclass
class Figures:
    """What was seen.

    Attributes:
        memory: the most that the processes of a kind had together, in the first half of the
            run and in the second, in MB.
    """

    outcome: Outcome
    seconds: float
    turns_while_offering: int
    answered: int = 0
    unanswered: int = 0
    lost: int = 0
    drain_seconds: float = 0.0
    ended: list[str] = field(default_factory=list)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """What should not be."""
        outcome = self.outcome
        wrong = [f"{name} ended" for name in self.ended]
        wrong += [f"refused with {each}" for each in outcome.refused if each not in REASONS]
        wrong += [f"{count} times {kind}" for kind, count in outcome.broken.items()]
        wrong += [
            f"{name} grew from {before:.0f} to {after:.0f} MB"
            for name, (before, after) in self.memory.items()
            if after > before * _MOST_GROWTH + _GROWTH_MEGABYTES
        ]
        for what, count in (
            ("accepted messages are lost", self.lost),
            ("accepted messages are not answered", self.unanswered),
            ("refusals say nothing of when to try again", outcome.without_wait),
        ):
            wrong += [f"{count} {what}"] if count else []
        return wrong


def run(overload: Overload, system: System, database: Database) -> Figures:
    """Offer five times as much as can be done, let it drain, and count."""
    rate = overload.sustainable * TIMES
    targets = _targets(database, overload, count=int(rate * overload.seconds))
    (api,) = (part for part in system.parts if part.name == "api-1")
    began = time.monotonic()
    with _watching(system) as samples:
        outcome = asyncio.run(Offering(api.port).run(targets, rate=rate))
    seconds = time.monotonic() - began
    figures = Figures(outcome, seconds, _count(database, are_over=True))
    drain_began = time.monotonic()
    wait_until(
        lambda: _count(database, are_over=False) == 0,
        description="what was taken on is done",
        timeout_seconds=60 + 3 * overload.queued / overload.sustainable,
    )
    figures.drain_seconds = time.monotonic() - drain_began
    figures.ended = [part.name for part in system.parts if not part.is_alive]
    figures.memory = {name: _halves(values) for name, values in samples.items()}
    _check_answers(database, figures)
    return figures


def _targets(database: Database, overload: Overload, *, count: int) -> list[Target]:
    """A session for each message; the first organization has three times as many as others."""
    places = [0, 0, *range(overload.organizations)]
    found: list[Iterator[Target]] = []
    for place in range(overload.organizations):
        organization_id = new_id()
        with database.transaction() as tx:
            tx.execute(
                text("INSERT INTO organizations (id, name) VALUES (:o, 'A test')"),
                {"o": organization_id},
            )
            sessions = tx.execute(
                text(
                    "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                    " owner_principal_id) SELECT gen_random_uuid(), :o, :h, gen_random_uuid(), :o"
                    " FROM generate_series(1, :count) RETURNING id"
                ),
                {
                    "o": organization_id,
                    "h": GENERIC_HARNESS,
                    "count": (count // len(places) + 1) * places.count(place),
                },
            ).scalars()
            ids = list(sessions)
            tx.execute(
                text("INSERT INTO session_heads (session_id) SELECT unnest(CAST(:ids AS uuid[]))"),
                {"ids": [str(session_id) for session_id in ids]},
            )
        shown = show_id(Kind.ORGANIZATION, organization_id)
        found.append(iter([Target(show_id(Kind.SESSION, each), shown) for each in ids]))
    with database.reading() as tx:
        tx.execute(text("ANALYZE sessions"))
        tx.execute(text("ANALYZE session_heads"))
    return [next(found[places[number % len(places)]]) for number in range(count)]


def _count(database: Database, *, are_over: bool) -> int:
    with database.reading() as tx:
        counted = tx.execute(
            text("SELECT count(*) FROM turns WHERE (ended_at IS NOT NULL) = :are_over"),
            {"are_over": are_over},
        )
        return int(counted.scalar_one())


def _check_answers(database: Database, figures: Figures) -> None:
    """Each accepted message is in a log, and that log's turn answered it."""
    accepted = {parse_id(Kind.MESSAGE, shown) for shown in figures.outcome.accepted}
    with database.reading() as tx:
        rows = tx.execute(
            text(
                "SELECT e.data #>> '{message,id}' AS message, EXISTS (SELECT FROM events a"
                " WHERE a.session_id = e.session_id AND a.type = 'turn.completed') AS is_answered"
                " FROM events e WHERE e.type = 'input.message'"
            )
        )
        stored: dict[UUID, bool] = {
            parse_id(Kind.MESSAGE, row.message): row.is_answered for row in rows
        }
    figures.lost = len(accepted - set(stored))
    figures.unanswered = sum(not stored.get(each, True) for each in accepted)
    figures.answered = sum(stored.get(each, False) for each in accepted)


@contextmanager
def _watching(system: System) -> Iterator[dict[str, list[float]]]:
    """The memory of each kind of process, sampled once a second."""
    samples: defaultdict[str, list[float]] = defaultdict(list)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            for part in system.parts:
                used = _memory_of(part.process.pid)
                if used:
                    samples[part.name.partition("-")[0]].append(used / _MEGABYTE)

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def _memory_of(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family)
    except psutil.NoSuchProcess:
        return 0


def _halves(values: list[float]) -> tuple[float, float]:
    middle = max(1, len(values) // 2)
    return max(values[:middle]), max(values[middle:] or values[:middle])

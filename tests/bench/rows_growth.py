"""Rows of growth: what the same costs in a long session, and beside a million others.

Time near a ratio of 1 says little on a shared machine, so statements and processor time are
counted as well.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.data import long_session, multiply_sessions
from tests.bench.figures import Figure, Row, Target, percentile
from tests.bench.http_client import Connection, request_bytes
from tests.bench.site import Site
from tests.bench.sse_client import Reader, stream_request
from tests.bench.talking import Speaker, message, speakers

_SIZES: Final = (100, 10_000, 100_000)
_REPEATS: Final = 10
_COUNTED: Final = 20
_MILLION: Final = 1_000_000
_STATEMENT: Final = re.compile(rb"LOG:  (?:statement|execute)")
_MOST_GROWTH: Final = 1.2

Operation = Callable[[], Awaitable[float]]


@dataclass
class _Session:
    """One session with connections to all that can be asked of it."""

    site: Site
    session_id: str
    user: Speaker
    connection: Connection

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "POST": self._post,
            "turn": self._turn,
            "list page": lambda: self._get("messages?limit=20"),
            "tail": lambda: self._get("events?limit=20"),
            "resume": self._resume,
        }

    async def _post(self) -> float:
        return (await self.user.turn(time.monotonic())).answered

    async def _turn(self) -> float:
        return (await self.user.turn(time.monotonic())).idled

    async def _get(self, query: str) -> float:
        began = time.monotonic()
        request = request_bytes("GET", f"/v1/sessions/{self.session_id}/{query}")
        answer = await self.connection.ask(request)
        if answer.status != 200:
            raise ConnectionError(str(answer.status))
        return answer.at - began

    async def _resume(self) -> float:
        """Until the first of the last ten events is here."""
        last = (await self._last()) - 10
        began, seen = time.monotonic(), asyncio.get_running_loop().create_future()

        def note(kind: bytes, _data: bytes, at: float) -> None:
            if kind != b"connected" and not seen.done():
                seen.set_result(at)

        reader = Reader(stream_request(self.session_id, after_sequence=str(last)), note)
        await Reader.open(self.site.parts["stream"].port, reader)
        at: float = await asyncio.wait_for(seen, 10)
        reader.close()
        return at - began

    async def _last(self) -> int:
        request = request_bytes("GET", f"/v1/sessions/{self.session_id}/events?limit=1")
        return int((await self.connection.ask(request)).json()["data"][-1]["sequence"])


async def measure_sizes(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Each operation in a short, a long and a very long session, in turn."""
    sessions = [await _grown(site, size) for size in _SIZES]
    names = list(sessions[0].operations)
    for session in sessions:
        for operation in session.operations.values():
            await operation()
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(site.rounds):
        for name in names:
            found = await _in_turn(sessions, name, max(4, int(_REPEATS * site.scale)))
            for size, seconds in zip(_SIZES, found, strict=True):
                taken.setdefault((name, size), []).append(seconds * 1000)
    rows = [
        _row(f"{name}, {s:,} events against 100", taken[name, s], taken[name, _SIZES[0]])
        for name in names
        for s in _SIZES[1:]
    ]
    rows += await _counted(site, sessions, costs)
    for session in sessions:
        session.user.close()
        session.connection.close()
    return rows


async def measure_million(site: Site, costs: dict[str, Any]) -> list[Row]:
    """POST and turn in a fresh session, before and after a million sessions more."""
    number = int(_MILLION * site.scale)
    (template,) = await site.open_sessions(1)
    before = await _fresh(site)
    began = time.monotonic()
    multiply_sessions(site, template, number)
    costs["sessions copied a second"] = round(number / (time.monotonic() - began))
    site.execute("CHECKPOINT")
    after = await _fresh(site)
    return [
        _row(f"{name}, {number:,} more sessions against none", after[name], before[name])
        for name in before
    ]


async def _fresh(site: Site) -> dict[str, list[float]]:
    """Milliseconds and processor milliseconds, a value for each round."""
    (user,) = await speakers(site, 1, message())
    found: dict[str, list[float]] = {"POST": [], "turn": [], "CPU of a turn": []}
    for _ in range(site.rounds):
        used = _product(site.cpu())
        marks = [await user.turn(time.monotonic()) for _ in range(_COUNTED)]
        found["POST"].append(percentile([m.answered for m in marks], 50) * 1000)
        found["turn"].append(percentile([m.idled for m in marks], 50) * 1000)
        found["CPU of a turn"].append((_product(site.cpu()) - used) * 1000 / _COUNTED)
    user.close()
    return found


def _row(title: str, ours: list[float], limit: list[float]) -> Row:
    return Row(
        title,
        Figure.of("ms", ours),
        Figure.of("ms", limit),
        Target.at_most(_MOST_GROWTH),
    )


async def _grown(site: Site, size: int) -> _Session:
    """A session of about so many events, which a model is sent the last few of."""
    template, target = await site.open_sessions(2)
    user = await Speaker.open(site, template, message())
    await user.turn(time.monotonic())
    user.close()
    long_session(site, template, target, size)
    user = await Speaker.open(site, target, message())
    return _Session(site, target, user, await Connection.open(site.parts["api"].port))


async def _in_turn(sessions: list[_Session], name: str, repeats: int) -> list[float]:
    """The middle of each session's seconds; no session has the better moments."""
    seconds: list[list[float]] = [[] for _ in sessions]
    for _ in range(repeats):
        for session, found in zip(sessions, seconds, strict=True):
            found.append(await session.operations[name]())
    return [percentile(found, 50) for found in seconds]


async def _counted(site: Site, sessions: list[_Session], costs: dict[str, Any]) -> list[Row]:
    """Statements and processor time an operation; each statement is a round trip."""
    rows = []
    log = site.directory / "postgres.log"
    short, long = sessions[0], sessions[-1]
    for name in short.operations:
        statements = [await _statements(site, log, s.operations[name]) for s in (short, long)]
        used = await _used(site, [s.operations[name] for s in (short, long)])
        costs[f"{name}, statements"] = statements[0]
        title = f"{name}, {_SIZES[-1]:,} events against 100"
        rows += [
            Row(
                f"{title}, statements",
                Figure.of("", statements[1:]),
                Figure.of("", statements[:1]),
                Target.at_most(_MOST_GROWTH),
            ),
            _row(f"{title}, CPU", used[1], used[0]),
        ]
    return rows


async def _statements(site: Site, log: Path, operation: Operation) -> float:
    """How many statements reach PostgreSQL for it, what goes on anyway taken off."""
    site.execute("ALTER SYSTEM SET log_statement = 'all'")
    site.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)
    counts = []
    for repeats in (0, _COUNTED):
        before, began = _size(log), time.monotonic()
        for _ in range(repeats):
            await operation()
        if not repeats:
            await asyncio.sleep(2)
        took = time.monotonic() - began
        counts.append((_statements_after(log, before), took))
    site.execute("ALTER SYSTEM RESET log_statement")
    site.execute("SELECT pg_reload_conf()")
    (idle, idle_seconds), (busy, seconds) = counts
    return round((busy - idle * seconds / idle_seconds) / _COUNTED, 1)


def _size(log: Path) -> int:
    return log.stat().st_size


def _statements_after(log: Path, place: int) -> int:
    with log.open("rb") as written:
        written.seek(place)
        return len(_STATEMENT.findall(written.read()))


async def _used(site: Site, operations: list[Operation]) -> list[list[float]]:
    """Processor milliseconds of everything but the load, each operation in each round."""
    found: list[list[float]] = [[] for _ in operations]
    for _ in range(site.rounds):
        for operation, used in zip(operations, found, strict=True):
            before = _product(site.cpu())
            for _ in range(_COUNTED):
                await operation()
            used.append((_product(site.cpu()) - before) * 1000 / _COUNTED)
    return found


def _product(cpu: dict[str, float]) -> float:
    return sum(seconds for name, seconds in cpu.items() if name != "load")

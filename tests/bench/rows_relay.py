"""Rows of the relay: deliveries a second and how late, against the same server without logic.

Raw subscribers are sent what was published, ours a delta with an id and all that belongs to
it.  Both have the same subscribers, sent the same number of pieces of text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.figures import MILLISECONDS, Figure, Row, Target, percentile
from tests.bench.http_client import request_bytes
from tests.bench.site import Site, free_port, spent
from tests.bench.sources import RawFrames, SessionTexts
from tests.bench.sse_client import Arrivals, Counter, stream_request
from tests.bench.talking import until

_SECONDS = 1.5
_WINDOW = 2
_DELIVERIES_A_SECOND = 10_000
_OPENED_AT_ONCE = 50
# Sessions, and subscribers of each.
_SHAPES = ((1, 1), (1, 10), (1, 100), (1, 1_000), (100, 10))
_LATE_SHAPES = ((1, 1_000), (100, 10))


@dataclass
class _Side:
    """One relay with its subscribers."""

    source: SessionTexts | RawFrames
    counters: list[Counter]
    arrivals: Arrivals
    share: int
    rates: list[float] = field(default_factory=list)
    middles: list[float] = field(default_factory=list)
    worsts: list[float] = field(default_factory=list)

    def close(self) -> None:
        self.source.close()
        for each in self.counters:
            each.close()

    async def _begin(self) -> None:
        """Until the first text is with everybody: only then each delivery is like the next."""
        self.source.begin()
        self.arrivals.late.clear()
        self.source.publish()
        await self.arrivals.until(self.share)
        self.arrivals.late.clear()

    async def flat_out(self, seconds: float) -> None:
        """Publish as soon as almost all of what was published has arrived."""
        await self._begin()
        published, began = 0, time.monotonic()
        while time.monotonic() < began + seconds:
            self.source.publish()
            published += self.share
            await self.arrivals.until(published - (_WINDOW - 1) * self.share)
        await self.arrivals.until(published)
        self.rates.append(published / (time.monotonic() - began))

    async def paced(self, deliveries: float, seconds: float) -> None:
        """Publish at a fixed rate; what counts is how late it arrives."""
        await self._begin()
        rate, began = deliveries / self.share, time.monotonic()
        number = int(rate * seconds)
        for place in range(number):
            await until(began + place / rate)
            self.source.publish()
        await self.arrivals.until(number * self.share)
        self.middles.append(percentile(self.arrivals.late, 50))
        self.worsts.append(percentile(self.arrivals.late, 99))


async def measure(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Each shape: ours and the raw relay in turn."""
    rows: list[Row] = []
    with site.only("api", "stream"), site.with_part("rawrelay", STREAM_PORT=free_port()):
        for sessions, each in _SHAPES:
            ids = await site.open_sessions(sessions)
            ours = await _opened(site, "stream", SessionTexts(site, ids), _ours(ids), each)
            frames = RawFrames.to(site, ids)
            raw = await _opened(site, "rawrelay", frames, _raw(frames), each)
            shape = f"{sessions} session{'s' if sessions > 1 else ''} with {each:,}"
            rows += await _throughput(site, shape, ours, raw, costs)
            if (sessions, each) in _LATE_SHAPES:
                rows += await _lateness(site, shape, ours, raw)
            ours.close()
            raw.close()
            await asyncio.sleep(0.5)
    return rows


def _ours(ids: Sequence[str]) -> list[bytes]:
    return [stream_request(each, start="live", accumulated="false") for each in ids]


def _raw(frames: RawFrames) -> list[bytes]:
    return [request_bytes("GET", path) for path in frames.paths]


async def _opened(
    site: Site,
    name: str,
    source: SessionTexts | RawFrames,
    requests: Sequence[bytes],
    each: int,
) -> _Side:
    arrivals = Arrivals()
    counters = [Counter(request, arrivals) for request in requests for _ in range(each)]
    port = site.parts[name].port
    await in_slices([lambda c=c: Counter.open(port, c) for c in counters])  # type: ignore[misc]  # bound now
    await asyncio.sleep(0.3)
    return _Side(source, counters, arrivals, share=len(counters))


async def in_slices(actions: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    """All of them, not too many at once."""
    for first in range(0, len(actions), _OPENED_AT_ONCE):
        await asyncio.gather(*(act() for act in actions[first : first + _OPENED_AT_ONCE]))


async def _throughput(
    site: Site, shape: str, ours: _Side, raw: _Side, costs: dict[str, Any]
) -> list[Row]:
    seconds = _SECONDS * site.scale
    used: list[dict[str, float]] = []
    for side in (ours, raw):
        await side.flat_out(seconds / 2)
        side.rates.clear()
    for _ in range(site.rounds):
        before = site.cpu()
        await ours.flat_out(seconds)
        used.append(spent(before, site.cpu(), len(ours.arrivals.late)))
        await raw.flat_out(seconds)
    middle = used[len(used) // 2]
    costs[f"delivery, {shape}, CPU ms by process"] = middle
    unit = "deliveries/s"
    return [
        Row(
            f"relay, {shape} subscribers each, flat out",
            Figure.of(unit, ours.rates),
            Figure.of(unit, raw.rates),
            Target.at_least(0.8),
        )
    ]


async def _lateness(site: Site, shape: str, ours: _Side, raw: _Side) -> list[Row]:
    for _ in range(site.rounds):
        for side in (ours, raw):
            await side.paced(_DELIVERIES_A_SECOND, _SECONDS * site.scale)
    title = f"relay, {shape} subscribers each, {_DELIVERIES_A_SECOND:,} deliveries/s"

    def figure(values: list[float]) -> Figure:
        return Figure.of(MILLISECONDS, values)

    return [
        Row(f"{title}, p50", figure(ours.middles), figure(raw.middles)),
        Row(f"{title}, p99", figure(ours.worsts), figure(raw.worsts), Target.at_most(2)),
    ]

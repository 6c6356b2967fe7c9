"""Rows of single messages and turns: what a user waits for, against the least that it can be."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.bench.figures import MILLISECONDS, Figure, Row, Target, percentile
from tests.bench.floor_turns import FloorUser, floor_parts, floor_users
from tests.bench.primitives import Commits, EmptyView, Noops, Publishes, RawRelay, broker_of_noops
from tests.bench.site import Site, free_port, spent
from tests.bench.talking import Marks, User, close_all, message, speakers, until

_USERS = 20
_GAP_SECONDS = 0.056
# Three gaps, and room for what is measured last.
_EACH_SECONDS = 0.18
_ONE_ROUND = 60
_WARM_UP = 10
# Turns that a long session has behind it: fifty messages.
_LONG_BEFORE = 25
_LONG_ROUND = 20
# Set once it was measured what a turn without logic takes: see docs/performance.md.
_OF_THE_LEAST = 2.5
# Of a wake-up that is only late, not of a turn before that took too long.
_LATE_SECONDS = 0.005


@dataclass
class _Round:
    """Seconds of each step, one value a turn; `cpu` is milliseconds a turn, by process."""

    marks: list[Marks] = field(default_factory=list)
    view: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    publish: list[float] = field(default_factory=list)
    relay: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    least: list[Marks] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def floor_of_post(self, percent: float) -> float:
        return percentile(self.view, percent) + percentile(self.commit, percent)

    def floor_of_first_delta(self, percent: float) -> float:
        """Each step that a message must take until its first text is seen.

        The relay's own figure begins at the publish, so that is in it.
        """
        steps = (self.view, self.commit, self.start, self.commit, self.relay)
        return sum(percentile(step, percent) for step in steps)


async def measure(site: Site, costs: dict[str, Any]) -> list[Row]:
    """POST, first delta and idle, in turn with the machine's own steps.

    Sessions are new with each round, or each would measure longer ones than the one before; what
    a long one costs is a row by itself.
    """
    with (
        site.with_part("emptyapi", API_PORT=free_port()) as empty,
        site.with_part("noopworker", BROKER_URL=broker_of_noops(site)) as noop,
        floor_parts(site),
    ):
        least = await floor_users(site, _USERS)
        tools = (
            await EmptyView.open(empty, message()),
            Commits(site),
            Publishes(site),
            await RawRelay.open(site, site.parts["rawrelay"]),
            Noops(site, noop),
        )
        play = _Play(site, *tools, least)
        await play.round(_WARM_UP)
        number = max(20, int(_ONE_ROUND * site.scale))
        rounds = [await play.round(number) for _ in range(site.rounds)]
        long = [
            await play.round(_LONG_ROUND, turns_before=_LONG_BEFORE) for _ in range(site.rounds)
        ]
        for tool in tools:
            tool.close()
        close_all(least)
    return _rows(rounds, long, costs)


@dataclass
class _Play:
    site: Site
    view: EmptyView
    commits: Commits
    publishes: Publishes
    relay: RawRelay
    noops: Noops
    least: list[FloorUser]

    async def round(self, number: int, *, turns_before: int = 1) -> _Round:
        """So many turns of new users, each of whom has had some before."""
        users = await speakers(self.site, _USERS, message())
        for _ in range(turns_before - 1):
            await asyncio.gather(*(each.turn(time.monotonic()) for each in users))
        before = self.site.cpu()
        found = await self._turns(users, number)
        found.cpu = spent(before, self.site.cpu(), number)
        close_all(users)
        return found

    async def _turns(self, users: Sequence[User], number: int) -> _Round:
        """A turn, then each step by itself, and so on: all of them see the same machine."""
        found = _Round()
        began = time.monotonic()
        for place in range(number):
            due = await _next(began + place * _EACH_SECONDS)
            found.marks.append(await users[place % len(users)].turn(due))
            due = await _next(due + _GAP_SECONDS)
            found.view.append(await self.view.one(due))
            found.commit.append(self.commits.one())
            found.publish.append(self.publishes.one())
            found.relay.append(await self.relay.one())
            self.noops.send()
            due = await _next(due + _GAP_SECONDS)
            found.least.append(await self.least[place % len(self.least)].turn(due))
        found.start = [began - sent for sent, began in self.noops.told()]
        return found


async def _next(due: float) -> float:
    """Wait until it is due; what is late already is due now, for this is how idle it is."""
    await until(due)
    return max(due, time.monotonic() - _LATE_SECONDS)


def _rows(rounds: list[_Round], long: list[_Round], costs: dict[str, Any]) -> list[Row]:
    def ours(what: str, percent: float, rounds: list[_Round] = rounds) -> Figure:
        values = [percentile([getattr(m, what) for m in r.marks], percent) for r in rounds]
        return _milliseconds(values)

    def least(what: str, percent: float) -> Figure:
        values = [percentile([getattr(m, what) for m in r.least], percent) for r in rounds]
        return _milliseconds(values)

    def floor(of: Callable[[_Round], float], rounds: list[_Round] = rounds) -> Figure:
        return _milliseconds([of(each) for each in rounds])

    costs["turn at idle, CPU ms by process"] = {
        name: round(statistics.median(each.cpu[name] for each in rounds), 4)
        for name in rounds[0].cpu
    }
    costs["the machine's steps, ms"] = {
        f"{step} p{percent}": round(floor(partial(_of_step, step=step, percent=percent)).median, 3)
        for step in ("view", "commit", "start", "publish", "relay")
        for percent in (50, 99)
    }
    at_most = Target.at_most
    return [
        Row(
            "POST message, p50, idle",
            ours("answered", 50),
            floor(lambda r: r.floor_of_post(50)),
            at_most(2.5),
        ),
        Row("POST message, p99, idle", ours("answered", 99), floor(lambda r: r.floor_of_post(99))),
        Row("POST → `turn.started`, p50, idle", ours("started", 50)),
        Row(
            "POST → first delta, p50, idle",
            ours("first_text", 50),
            floor(lambda r: r.floor_of_first_delta(50)),
            at_most(2),
        ),
        Row(
            "POST → first delta, p99, idle",
            ours("first_text", 99),
            floor(lambda r: r.floor_of_first_delta(99)),
            at_most(2),
        ),
        Row(
            f"POST → first delta, p50, idle, {2 * _LONG_BEFORE} messages before it",
            ours("first_text", 50, long),
            floor(lambda r: r.floor_of_first_delta(50), long),
        ),
        Row(
            "POST message against the least turn's, p50, idle",
            ours("answered", 50),
            least("answered", 50),
            at_most(_OF_THE_LEAST),
        ),
        Row(
            "POST → first delta against the least turn's, p50, idle",
            ours("first_text", 50),
            least("first_text", 50),
            at_most(_OF_THE_LEAST),
        ),
        Row(
            "POST → `session.idled` against the least turn's, p50, idle",
            ours("idled", 50),
            least("idled", 50),
            at_most(_OF_THE_LEAST),
        ),
        Row("POST → `session.idled`, p99, idle", ours("idled", 99)),
    ]


def _of_step(found: _Round, *, step: str, percent: float) -> float:
    return percentile(getattr(found, step), percent)


def _milliseconds(seconds: list[float]) -> Figure:
    return Figure.of(MILLISECONDS, [each * 1000 for each in seconds])

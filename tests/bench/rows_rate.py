"""Rows of rates: turns a second with everything on the machine.

Against an empty task's, and against the least turn that makes as many round trips.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.figures import MILLISECONDS, Figure, Row, Target, percentile
from tests.bench.floor_turns import floor_parts, floor_users
from tests.bench.primitives import Noops, broker_of_noops
from tests.bench.site import Site, spent
from tests.bench.talking import (
    Marks,
    User,
    close_all,
    closed_loop,
    message,
    open_loop,
    speakers,
)

_NOOPS = 2_000
_AT_ONCE = 16
_USERS = 128
_SECONDS = 4.0
# Of what a closed loop of sixteen gets through: an open one at that rate queues nothing.
_SHARE = 0.92
_STEP_DOWN = 0.93
_MOST_STEPS = 4
# Of the time that our own turns are given.
_LEAST_SHARE = 0.5
_OF_THE_LEAST = 0.25
_NOTHING_QUEUES_SECONDS = 0.5
_TOKENS = 99
_PEERS_TURNS = 7.4
_PEERS_FIRST_TOKEN_AT_16_MS = 553.0
_PEERS_FIRST_TOKEN_IDLE_MS = 36.0
_TEXT = " ".join(f"word{number}" for number in range(_TOKENS))


@dataclass
class _Sustained:
    """An open loop that kept up: turns a second, what was seen, what it cost."""

    rate: float
    marks: list[Marks]
    costs: dict[str, float]


async def measure_turns(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Complete text turns a second that nothing queues behind, the least turns, empty tasks."""
    seconds = _SECONDS * site.scale
    with (
        site.with_part("noopworker", BROKER_URL=broker_of_noops(site)) as part,
        floor_parts(site),
    ):
        noops = Noops(site, part)
        users = await speakers(site, _USERS, message())
        least = await floor_users(site, _USERS)
        noops.drain(200)
        for some in (users, least):
            await closed_loop(some[:_AT_ONCE], seconds)
        drains, found, floors = [], [], []
        for _ in range(site.rounds):
            drains.append(noops.drain(int(_NOOPS * site.scale)))
            # Others each time: what a model is sent grows with a session.
            users = [*users[_AT_ONCE:], *users[:_AT_ONCE]]
            found.append(await _sustained(site, users, seconds))
            floors.append(await _sustained(site, least, seconds * _LEAST_SHARE))
        half = await _at_half_load(site, users, found)
        noops.close()
        close_all([*users, *least])
    costs["turn at the sustained rate, CPU ms by process"] = _middle([f.costs for f in found])
    costs["least turn, CPU ms by process"] = _middle([f.costs for f in floors])
    return [*_turn_rows(drains, found, floors), *half]


def _turn_rows(drains: list[float], found: list[_Sustained], floors: list[_Sustained]) -> list[Row]:
    rate = Figure.of("turns/s", [each.rate for each in found])
    floor = Figure.of("turns/s", [each.rate for each in floors])
    drain = Figure.of("tasks/s", drains)
    idled = [percentile([m.idled for m in each.marks], 99) * 1000 for each in found]
    return [
        Row("complete text turns, sustained", rate, drain, Target.at_least(0.35)),
        Row("the least turn, sustained", floor, drain),
        Row("complete text turns against that", rate, floor, Target.at_least(_OF_THE_LEAST)),
        Row("… and POST → `session.idled` then, p99", Figure.of(MILLISECONDS, idled)),
    ]


async def _sustained(site: Site, users: Sequence[User], seconds: float) -> _Sustained:
    rate, _ = await closed_loop(users[:_AT_ONCE], seconds)
    rate *= _SHARE
    for _ in range(_MOST_STEPS):
        before = site.cpu()
        marks, took = await open_loop(users, rate, seconds)
        costs = spent(before, site.cpu(), len(marks))
        newest = [mark.idled for mark in marks[-len(marks) // 4 :]]
        if percentile(newest, 95) < _NOTHING_QUEUES_SECONDS:
            return _Sustained(len(marks) / max(took, seconds), marks, costs)
        rate *= _STEP_DOWN
    raise TimeoutError("no rate was found that nothing queues behind")


async def _at_half_load(site: Site, users: Sequence[User], found: list[_Sustained]) -> list[Row]:
    rate = sorted(each.rate for each in found)[len(found) // 2] / 2
    seconds = _SECONDS * site.scale
    seen = [(await open_loop(users, rate, seconds))[0] for _ in range(max(3, site.rounds // 3))]

    def row(title: str, what: str, percent: float) -> Row:
        values = [percentile([getattr(m, what) for m in marks], percent) * 1000 for marks in seen]
        return Row(f"{title}, at half of that rate", Figure.of(MILLISECONDS, values))

    return [
        row("POST message, p50", "answered", 50),
        row("POST message, p99", "answered", 99),
        row("POST → `turn.started`, p50", "started", 50),
        row("POST → first delta, p50", "first_text", 50),
        row("POST → first delta, p99", "first_text", 99),
        row("POST → `session.idled`, p50", "idled", 50),
        row("POST → `session.idled`, p99", "idled", 99),
    ]


async def measure_tokens(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Turns of 99 tokens that the model has at once, sixteen at a time, and alone."""
    body = message(response={"type": "fixed", "text": _TEXT})
    users = await speakers(site, _AT_ONCE, body, keeps_text=True)
    await closed_loop(users, _SECONDS * site.scale)
    rates, firsts, alone, frames = [], [], [], []
    before, turns = site.cpu(), 0
    for _ in range(site.rounds):
        # In sessions as fresh as a peer's: what a model is sent grows with them.
        close_all(users)
        users = await speakers(site, _AT_ONCE, body, keeps_text=True)
        rate, marks = await closed_loop(users, _SECONDS * site.scale)
        rates.append(rate)
        firsts.append(percentile([m.first_text for m in marks], 50) * 1000)
        frames.append(sum(m.deltas for m in marks) / len(marks))
        turns += len(marks)
        _check_texts(marks)
        lonely = [await users[0].turn(time.monotonic()) for _ in range(20)]
        alone.append(percentile([m.first_text for m in lonely], 50) * 1000)
    costs["turn of 99 tokens, CPU ms by process"] = spent(before, site.cpu(), turns)
    close_all(users)
    rounds = site.rounds
    return [
        Row(
            "turns of 99 tokens, 16 at once",
            Figure.of("turns/s", rates),
            Figure.constant("turns/s", _PEERS_TURNS, rounds),
            Target.at_least(10),
            note="against the best self-hosted peer noted on such a machine",
        ),
        Row(
            "POST → first token, p50, 16 at once",
            Figure.of(MILLISECONDS, firsts),
            Figure.constant(MILLISECONDS, _PEERS_FIRST_TOKEN_AT_16_MS, rounds),
            Target.at_most(0.2),
        ),
        Row(
            "POST → first token, p50, alone",
            Figure.of(MILLISECONDS, alone),
            Figure.constant(MILLISECONDS, _PEERS_FIRST_TOKEN_IDLE_MS, rounds),
            Target.at_most(0.5),
        ),
        Row("frames of text a turn", Figure.of("", frames)),
    ]


def _check_texts(marks: list[Marks]) -> None:
    """Coalesced as it may be, the text has to be whole.

    Who is behind gets no text of an answer that may be complete: its event says it all.
    """
    for mark in marks:
        streamed = "".join(mark.text)
        if mark.final != _TEXT or streamed not in (_TEXT, ""):
            raise AssertionError(f"text lost: {mark.deltas} frames, {streamed[:200]!r}")


def _middle(costs: list[dict[str, float]]) -> dict[str, float]:
    names = costs[0]
    return {n: sorted(each.get(n, 0.0) for each in costs)[len(costs) // 2] for n in names}

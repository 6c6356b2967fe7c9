"""Memory over a long time under a steady load: it has to be flat.

Users come and go: each has a few turns in a session, then another one with a new session and
a new stream takes the place.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from tests.bench.figures import Figure, Row, Target
from tests.bench.site import PARTS, Site
from tests.bench.talking import Speaker, message, until

_RATE: Final = 10.0
_USERS: Final = 40
_TURNS_OF_ONE: Final = 10
_SAMPLE_SECONDS: Final = 20.0
_KILOBYTE: Final = 1024
# Caches and pools fill in the beginning; what counts comes after.
_WARM_UP: Final = 0.25
_FLAT: Final = 1.05


class _Soak:
    """The load, and the sizes of all parts meanwhile."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._users: list[Speaker] = []
        self._turns_left: dict[str, int] = {}
        self.turns = 0
        self.sizes: dict[str, list[float]] = {name: [] for name in PARTS}
        self.times: list[float] = []

    async def run(self, seconds: float, say: Callable[[str], None]) -> None:
        began = time.monotonic()
        sampling = asyncio.create_task(self._sample(began, say))
        running: set[asyncio.Task[None]] = set()
        self._users = [await self._newcomer() for _ in range(_USERS)]
        start = time.monotonic()
        for number in range(int((seconds - (start - began)) * _RATE)):
            await until(start + number / _RATE)
            task = asyncio.create_task(self._turn(number % _USERS))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
        sampling.cancel()
        for user in self._users:
            user.close()

    async def _turn(self, place: int) -> None:
        user = self._users[place]
        await user.turn(time.monotonic())
        self.turns += 1
        self._turns_left[user.session_id] -= 1
        if self._turns_left[user.session_id] == 0:
            user.close()
            del self._turns_left[user.session_id]
            self._users[place] = await self._newcomer()

    async def _newcomer(self) -> Speaker:
        (session_id,) = await self._site.open_sessions(1)
        self._turns_left[session_id] = _TURNS_OF_ONE
        return await Speaker.open(self._site, session_id, message())

    async def _sample(self, began: float, say: Callable[[str], None]) -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            self.times.append(time.monotonic() - began)
            for name, sizes in self.sizes.items():
                sizes.append(self._site.memory(name) / _KILOBYTE**2)
            shown = ", ".join(f"{name} {sizes[-1]:.1f}" for name, sizes in self.sizes.items())
            say(f"{self.turns} turns; MB: {shown}")


async def measure(
    site: Site, costs: dict[str, Any], *, minutes: float, say: Callable[[str], None]
) -> list[Row]:
    """Each part's size in the end against its size once it was warm."""
    soak = _Soak(site)
    await soak.run(minutes * 60, say)
    first = int(len(soak.times) * _WARM_UP)
    costs["soak"] = {
        "minutes": minutes,
        "turns": soak.turns,
        "MB": {name: [round(size, 2) for size in sizes] for name, sizes in soak.sizes.items()},
    }
    rows = []
    for name, sizes in soak.sizes.items():
        warm = sizes[first:]
        quarter = max(1, len(warm) // 4)
        before, after = statistics.median(warm[:quarter]), statistics.median(warm[-quarter:])
        rows.append(
            Row(
                f"memory of {name} after {minutes:g} minutes, {soak.turns:,} turns",
                Figure.of("MB", [after]),
                Figure.of("MB", [before]),
                Target.at_most(_FLAT),
            )
        )
    return rows

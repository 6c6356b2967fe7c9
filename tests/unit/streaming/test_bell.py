"""The bell that streams wait at."""

import asyncio

from api.streaming.bell import Bell


def test_who_waits_goes_on_when_it_rings_and_so_does_who_comes_later() -> None:
    async def play() -> None:
        bell = Bell()
        waiting = [asyncio.create_task(bell.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        assert bell.has_listeners
        assert not any(each.done() for each in waiting)

        bell.set()

        await asyncio.wait_for(asyncio.gather(*waiting, bell.wait()), 5)
        assert bell.is_set()
        assert not bell.has_listeners

    asyncio.run(play())


def test_it_rings_anew_once_it_was_cleared() -> None:
    async def play() -> None:
        bell = Bell()
        bell.set()
        bell.clear()
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)

        assert not waiting.done()
        bell.set()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(play())


def test_who_gave_up_is_not_rung_for() -> None:
    async def play() -> None:
        bell = Bell()
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        bell.set()

        assert await asyncio.wait({waiting}, timeout=5) == ({waiting}, set())
        assert waiting.cancelled()
        assert not bell.has_listeners

    asyncio.run(play())

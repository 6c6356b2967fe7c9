"""Loops that stand or fall together, also with a library that loses cancellations."""

import asyncio

import pytest

from api.streaming.live_channel import _until_first_ends


async def _deaf() -> None:
    """Loses the first cancellation, as redis-py may in Python 3.11, and goes on."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def _failing() -> None:
    raise ConnectionError


def test_the_first_failure_ends_all_loops() -> None:
    async def scene() -> None:
        before = asyncio.all_tasks()
        with pytest.raises(ConnectionError):
            await _until_first_ends(_deaf(), _failing())
        assert asyncio.all_tasks() == before

    asyncio.run(asyncio.wait_for(scene(), 5))


def test_a_cancellation_ends_all_loops() -> None:
    async def scene() -> None:
        before = asyncio.all_tasks()
        task = asyncio.create_task(_until_first_ends(_deaf(), _deaf()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before

    asyncio.run(asyncio.wait_for(scene(), 5))

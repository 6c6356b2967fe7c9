"""What a stream process does when a task fails that its streams need."""

import asyncio
import signal

import pytest
from structlog.testing import capture_logs

from api.streaming import app


async def _fail() -> None:
    raise AttributeError("of a caller's text")


async def _in_groups() -> None:
    async with asyncio.TaskGroup() as outer:

        async def inner() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fail())

        outer.create_task(inner())


def test_it_ends_and_says_what_failed_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[signal.Signals] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)

    async def scene() -> None:
        task = asyncio.create_task(_in_groups())
        await asyncio.wait([task])
        app._end_process_if_failed(task)

    with capture_logs() as logs:
        asyncio.run(scene())
    assert raised == [signal.SIGTERM]
    (entry,) = logs
    assert (entry["event"], entry["error"]) == ("background_failed", "AttributeError")
    assert entry["at"][-1].startswith(f"{__name__}:")
    assert "text" not in str(entry)

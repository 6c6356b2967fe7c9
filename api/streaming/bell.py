"""An `asyncio.Event` without its size: a process has several for each of ten thousand streams."""

from __future__ import annotations

import asyncio


class Bell:
    """Use it from one event loop."""

    __slots__ = ("_is_rung", "_listeners")

    def __init__(self) -> None:
        self._is_rung = False
        # Hardly ever more than one: a queue for them would be most of what this weighs.
        self._listeners: tuple[asyncio.Future[None], ...] = ()

    @property
    def has_listeners(self) -> bool:
        """Whether somebody waits, or has been woken and not gone on yet."""
        return bool(self._listeners)

    def is_set(self) -> bool:
        return self._is_rung

    def set(self) -> None:
        """Wake whoever waits, and let pass who comes later."""
        self._is_rung = True
        for listener in self._listeners:
            if not listener.done():
                listener.set_result(None)

    def clear(self) -> None:
        """Let nobody pass until it rings again."""
        self._is_rung = False

    async def wait(self) -> None:
        """Pass once it has rung."""
        if self._is_rung:
            return
        listener: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listeners += (listener,)
        try:
            await listener
        finally:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

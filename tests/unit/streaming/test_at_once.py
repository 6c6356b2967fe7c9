"""Text that is written without waking the stream's task, and the write that cannot be."""

import asyncio
from typing import Any

from api.streaming.sending import AtOnce


class Client:
    """A client's connection that can be made to take nothing more."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.has_room = asyncio.Event()
        self.has_room.set()

    def write(self, data: bytes) -> bool:
        if self.has_room.is_set():
            self.taken.append(data)
        return self.has_room.is_set()

    async def send(self, message: Any) -> None:
        self.taken.append(message["body"])
        if not self.has_room.is_set():
            await self.has_room.wait()


def test_what_need_not_wait_is_written_on_the_spot() -> None:
    async def play() -> None:
        client = Client()
        at_once = AtOnce(client, client.send)

        assert at_once.write(b"a")
        assert at_once.write(b"b")
        assert client.taken == [b"a", b"b"]
        await at_once.finish()

    asyncio.run(play())


def test_a_write_that_has_to_wait_is_finished_by_the_task() -> None:
    async def play() -> None:
        client = Client()
        at_once = AtOnce(client, client.send)
        client.has_room.clear()

        assert not at_once.write(b"a")
        finishing = asyncio.create_task(at_once.finish())
        await asyncio.sleep(0)
        assert not finishing.done()
        client.has_room.set()
        await asyncio.wait_for(finishing, 5)
        assert client.taken == [b"a"]
        assert at_once.write(b"b")

    asyncio.run(play())


def test_a_task_that_is_cancelled_meanwhile_leaves_nothing_behind() -> None:
    async def play() -> None:
        client = Client()
        at_once = AtOnce(client, client.send)
        client.has_room.clear()
        assert not at_once.write(b"a")
        finishing = asyncio.create_task(at_once.finish())
        await asyncio.sleep(0)

        finishing.cancel()

        assert await asyncio.wait({finishing}, timeout=5) == ({finishing}, set())
        assert finishing.cancelled()

    asyncio.run(play())

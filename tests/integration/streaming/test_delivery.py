"""Which answers a caller has had, as all stream processes know it through Redis."""

import asyncio
from uuid import UUID

from api.streaming.delivery import DeliveryMemory
from api.streaming.redis_link import RedisLink
from common.clock import new_id
from common.redis_client import Breaker

CALLER = "caller"


class Closing(DeliveryMemory):
    """The stream that showed the answer closes while somebody asks about it."""

    async def _recall(self, session_id: UUID, caller: str) -> tuple[int, int]:
        found = await super()._recall(session_id, caller)
        await self.note_left(session_id, caller, 7)
        return found


async def ask(
    url: str, kind: type[DeliveryMemory], answer: int, *, seen: int, left: tuple[int, ...]
) -> bool:
    link = RedisLink(url, Breaker(), timeout_seconds=1.0)
    memory, session_id = kind(link), new_id()
    if seen:
        await memory.note_seen(session_id, CALLER, seen)
    for each in left:
        await memory.note_left(session_id, CALLER, each)
    has_left = await memory.has_left(session_id, CALLER, answer)
    await link.close()
    return has_left


def test_an_answer_counts_once_its_stream_has_closed(redis_url: str) -> None:
    assert not asyncio.run(ask(redis_url, DeliveryMemory, 7, seen=0, left=()))
    assert not asyncio.run(ask(redis_url, DeliveryMemory, 7, seen=7, left=()))
    assert not asyncio.run(ask(redis_url, DeliveryMemory, 7, seen=7, left=(6,)))
    assert asyncio.run(ask(redis_url, DeliveryMemory, 7, seen=7, left=(7,)))


def test_a_stream_that_is_closing_is_waited_for(redis_url: str) -> None:
    assert asyncio.run(ask(redis_url, Closing, 7, seen=7, left=()))


def test_closing_in_another_order_forgets_nothing(redis_url: str) -> None:
    assert asyncio.run(ask(redis_url, DeliveryMemory, 9, seen=9, left=(9, 5)))


def test_without_redis_nothing_is_known_and_nothing_waits() -> None:
    nowhere = "redis://127.0.0.1:1/0"
    assert not asyncio.run(ask(nowhere, DeliveryMemory, 7, seen=7, left=(7,)))

"""Which answers a caller has already had: what the start rule of design 7 goes by.

`seen` is written just before an answer is sent to a caller, `left` when that stream
has closed.  An answer that another stream of the same caller shows while it stays open
is seen and not left, so it does not count.  Costs one round trip an answer, one a
closed stream, and one for a stream without cursor on a turn that ended just now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from api.streaming.redis_link import RedisLink
from common.live import left_key, seen_key

_TTL_SECONDS: Final = 3600
# More than a close needs from the client through proxies to here.
_CLOSE_TRAVELS_SECONDS: Final = 0.25
_CLOSING_SECONDS: Final = 0.1
_CLOSING_POLL_SECONDS: Final = 0.01

# Keeps the highest.  KEYS 1 name   ARGV 1 sequence, 2 TTL seconds
_RAISE: Final = """
local held = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > held then held = tonumber(ARGV[1]) end
redis.call('SET', KEYS[1], held, 'EX', ARGV[2])
return held
"""


class DeliveryMemory:
    """What has been delivered, by session and caller; forgets everything without Redis."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._raise = link.client.register_script(_RAISE)

    async def note_seen(self, session_id: UUID, caller: str, answer: int) -> None:
        """The event with this sequence is about to be sent to the caller."""
        await self._note(seen_key(session_id, caller), answer)

    async def note_left(self, session_id: UUID, caller: str, answer: int) -> None:
        """The stream that delivered it has closed."""
        await self._note(left_key(session_id, caller), answer)

    async def has_left(self, session_id: UUID, caller: str, answer: int) -> bool:
        """Whether the caller had this answer on a stream that has closed since.

        Waits up to 100 ms for one that is closing: a client opens its next stream
        sooner than the end of the last one gets here.
        """
        deadline = time.monotonic() + _CLOSING_SECONDS
        while True:
            seen, left = await self._recall(session_id, caller)
            if left >= answer:
                return True
            if seen < answer or time.monotonic() > deadline:
                return False
            await asyncio.sleep(_CLOSING_POLL_SECONDS)

    async def _note(self, key: str, answer: int) -> None:
        await self._link.attempt(
            "note_delivery", lambda: self._raise(keys=[key], args=[answer, _TTL_SECONDS])
        )

    async def _recall(self, session_id: UUID, caller: str) -> tuple[int, int]:
        keys = [seen_key(session_id, caller), left_key(session_id, caller)]
        found = await self._link.attempt("recall_delivery", lambda: self._link.client.mget(keys))
        seen, left = found or (None, None)
        return int(seen or 0), int(left or 0)


class ReadAnswers:
    """The answers that a client had on a stream, as far as that can be known.

    A client that has what it wanted closes its stream, but the close takes a moment to
    get here, and an answer that is written meanwhile is read by nobody.  So a stream's
    first answer counts at once, and a later one when the stream stays open after it.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known = 0
        self._latest: tuple[int, float] | None = None

    def add(self, answer: int) -> None:
        """An answer was written: the sequence of its event."""
        self._known = self.last() or answer
        self._latest = (answer, self._monotonic())

    def last(self) -> int:
        """The newest answer that was surely read; 0 for none."""
        if self._latest is None:
            return 0
        answer, written_at = self._latest
        is_sure = self._monotonic() - written_at >= _CLOSE_TRAVELS_SECONDS
        return answer if is_sure else self._known

    def forget(self) -> None:
        """None of it counts."""
        self._latest = None
        self._known = 0

"""Reads the text being streamed from where all of it is kept while it lasts."""

from __future__ import annotations

from uuid import UUID

from api.streaming.redis_link import RedisLink
from common.live import text_key


class StreamedText:
    """The worker's side of these keys is `common.live.Live.push_text`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def read(self, session_id: UUID, opener: int, start: int) -> bytes | None:
        """The text from byte `start` on, empty when there is no more; one round trip.

        None when Redis cannot be asked just now.
        """
        key = text_key(session_id, opener)
        found = await self._link.attempt(
            "read_text", lambda: self._link.client.getrange(key, start, -1)
        )
        # As the client is set up it returns bytes; its types know both.
        return found.encode() if isinstance(found, str) else found

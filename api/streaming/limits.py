"""How many streams may be open: a session, an organization, a process (contract 3.5).

Every process writes how many it has into a hash of the session and one of the
organization, each count with its own expiry, so those of a process that died go by
themselves.  Without Redis each process goes by its own counts: a limit that cannot be
checked refuses nobody.  Costs one round trip for a stream that opens and one for a
stream that closes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.streaming.redis_link import RedisLink
from common.live import organization_streams_key, streams_key

_TTL_SECONDS: Final = 60
_REFRESH_SECONDS: Final = 20.0
_REFRESHED_AT_ONCE: Final = 200
RETRY_AFTER_SECONDS: Final = 5

# Writes this process's count unless all processes together would exceed the limit.
#   KEYS 1 hash   ARGV 1 process, 2 its count, 3 limit or 0, 4 TTL seconds
# A field's value is "<count> <expiry, Unix seconds>": fields have no TTL of their own
# in servers as old as we support.
_COUNT: Final = """
local now = tonumber(redis.call('TIME')[1])
local total = tonumber(ARGV[2])
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] ~= ARGV[1] then
    local count, expiry = string.match(fields[i + 1], '^(%d+) (%d+)$')
    if not count or tonumber(expiry) < now then
      redis.call('HDEL', KEYS[1], fields[i])
    else
      total = total + tonumber(count)
    end
  end
end
if tonumber(ARGV[3]) > 0 and total > tonumber(ARGV[3]) then return 0 end
if tonumber(ARGV[2]) == 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. (now + tonumber(ARGV[4])))
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
return 1
"""


class TooManyStreams(Exception):
    """A limit is reached; the message says which."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """The most streams at once; 0 for a session or organization: no limit."""

    per_session: int
    per_organization: int
    per_process: int


class StreamCounts:
    """The open streams of this process, and through Redis of all processes.

    Use it from one event loop; `run` must be running there.
    """

    def __init__(self, link: RedisLink, limits: StreamLimits, *, process: str) -> None:
        self._link = link
        self._limits = limits
        self._process = process
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._script = link.client.register_script(_COUNT)

    async def enter(self, session_id: UUID, organization_id: UUID) -> None:
        """Count a stream that opens; pair it with `leave`.

        Raises:
            TooManyStreams: it may not, and was not counted.
        """
        if self._total >= self._limits.per_process:
            raise TooManyStreams("Too many open streams on this server")
        limited = self._limited(session_id, organization_id)
        self._total += 1
        self._counts.update(key for key, _, _ in limited)
        full: str | None = "server"  # until found otherwise, were this cancelled
        try:
            full = await self._find_full(limited)
        finally:
            if full is not None:
                await self.leave(session_id, organization_id)
        if full is not None:
            raise TooManyStreams(f"Too many open streams for this {full}")

    async def leave(self, session_id: UUID, organization_id: UUID) -> None:
        """Count a stream that has closed."""
        self._total -= 1
        keys = [key for key, _, _ in self._limited(session_id, organization_id)]
        for key in keys:
            self._drop(key)
        await asyncio.gather(*(self._write(key, limit=0) for key in keys))

    async def run(self) -> None:
        """Keep this process's counts from expiring, until cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            keys = list(self._counts)
            for first in range(0, len(keys), _REFRESHED_AT_ONCE):
                some = keys[first : first + _REFRESHED_AT_ONCE]
                await asyncio.gather(*(self._write(key, limit=0) for key in some))

    def _limited(self, session_id: UUID, organization_id: UUID) -> list[tuple[str, int, str]]:
        limited = [
            (streams_key(session_id), self._limits.per_session, "session"),
            (
                organization_streams_key(organization_id),
                self._limits.per_organization,
                "organization",
            ),
        ]
        return [each for each in limited if each[1] > 0]

    async def _find_full(self, limited: list[tuple[str, int, str]]) -> str | None:
        """What has more streams than it may, this one counted; None when nothing has."""
        for key, limit, what in limited:
            if self._counts[key] > limit or await self._write(key, limit=limit) == 0:
                return what
        return None

    async def _write(self, key: str, *, limit: int) -> int | None:
        args: list[str | int] = [self._process, self._counts[key], limit, _TTL_SECONDS]
        return await self._link.attempt(
            "count_streams", lambda: self._script(keys=[key], args=args)
        )

    def _drop(self, key: str) -> None:
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]

"""A circuit breaker for each model provider, shared by all workers over Redis.

Five failures within a minute, and no success among them, open it (contract 5.3): for half a
minute no call is made.  Then one call at a time is let through; two that go well close it,
one that fails opens it again.  A call counts once, however often it was tried.  What is wrong
with a request or a key is no failure of the provider's, and a limit of its rate is neither
failure nor success.

Costs one round trip a call, and one more for a call that failed, that went well while
failures were counted, or that was let through on trial.  Without Redis every call is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from redis import Redis

from common.domain.provider_breaker import OPEN_MS, THRESHOLD, WINDOW_MS
from common.live import provider_breaker_key
from common.redis_client import Breaker
from worker.llm.driver import FailureReason

SUCCESSES: Final = 2
_TTL_MS: Final = 2 * WINDOW_MS

_REFUSED: Final = 0
_ON_TRIAL: Final = 2
_FAILURES_COUNTED: Final = 3
_TOLD_OF_SUCCESS: Final = (_ON_TRIAL, _FAILURES_COUNTED)

# The whole decision, so that it is one for all workers.  The hash has `failures` (times of
# the last ones, newest last), `opened`, `trial` (when the last call on trial was let
# through) and `good` (how many of those went well); times in ms.
#   KEYS 1 hash   ARGV 1 ask | failed | worked, 2 now or 0 for Redis's clock, 3 threshold,
#   4 window, 5 how long it stays open, 6 successes that close it, 7 TTL
# Returns 0 for no call now, 1 for go on, 2 for go on trial, 3 for go on, failures are counted.
_SCRIPT: Final = """
local now = tonumber(ARGV[2])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function held(field) return tonumber(redis.call('HGET', KEYS[1], field) or '') end
local function keep(...)
  redis.call('HSET', KEYS[1], ...)
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
local opened = held('opened')
local is_open = opened and now - opened < tonumber(ARGV[5])
if is_open then return 0 end

if ARGV[1] == 'ask' then
  if not opened then return redis.call('HEXISTS', KEYS[1], 'failures') == 1 and 3 or 1 end
  local trial = held('trial')
  if trial and now - trial < tonumber(ARGV[5]) then return 0 end
  keep('trial', now)
  return 2
end

if ARGV[1] == 'worked' then
  if not opened then
    redis.call('DEL', KEYS[1])
    return 1
  end
  if redis.call('HINCRBY', KEYS[1], 'good', 1) >= tonumber(ARGV[6]) then
    redis.call('DEL', KEYS[1])
  else
    redis.call('HDEL', KEYS[1], 'trial')
  end
  return 1
end

if opened then
  redis.call('HDEL', KEYS[1], 'trial', 'good')
  keep('opened', now)
  return 0
end
local recent, count = {}, 1
for time in string.gmatch(redis.call('HGET', KEYS[1], 'failures') or '', '%d+') do
  if now - tonumber(time) < tonumber(ARGV[4]) then
    table.insert(recent, time)
    count = count + 1
  end
end
if count >= tonumber(ARGV[3]) then
  redis.call('HDEL', KEYS[1], 'failures')
  keep('opened', now)
  return 0
end
table.insert(recent, string.format('%.0f', now))
keep('failures', table.concat(recent, ' '))
return 1
"""


class ProviderBreakers:
    """The breakers of all providers; one a process.

    `now_ms` is for tests: without it Redis's clock counts, the same for all workers.
    """

    def __init__(
        self, redis: Redis, guard: Breaker, *, now_ms: Callable[[], int] | None = None
    ) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._guard = guard
        self._now_ms = now_ms

    def of(self, provider_id: str) -> ProviderBreaker:
        """The breaker as one model call sees it."""
        return ProviderBreaker(lambda what: self._tell(provider_id, what))

    def _tell(self, provider_id: str, what: str) -> int | None:
        """What the script says; None when Redis cannot be asked just now."""
        now = 0 if self._now_ms is None else self._now_ms()
        limits = [THRESHOLD, WINDOW_MS, OPEN_MS, SUCCESSES, _TTL_MS]
        verdict = self._guard.attempt(
            "provider_breaker",
            lambda: self._script(
                keys=[provider_breaker_key(provider_id)], args=[what, now, *limits]
            ),
        )
        return None if verdict is None else int(verdict)


class ProviderBreaker:
    """A `worker.turn.reasoning.Circuit`; one model call's, its retries included."""

    def __init__(self, tell: Callable[[str], int | None]) -> None:
        self._tell = tell
        self._verdict: int | None = None

    def allows_call(self) -> bool:
        """Whether a call may be made now."""
        self._verdict = self._tell("ask")
        return self._verdict != _REFUSED

    def note(self, reason: FailureReason | None) -> None:
        """Take in how the call ended, None for well."""
        verdict, self._verdict = self._verdict, None
        if reason is FailureReason.UNAVAILABLE:
            self._tell("failed")
        # A call on trial that was limited leaves its place to the next one after a while.
        elif reason is not FailureReason.RATE_LIMITED and verdict in _TOLD_OF_SUCCESS:
            self._tell("worked")

"""The process's one connection for sharded pub/sub, kept up for ever.

What matters to subscribers is the acknowledgement: only from then on nothing is lost,
so whoever watches reads the log again after each of them, the first and every later
one.  A connection that has gone silent is replaced, because a peer that froze or a
network that swallows packets gives no other sign.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_CONNECT_SECONDS: Final = 1.0
_PING_SECONDS: Final = 2.0
_SILENCE_SECONDS: Final = 6.0
_CANCEL_SECONDS: Final = 0.1
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0
# Channels a command: a storm of subscribers becomes few commands, none of them huge.
_CHANNELS_AT_ONCE: Final = 500

_log = structlog.get_logger()


class LiveChannel:
    """Delivers frames of the watched channels, in the order of each channel.

    Args:
        url: the Redis server.
        on_acknowledged: called with a channel each time Redis confirms that it is
            subscribed, first and after every reconnection.
        on_frame: called with a channel and a message of it.
    """

    def __init__(
        self,
        url: str,
        *,
        on_acknowledged: Callable[[bytes], None],
        on_frame: Callable[[bytes, bytes], None],
    ) -> None:
        self._url = url
        self._on_acknowledged = on_acknowledged
        self._on_frame = on_frame
        self._wanted: set[bytes] = set()
        self._changed: set[bytes] = set()
        self._has_changes = asyncio.Event()
        self._last_sign = 0.0

    def watch(self, channel: bytes) -> None:
        """Subscribe; the acknowledgement comes later, and again if it was subscribed."""
        self._wanted.add(channel)
        self._note(channel)

    def unwatch(self, channel: bytes) -> None:
        """End the subscription."""
        self._wanted.discard(channel)
        self._note(channel)

    async def run(self) -> None:
        """Keep a connection until cancelled; trouble with Redis is waited out."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            connected_at = time.monotonic()
            try:
                await self._serve()
            except (RedisError, OSError) as failure:
                _log.warning("live_channel_lost", error=type(failure).__name__)
            if time.monotonic() - connected_at > _SILENCE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _note(self, channel: bytes) -> None:
        self._changed.add(channel)
        self._has_changes.set()

    async def _serve(self) -> None:
        """Use one connection until it fails."""
        client = Redis.from_url(
            self._url,
            socket_timeout=_CONNECT_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        pubsub = client.pubsub()
        try:
            await pubsub.connect()  # type: ignore[no-untyped-call]  # redis-py's
            self._last_sign = time.monotonic()
            self._changed = set(self._wanted)
            self._has_changes.set()
            await _until_first_ends(
                self._listen(pubsub), self._subscribe(pubsub), self._ping(pubsub)
            )
        finally:
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py's
                await client.aclose()

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            with _shared_connection():
                message = await pubsub.get_message(timeout=None)
            self._last_sign = time.monotonic()
            if message is None:
                continue
            if message["type"] == "smessage":
                self._on_frame(message["channel"], message["data"])
            elif message["type"] == "ssubscribe":
                self._on_acknowledged(message["channel"])

    async def _subscribe(self, pubsub: PubSub) -> None:
        while True:
            await self._has_changes.wait()
            self._has_changes.clear()
            changed, self._changed = list(self._changed), set()
            for first in range(0, len(changed), _CHANNELS_AT_ONCE):
                some = changed[first : first + _CHANNELS_AT_ONCE]
                entered = [channel for channel in some if channel in self._wanted]
                left = [channel for channel in some if channel not in self._wanted]
                with _shared_connection():
                    if entered:
                        await pubsub.ssubscribe(*entered)
                    if left:
                        await pubsub.sunsubscribe(*left)

    async def _ping(self, pubsub: PubSub) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            if time.monotonic() - self._last_sign > _SILENCE_SECONDS:
                raise TimeoutError
            with _shared_connection():
                await pubsub.ping()


@contextlib.contextmanager
def _shared_connection() -> Iterator[None]:
    """Whatever redis-py raises here means that the connection is lost.

    The loop that finds it closed takes it apart, and a command of another loop that is
    being sent just then fails with AttributeError or RuntimeError.
    """
    try:
        yield
    except (RedisError, OSError):
        raise
    except Exception as failure:
        raise ConnectionError(type(failure).__name__) from failure


async def _until_first_ends(*loops: Coroutine[None, None, None]) -> None:
    """Run endless loops until one fails, and raise its error; none is left running."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        # Again and again: a cancellation that comes just as a command of redis-py is
        # answered is lost in Python 3.11's wait_for, and a task group would wait for ever.
        while not all(task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        for task in tasks:
            if not task.cancelled():
                task.exception()

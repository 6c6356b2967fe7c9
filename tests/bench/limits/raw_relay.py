"""The least that a relay costs: the stream process's own server, and no logic at all.

Whoever opens `/<channel>` is sent each message of that channel as it comes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from redis.asyncio import Redis

from api.streaming.server import open_socket, raise_file_limit, server_config
from common.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HEADERS = [(b"content-type", b"text/event-stream")]


class _Subscriber:
    def __init__(self) -> None:
        self.has_news = asyncio.Event()
        self.waiting: list[bytes] = []

    def offer(self, data: bytes) -> None:
        self.waiting.append(data)
        self.has_news.set()


class RawRelay:
    """One connection to Redis, one task a subscriber, one write for all that waits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._subscribers: dict[bytes, set[_Subscriber]] = defaultdict(set)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith("/health"):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._relay(scope["path"][1:].encode(), receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pubsub = Redis.from_url(self._url, protocol=2).pubsub()
        await self._pubsub.ssubscribe("nothing")
        listening = asyncio.create_task(self._listen())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        listening.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _listen(self) -> None:
        while True:
            message = await self._pubsub.get_message(timeout=None)
            if message is not None and message["type"] == "smessage":
                for subscriber in self._subscribers[message["channel"]]:
                    subscriber.offer(message["data"])

    async def _relay(self, channel: bytes, receive: Receive, send: Send) -> None:
        subscriber = _Subscriber()
        if not self._subscribers[channel]:
            await self._pubsub.ssubscribe(channel)
        self._subscribers[channel].add(subscriber)
        listening = asyncio.create_task(_until_gone(receive, subscriber))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": b"hello\n\n", "more_body": True})
            while not listening.done():
                await subscriber.has_news.wait()
                subscriber.has_news.clear()
                taken, subscriber.waiting = subscriber.waiting, []
                data = b"".join(taken)
                await send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            listening.cancel()
            self._subscribers[channel].discard(subscriber)


async def _until_gone(receive: Receive, subscriber: _Subscriber) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    subscriber.has_news.set()


def main() -> None:
    settings = Settings.from_env()
    raise_file_limit()
    listening = open_socket(settings.bind_host, settings.stream_port)
    app = RawRelay(settings.pubsub_url)
    uvicorn.Server(server_config(app)).run(sockets=[listening])


if __name__ == "__main__":
    main()

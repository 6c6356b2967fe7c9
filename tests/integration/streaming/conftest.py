"""The stream process's application on a real server, in a thread of the test process."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvicorn

from api.streaming.bootstrap import build
from api.streaming.deps import Deps
from api.streaming.server import make_server, open_socket
from common.live import Live
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.integration.streaming.author import Author
from tests.integration.streaming.reader import Reader


@dataclass
class StreamServer:
    """One stream process's worth of server."""

    settings: Settings
    poll_seconds: float = 1.0
    _server: uvicorn.Server = field(init=False)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.listening = open_socket("127.0.0.1", 0)
        self.port: int = self.listening.getsockname()[1]
        self._server = make_server(self._make_deps)
        self._thread = threading.Thread(
            target=self._server.run, args=([self.listening],), daemon=True
        )
        self._thread.start()
        wait_until(lambda: self._server.started, description="the stream server is up")

    def _make_deps(self) -> Deps:
        self.deps = build(self.settings, poll_seconds=self.poll_seconds)
        return self.deps

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive()


@dataclass
class World:
    """Servers, authors and readers of one test, all ended with it."""

    database_url: str
    redis_url: str
    database: Database
    servers: list[StreamServer] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)

    def serve(
        self, *, poll_seconds: float = 1.0, pubsub_port: int | None = None, **settings: str
    ) -> StreamServer:
        """A stream process; `pubsub_port` is another way to the same Redis."""
        environ = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DEPLOYMENT_GRADE": "dev",
            **settings,
        }
        chosen = Settings.from_env(environ)
        if pubsub_port is not None:
            chosen = replace(chosen, pubsub_url=f"redis://127.0.0.1:{pubsub_port}/0")
        server = StreamServer(chosen, poll_seconds)
        self.servers.append(server)
        return server

    def author(self, **fields: Any) -> Author:
        redis = make_client(fields.pop("redis_url", self.redis_url), timeout_seconds=1.0)
        live = Live(redis, Breaker(), text_ttl_seconds=600)
        return Author(self.database, live, **fields)

    def read(self, author: Author, **query: Any) -> Reader:
        """Open a stream on the first server; `headers` and `server` are not of the query."""
        headers = query.pop("headers", None)
        server = query.pop("server", None) or self.servers[0]
        reader = Reader(server.port, f"/v1/sessions/{author.shown_id}/sse", headers, **query)
        self.readers.append(reader)
        return reader


@pytest.fixture
def world(shared_database_url: str, redis_url: str) -> Iterator[World]:
    """The tests of a module share a database: each has sessions of its own."""
    yield from make_world(shared_database_url, redis_url)


def make_world(database_url: str, redis_url: str) -> Iterator[World]:
    database = Database(database_url, pool_size=5, application="tests")
    world = World(database_url, redis_url, database)
    try:
        yield world
    finally:
        for reader in world.readers:
            reader.close()
        for server in world.servers:
            server.stop()
        database.close()


@pytest.fixture
def author(world: World) -> Author:
    """A session on a server with default settings."""
    world.serve()
    return world.author()


ReadStream = Callable[..., Reader]


@pytest.fixture
def read(world: World) -> ReadStream:
    return world.read

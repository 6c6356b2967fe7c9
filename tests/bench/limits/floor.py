"""The least that a complete turn costs: its round trips and its messages, and no logic at all.

Three transactions, each of which stores a row, with as many statements as ours have, one wake-up,
and four messages to whoever watches, as large as ours are.
`floor_view` does what the api does, `noop_worker` what a worker does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import psycopg2
import psycopg2.extensions

from common.redis_client import make_client
from common.settings import Settings

TABLE: Final = "CREATE TABLE IF NOT EXISTS bench_turns (id bigserial PRIMARY KEY, data text)"
END: Final = b"event: end\ndata: \n\n"
_ROW: Final = "x" * 300
_PREPARE: Final = (
    "PREPARE ask (bigint) AS SELECT data FROM bench_turns WHERE id = $1;"
    "PREPARE store (text) AS INSERT INTO bench_turns (data) VALUES ($1)"
)
_TIMEOUT_SECONDS: Final = 5.0


def channel_of(turn_id: UUID) -> str:
    """Where a turn's messages go."""
    return f"floor-{turn_id.hex}"


def frame(size: int) -> bytes:
    """A message of about so many bytes."""
    return b"event: raw\ndata: %s\n\n" % (b"x" * size)


class Floor:
    """What each process has of it; connections are made where they are first used."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._free: deque[psycopg2.extensions.connection] = deque()
        self._redis = make_client(settings.pubsub_url, timeout_seconds=_TIMEOUT_SECONDS)

    def transaction(self, *, asks: int) -> None:
        """So many questions for one row, and a row that is stored."""
        with self._cursor() as cursor:
            begin = "BEGIN; "
            for _ in range(asks):
                cursor.execute(f"{begin}EXECUTE ask (1)")
                begin = ""
            cursor.execute(f"{begin}EXECUTE store (%s)", (_ROW,))
            cursor.execute("COMMIT")

    @contextmanager
    def _cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = psycopg2.connect(self._url)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_PREPARE)
        with connection.cursor() as cursor:
            yield cursor
        self._free.append(connection)

    def publish(self, turn_id: UUID, message: bytes) -> None:
        """Tell whoever watches."""
        self._redis.spublish(channel_of(turn_id), message)

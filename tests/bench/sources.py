"""What the relays are fed with: text of sessions for ours, whole frames for the raw one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from redis import Redis

from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, parse_id
from common.live import Live, live_channel
from common.live_frames import encode_text
from common.redis_client import Breaker, make_client
from common.storage import log
from common.storage.engine import Database
from tests.bench.site import Site

_WORDS = b" some more of the answer"
# As long as a frame of ours is around its text.
_PADDING = b"x" * 360
_TTL_SECONDS = 600


class Source(Protocol):
    """Publishes to each of its channels at once."""

    def publish(self) -> None: ...

    def close(self) -> None: ...


def _stamp() -> bytes:
    return b"@%d@" % time.monotonic_ns()


@dataclass(slots=True)
class _Text:
    session_id: UUID
    opener: int
    offset: int = 0

    def more(self) -> bytes:
        text = _stamp() + _WORDS
        frame = encode_text(self.opener, self.offset, text)
        self.offset += len(text)
        return frame


class SessionTexts:
    """An answer that is being written in each session, published as a worker's script does it.

    Without keeping the text as that does besides: what is measured is the relay.
    """

    def __init__(self, site: Site, session_ids: Sequence[str]) -> None:
        self._database = Database(site.postgres.url, pool_size=1, application="bench")
        self._redis = make_client(site.cache.url, timeout_seconds=5)
        self._live = Live(self._redis, Breaker(), text_ttl_seconds=_TTL_SECONDS)
        self._session_ids = [parse_id(Kind.SESSION, each) for each in session_ids]
        self._texts: list[_Text] = []

    def begin(self) -> None:
        """A new answer in each session."""
        self._texts = [_Text(each, self._open(each)) for each in self._session_ids]

    def publish(self) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for text in self._texts:
            pipeline.spublish(live_channel(text.session_id), text.more())
        pipeline.execute()

    def close(self) -> None:
        self._database.close()
        self._redis.close()

    def _open(self, session_id: UUID) -> int:
        draft = EventDraft(EventType.OUTPUT_STARTED, {"message_id": "bench", "iteration": 1})
        with self._database.transaction() as tx:
            head = log.look(tx, session_id)
            if head is None:
                raise LookupError(session_id)
            fence = log.Fence(head.epoch)
            head, events = log.append(tx, session_id, [draft], fence=fence)
        self._live.publish(session_id, events)
        return head.last_sequence


class RawFrames:
    """Frames that the raw relay sends as they are, on channels that ours does not listen to."""

    def __init__(self, redis: Redis, session_ids: Sequence[str]) -> None:
        self._redis = redis
        self._channels = [f"raw-{each}".encode() for each in session_ids]

    @classmethod
    def to(cls, site: Site, session_ids: Sequence[str]) -> RawFrames:
        return cls(make_client(site.cache.url, timeout_seconds=5), session_ids)

    def begin(self) -> None:
        """Nothing has to be opened."""

    def publish(self) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for channel in self._channels:
            frame = b"event: raw\ndata: %s%s%s\n\n" % (_PADDING, _stamp(), _WORDS)
            pipeline.spublish(channel, frame)
        pipeline.execute()

    def close(self) -> None:
        self._redis.close()

    @property
    def paths(self) -> list[str]:
        """Where subscribers find each channel."""
        return [f"/{channel.decode()}" for channel in self._channels]

"""The live side of a session in Redis: its channel and the text being streamed.

Every key and channel of ours is named here.  All names of a session share the hash
tag `{<session hex>}`, so a cluster keeps them together.

    everturn:{<session>}:live              channel; frames of `common.live_frames`
    everturn:{<session>}:text:<opener>     string; the text of one stream so far.
                                           Written by the worker; TTL on every push
    everturn:{<session>}:streams           hash; open streams a process, see
                                           `api.streaming.limits`.  TTL
    everturn:{<session>}:seen:<caller>     string; last answer delivered to a caller,
    everturn:{<session>}:left:<caller>     and on a stream of theirs since closed, see
                                           `api.streaming.start`.  TTL
    everturn:{<org>}:org-streams           hash; open streams a process.  TTL
    everturn:breaker:{<provider id>}       hash; how calls of a model provider went lately,
                                           see `worker.llm_breaker`; `common.provider_breakers`
                                           opens and closes it by hand.  TTL on every write
    everturn:rate:{<limit, whose>}[/-1]    strings; requests of this minute and of the last, see
                                           `api.rate_counts`.  TTL
    everturn:limits:…                      string; attempts to get in, see `api.login_limits`.  TTL
    everturn:control                       channel, to all processes; `cancel <turn hex>`,
                                           `look <worker hex>`: read your row now,
                                           `revoked <hex>`: ask anew about the key, login
                                           or user of this id

Whatever is lost here costs latency, never data: subscribers read the log again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Final
from uuid import UUID

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from common.event_codec import LoggedEvent
from common.live_frames import GONE, encode_events, encode_report, encode_text
from common.redis_client import Breaker

CONTROL_CHANNEL: Final = "everturn:control"
REVOKED: Final = "revoked"
RATES_PREFIX: Final = "everturn:rate"
LIMITS_PREFIX: Final = "everturn:limits"


def live_channel(session_id: UUID) -> str:
    return f"everturn:{{{session_id.hex}}}:live"


def text_key(session_id: UUID, opener: int) -> str:
    return f"everturn:{{{session_id.hex}}}:text:{opener}"


def streams_key(session_id: UUID) -> str:
    return f"everturn:{{{session_id.hex}}}:streams"


def organization_streams_key(organization_id: UUID) -> str:
    return f"everturn:{{{organization_id.hex}}}:org-streams"


def seen_key(session_id: UUID, caller: str) -> str:
    return f"everturn:{{{session_id.hex}}}:seen:{caller}"


def left_key(session_id: UUID, caller: str) -> str:
    return f"everturn:{{{session_id.hex}}}:left:{caller}"


def provider_breaker_key(provider_id: str) -> str:
    return f"everturn:breaker:{{{provider_id}}}"


# Appends a chunk and tells subscribers, or, when the text is not as long as the
# chunk's start, does nothing but return the length; so a repeat is harmless.
# The chunk comes once: what is published is put together here.
#   KEYS 1 text key, 2 channel   ARGV 1 start, 2 chunk, 3 TTL seconds, 4 frame without the chunk
_PUSH: Final = """
local length = redis.call('STRLEN', KEYS[1])
if length ~= tonumber(ARGV[1]) then return length end
redis.call('APPEND', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SPUBLISH', KEYS[2], ARGV[4] .. ARGV[2])
return -1
"""
_PUSHED: Final = -1


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of a text stream: UTF-8 bytes from `start` on, cut at code points."""

    session_id: UUID
    opener: int
    start: int
    text: bytes


class Live:
    """Publishes to subscribers.  Best effort: failures are logged, never raised."""

    def __init__(self, redis: Redis, breaker: Breaker, *, text_ttl_seconds: int) -> None:
        self._redis = redis
        self._breaker = breaker
        self._ttl = text_ttl_seconds
        self._push_sha = sha1(_PUSH.encode(), usedforsecurity=False).hexdigest()

    def publish(
        self, session_id: UUID, events: Sequence[LoggedEvent], *, tail: TextChunk | None = None
    ) -> None:
        """Tell subscribers of committed events, after the text that precedes them.

        One round trip.  A tail that does not fit is dropped: the event that completes
        its stream holds the whole text.
        """
        if not events:
            return
        self._breaker.attempt("publish", lambda: self._publish(session_id, events, tail))

    def _publish(
        self, session_id: UUID, events: Sequence[LoggedEvent], tail: TextChunk | None
    ) -> None:
        channel, frame = live_channel(session_id), encode_events(events)
        if tail is None:
            self._redis.spublish(channel, frame)
            return
        pipeline = self._redis.pipeline(transaction=False)
        self._queue_push(pipeline, tail)
        pipeline.spublish(channel, frame)
        pipeline.execute(raise_on_error=False)

    def report(self, session_id: UUID, kind: str, body: bytes) -> None:
        """Tell whoever is watching just now; see `common.event_codec.report_body`."""
        self._send(session_id, encode_report(kind, body))

    def publish_gone(self, session_id: UUID) -> None:
        """Tell subscribers that the session was deleted."""
        self._send(session_id, GONE)

    def cancel(self, turn_id: UUID) -> None:
        """Ask whichever worker has the turn to stop; the log has already taken it away."""
        message = f"cancel {turn_id.hex}"
        self._breaker.attempt("cancel", lambda: self._redis.publish(CONTROL_CHANNEL, message))

    def look(self, worker_id: UUID) -> None:
        """Let a worker read at once what is wanted of it; it would with its next heartbeat."""
        message = f"look {worker_id.hex}"
        self._breaker.attempt("look", lambda: self._redis.publish(CONTROL_CHANNEL, message))

    def revoke(self, revoked: UUID) -> None:
        """Let every process forget a key, a login or a user at once.

        Each asks PostgreSQL every two seconds anyway.
        """
        message = f"{REVOKED} {revoked.hex}"
        self._breaker.attempt("revoke", lambda: self._redis.publish(CONTROL_CHANNEL, message))

    def push_text(self, chunks: Sequence[TextChunk]) -> list[int | None] | None:
        """Append and publish chunks of different streams; one round trip for all.

        Returns for each chunk None when it went in, else how many bytes the stream
        has in Redis; None for the whole when Redis could not be reached.
        """
        return self._breaker.attempt("push_text", lambda: self._push_all(chunks))

    def _push_all(self, chunks: Sequence[TextChunk]) -> list[int | None]:
        try:
            lengths = self._run_pushes(chunks)
        except NoScriptError:
            # A Redis that was restarted; chunks that went in are known by their offset.
            self._redis.script_load(_PUSH)
            lengths = self._run_pushes(chunks)
        return [None if length == _PUSHED else length for length in lengths]

    def _run_pushes(self, chunks: Sequence[TextChunk]) -> list[int]:
        pipeline = self._redis.pipeline(transaction=False)
        for chunk in chunks:
            self._queue_push(pipeline, chunk)
        return [int(length) for length in pipeline.execute()]

    def _queue_push(self, pipeline: Pipeline, chunk: TextChunk) -> None:
        pipeline.evalsha(
            self._push_sha,
            2,
            text_key(chunk.session_id, chunk.opener),
            live_channel(chunk.session_id),
            chunk.start,
            chunk.text,
            self._ttl,
            encode_text(chunk.opener, chunk.start, b""),
        )

    def text_length(self, session_id: UUID, opener: int) -> int:
        """How many bytes of a stream Redis has; 0 when it has none or can't be asked."""
        length = self._breaker.attempt(
            "text_length", lambda: self._redis.strlen(text_key(session_id, opener))
        )
        return int(length or 0)

    def _send(self, session_id: UUID, frame: bytes) -> None:
        channel = live_channel(session_id)
        self._breaker.attempt("publish", lambda: self._redis.spublish(channel, frame))

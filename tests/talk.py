"""A caller of the public interface: what curl or any other HTTP client would send."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg2
from httpx_sse import EventSource, ServerSentEvent, connect_sse

from tests import plain_http
from tests import servers as test_servers
from tests.conditions import wait_until
from tests.servers import Servers
from tests.system import System, running

Json = dict[str, Any]


class Talk:
    """Calls to one server, with the headers of one caller."""

    def __init__(self, base_url: str, **headers: str) -> None:
        self.http = plain_http.client(base_url=base_url, headers=headers, timeout=30)
        self.patience_seconds = 12.0

    def call(self, method: str, path: str, *, expect: int, body: object = None) -> Any:
        """One request below /v1; returns the decoded body, None when there is none."""
        reply = self.http.request(method, f"/v1{path}", json=body)
        assert reply.status_code == expect, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def open_session(self, **body: object) -> str:
        session: Json = self.call("POST", "/sessions", body=body, expect=201)
        return str(session["id"])

    def say(
        self, session_id: str, words: str, *, llmsim: Json | None = None, **message: object
    ) -> Json:
        """Post a message; `llmsim` says how the simulated model is to answer it."""
        if llmsim is not None:
            message["controls"] = {"hints": {"llmsim": llmsim}}
        content = [{"type": "text", "text": words}]
        body = {"message": {"content": content, **message}}
        reply: Json = self.call("POST", f"/sessions/{session_id}/messages", body=body, expect=201)
        return reply

    def messages(self, session_id: str) -> list[Json]:
        listed: Json = self.call("GET", f"/sessions/{session_id}/messages", expect=200)
        return list(listed["data"])

    def log(self, session_id: str) -> list[Json]:
        """All events that are stored."""
        events: list[Json] = []
        while True:
            after = events[-1]["sequence"] if events else 0
            path = f"/sessions/{session_id}/events?after_sequence={after}&limit=1000"
            page: list[Json] = self.call("GET", path, expect=200)["data"]
            if not page:
                return events
            events += page

    def settle(self, session_id: str, *, turns: int = 1) -> list[Json]:
        """Wait until so many turns have ended and the session is idle; returns the log."""

        def is_settled() -> list[Json]:
            log = self.log(session_id)
            ended = sum(event["type"] in ENDINGS for event in log)
            return log if ended >= turns and log[-1]["type"] == "session.idled" else []

        return wait_until(is_settled, description=f"turn {turns} is over", timeout_seconds=20)

    @contextmanager
    def frames(
        self, session_id: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[ServerSentEvent]]:
        """A stream's frames after `connected`; the connection is cut at the end of the block.

        Heartbeats are rarer than the time-out, so a wait in vain fails instead of hanging.
        """
        with connect_sse(
            self.http,
            "GET",
            f"/v1/sessions/{session_id}/sse",
            headers=dict(headers or {}),
            params=dict(query),
            timeout=self.patience_seconds,
        ) as source:
            frames = _checked(source)
            assert next(frames).event == "connected"
            yield frames

    @contextmanager
    def watch(self, session_id: str, **query: str) -> Iterator[Iterator[Json]]:
        """A stream's events."""
        with self.frames(session_id, query) as frames:
            yield (json.loads(frame.data) for frame in frames if frame.event != "disconnecting")

    def close(self) -> None:
        self.http.close()


ENDINGS = ("turn.completed", "turn.failed", "turn.cancelled", "turn.sealed")


def _checked(source: EventSource) -> Iterator[ServerSentEvent]:
    if not source.response.is_success:
        source.response.read()
        raise AssertionError(f"{source.response.status_code} {source.response.text}")
    return source.iter_sse()


def until(events: Iterator[Json], *kinds: str) -> list[Json]:
    """Read up to and including the first event of a kind."""
    seen: list[Json] = []
    for event in events:
        seen.append(event)
        if event["type"] in kinds:
            return seen
    raise AssertionError(f"the stream ended without {kinds}: {types_of(seen)}")


def types_of(events: list[Json], *, with_deltas: bool = False) -> list[str]:
    kinds = [str(event["type"]) for event in events]
    return [kind for kind in kinds if with_deltas or kind != "output.message.delta"]


def text_of(event: Json) -> str:
    """The first text of the message in an event."""
    content = event["data"]["message"]["content"]
    return str(content[0]["text"])


def streamed_text(events: list[Json]) -> str:
    return "".join(e["data"]["delta"] for e in events if e["type"] == "output.message.delta")


def sequences_of(events: list[Json]) -> list[int]:
    return [event["sequence"] for event in events if "sequence" in event]


class Reader:
    """Another reader, whose stream is open all the time."""

    def __init__(self, talk: Talk, session_id: str, **query: str) -> None:
        self.session_id = session_id
        self.events: list[Json] = []
        self._thread = Thread(target=self._read, args=(talk, session_id, query), daemon=True)
        self._is_open = False
        self._thread.start()
        wait_until(lambda: self._is_open, description="the other reader's stream is open")

    def has_seen(self, sequence: int) -> bool:
        return bool(self.events) and sequence in sequences_of(self.events[-50:])

    def join(self) -> None:
        """Wait for the end of the stream, which comes when its session is deleted."""
        self._thread.join(20)
        assert not self._thread.is_alive(), "the stream of a deleted session is still open"

    def _read(self, talk: Talk, session_id: str, query: Mapping[str, str]) -> None:
        with talk.watch(session_id, **query) as events:
            self._is_open = True
            for event in events:
                self.events.append(event)


@contextmanager
def system_of_its_own(
    servers: Servers, directory: Path, settings: Mapping[str, str] | None = None
) -> Iterator[System]:
    """All processes on a database and a Redis that no other test uses."""
    database = servers.create_database()
    redis = test_servers.claim_redis_database(servers.redis_url, servers.run_name)
    with running(database, redis, directory, settings=settings) as system:
        yield system
    servers.drop_database(database)


Simulate = Callable[..., None]


@contextmanager
def simulated_model(system: System) -> Iterator[Simulate]:
    """Say how the default model behaves until the block ends."""

    def simulate(**settings: object) -> None:
        url = system.environment["DATABASE_URL"]
        with closing(psycopg2.connect(url)) as database, database, database.cursor() as cursor:
            cursor.execute("UPDATE models SET settings = %s", [json.dumps(settings)])

    try:
        yield simulate
    finally:
        simulate()

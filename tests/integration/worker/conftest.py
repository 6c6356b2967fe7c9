"""A worker in this process on real servers, and a session to talk to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.event_codec import LoggedEvent
from common.redis_client import Breaker
from common.settings import Settings
from common.storage import log, turns
from common.storage.engine import Database
from common.turn_queue import TurnQueue
from tests.fakes.live import RecordingLive
from worker.bootstrap import Worker
from worker.capabilities.capability import Capability
from worker.sweeper import Sweeper


@dataclass
class World:
    """PostgreSQL and Redis with one session, seen from outside the worker."""

    settings: Settings
    database: Database
    session_id: UUID
    workers: list[Worker]

    def worker(self, capabilities: Mapping[str, Capability] | None = None) -> Worker:
        worker = Worker(self.settings, capabilities=capabilities)
        worker.start()
        self.workers.append(worker)
        return worker

    def post(self, words: str, **controls: Any) -> UUID:
        """Store a user message as the API does; returns the open turn."""
        return self.post_parts([{"type": "text", "text": words}], **controls)

    def post_parts(self, parts: list[dict[str, Any]], **controls: Any) -> UUID:
        """As `post`, with content of any kind."""
        turn_id = new_id()
        message = {
            "id": str(new_id()),
            "role": "user",
            "content": parts,
            "controls": controls,
        }
        draft = EventDraft(EventType.INPUT_MESSAGE, {"message": message})
        with self.database.transaction() as tx:
            stored = log.append_input(
                tx, DEFAULT_ORGANIZATION, self.session_id, draft, turn_id=turn_id
            )
            assert stored is not None
            head, _ = stored
        assert head.open_turn_id is not None
        return head.open_turn_id

    def say(self, words: str, **llmsim: Any) -> UUID:
        """Post a message that also says how the simulated model is to answer it."""
        return self.post(words, hints={"llmsim": llmsim})

    def grant(self, *refs: str, **session: Any) -> None:
        """Give the session capabilities and other configuration."""
        columns = {"max_iterations": None, "parallel_tool_calls": None, "model_id": None}
        with self.database.transaction() as tx:
            tx.execute(
                text(
                    "UPDATE sessions SET capabilities = CAST(:granted AS jsonb),"
                    " max_iterations = :max_iterations, model_id = :model_id,"
                    " parallel_tool_calls = :parallel_tool_calls WHERE id = :id"
                ),
                {
                    "granted": "["
                    + ",".join(f'{{"ref":"{ref}","config":{{}}}}' for ref in refs)
                    + "]",
                    "id": self.session_id,
                    **columns,
                    **session,
                },
            )

    def events(self) -> list[LoggedEvent]:
        """The log; waits for a database that is just coming back."""
        while True:
            try:
                with self.database.reading() as tx:
                    return list(log.read_all(tx, self.session_id, 0))
            except OperationalError:
                self.database.engine.dispose()

    def types(self, after: int = 0) -> list[str]:
        return [event.type for event in self.events() if event.sequence > after]

    def answers(self) -> list[str]:
        return [
            "".join(part.get("text", "") for part in event.data["message"]["content"])
            for event in self.events()
            if event.type == EventType.OUTPUT_COMPLETED
        ]

    def row(self, statement: str, **values: Any) -> Any:
        with self.database.reading() as tx:
            return tx.execute(text(statement), {"s": self.session_id, **values}).one()

    def expire_leases(self) -> None:
        """As if the holders had been silent for a lease, and a sweeper looked."""
        with self.database.transaction() as tx:
            tx.execute(text("UPDATE turns SET lease_until = now() - interval '1 s'"))
            turns.requeue_expired(tx, limit=10)

    def sweeper(self) -> Sweeper:
        return Sweeper(
            self.settings, self.database, TurnQueue(self.settings, Breaker()), RecordingLive()
        )


def new_session(database: Database) -> UUID:
    """One that nobody has said anything in."""
    session_id = new_id()
    with database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                " owner_principal_id) VALUES (:s, :o, :h, :s, :o)"
            ),
            {"s": session_id, "o": DEFAULT_ORGANIZATION, "h": GENERIC_HARNESS},
        )
        tx.execute(text("INSERT INTO session_heads (session_id) VALUES (:s)"), {"s": session_id})
    return session_id


@contextmanager
def make_world(database_url: str, redis_url: str, directory: Path) -> Iterator[World]:
    """A session in a migrated database, and whatever workers a test asks for."""
    settings = Settings.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DEPLOYMENT_GRADE": "dev",
            "DEFAULT_MODEL": "llmsim",
            "STORAGE_DIRECTORY": str(directory),
        }
    )
    database = Database(database_url, pool_size=5, application="tests")
    world = World(settings, database, new_session(database), [])
    try:
        yield world
    finally:
        for worker in world.workers:
            worker.stop()
        database.close()


@pytest.fixture
def world(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with make_world(database_url, redis_url, tmp_path) as made:
        yield made


def in_background(worker: Worker, turn_id: UUID) -> Thread:
    """Run a turn on another thread, as Celery does."""
    thread = Thread(target=worker.run, args=(turn_id,), daemon=True)
    thread.start()
    return thread

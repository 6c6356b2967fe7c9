"""One organization floods a real worker with turns while another asks for a single one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import GENERIC_HARNESS
from common.redis_client import Breaker
from common.settings import Settings
from common.storage import log
from common.storage.engine import Database
from common.turn_queue import TurnQueue
from tests.conditions import wait_until
from tests.system import System, running

_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a turn waited for a worker.

    Attributes:
        overtaken_by: turns of others that a worker began to run meanwhile.
    """

    seconds: float
    overtaken_by: int


@dataclass(frozen=True, slots=True)
class Flood:
    """A worker, and the rows that the api would have written."""

    system: System
    database: Database
    queue: TurnQueue

    def organization(self) -> UUID:
        organization_id = new_id()
        self._run("INSERT INTO organizations (id, name) VALUES (:id, 'A test')", id=organization_id)
        return organization_id

    def post(self, organization_id: UUID, count: int = 1) -> list[UUID]:
        """So many messages, each in a session of its own; returns their turns."""
        return [self._post(organization_id, self._session(organization_id)) for _ in range(count)]

    def started(self, organization_id: UUID) -> int:
        """How many of an organization's turns a worker has begun."""
        return self._number(
            "SELECT count(*) FROM turns WHERE organization_id = :id AND started_at IS NOT NULL",
            id=organization_id,
        )

    def wait_for_start(self, organization_id: UUID, count: int) -> None:
        wait_until(
            lambda: self.started(organization_id) >= count,
            description=f"{count} turns have begun",
            timeout_seconds=_PATIENCE_SECONDS,
        )

    def wait_for_all(self) -> None:
        wait_until(
            lambda: self._number("SELECT count(*) FROM turns WHERE ended_at IS NULL") == 0,
            description="every turn is over",
            timeout_seconds=_PATIENCE_SECONDS,
        )

    def delay_of(self, turn_id: UUID) -> Delay:
        with self.database.reading() as tx:
            row = tx.execute(
                text(
                    "SELECT extract(epoch FROM t.started_at - t.created_at)::float AS seconds,"
                    " (SELECT count(*) FROM turns o WHERE o.organization_id <> t.organization_id"
                    " AND o.started_at > t.created_at AND o.started_at < t.started_at) AS turns"
                    " FROM turns t WHERE t.id = :id"
                ),
                {"id": turn_id},
            ).one()
        return Delay(row.seconds, row.turns)

    def not_completed(self) -> int:
        return self._number("SELECT count(*) FROM turns WHERE status <> 'completed'")

    def _session(self, organization_id: UUID) -> UUID:
        session_id = new_id()
        self._run(
            "WITH made AS (INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
            " owner_principal_id) VALUES (:id, :o, :h, :id, :o) RETURNING id)"
            " INSERT INTO session_heads (session_id) SELECT id FROM made",
            id=session_id,
            o=organization_id,
            h=GENERIC_HARNESS,
        )
        return session_id

    def _post(self, organization_id: UUID, session_id: UUID) -> UUID:
        turn_id = new_id()
        said = {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
        draft = EventDraft(EventType.INPUT_MESSAGE, {"message": {"id": str(new_id()), **said}})
        with self.database.transaction() as tx:
            assert log.append_input(tx, organization_id, session_id, draft, turn_id=turn_id)
        assert self.queue.send(turn_id)
        return turn_id

    def _run(self, sql: str, **values: object) -> None:
        with self.database.transaction() as tx:
            tx.execute(text(sql), values)

    def _number(self, sql: str, **values: object) -> int:
        with self.database.reading() as tx:
            return int(tx.execute(text(sql), values).scalar_one())


@contextmanager
def flooded(
    database_url: str, redis_url: str, directory: Path, *, threads: int, turn_milliseconds: int
) -> Iterator[Flood]:
    """A worker of so many threads whose turns take so long."""
    made = {
        "WORKER_THREADS": str(threads),
        "LLMSIM": f'{{"first_token_delay_ms": {turn_milliseconds}}}',
    }
    database = Database(database_url, pool_size=2, application="flood")
    parts = ("worker", "sweeper")
    try:
        with running(database_url, redis_url, directory, parts=parts, settings=made) as system:
            queue = TurnQueue(Settings.from_env(system.environment), Breaker())
            yield Flood(system, database, queue)
    finally:
        database.close()

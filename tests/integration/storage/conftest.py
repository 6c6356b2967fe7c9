"""A database of the test's own, with the rows that a session needs."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import DEFAULT_ORGANIZATION, GENERIC_HARNESS
from common.domain.turn import Claim
from common.event_codec import LoggedEvent
from common.storage import log, turns
from common.storage.engine import Database
from tests.conditions import wait_until

T = TypeVar("T")


def user_message(words: str = "hello") -> EventDraft:
    message = {
        "id": str(new_id()),
        "role": "user",
        "content": [{"type": "text", "text": words}],
    }
    return EventDraft(EventType.INPUT_MESSAGE, {"message": message})


def some_events(count: int) -> list[EventDraft]:
    return [EventDraft(EventType.REASON_STARTED, {"n": n}) for n in range(count)]


@dataclass(frozen=True)
class Rows:
    """Makes and reads rows as several processes would, each statement on its own."""

    database: Database
    threads: ThreadPoolExecutor

    def session(self, organization_id: UUID = DEFAULT_ORGANIZATION) -> UUID:
        session_id = new_id()
        with self.database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO sessions (id, organization_id, harness_id, workspace_id,"
                    " owner_principal_id) VALUES (:id, :organization_id, :harness_id, :id, :id)"
                ),
                {
                    "id": session_id,
                    "organization_id": organization_id,
                    "harness_id": GENERIC_HARNESS,
                },
            )
            tx.execute(
                text("INSERT INTO session_heads (session_id) VALUES (:id)"), {"id": session_id}
            )
        return session_id

    def organization(self) -> UUID:
        organization_id = new_id()
        self.run("INSERT INTO organizations (id, name) VALUES (:id, 'Other')", id=organization_id)
        return organization_id

    def post(
        self,
        session_id: UUID,
        words: str = "hello",
        *,
        organization_id: UUID = DEFAULT_ORGANIZATION,
    ) -> UUID:
        """Store a user message and open a turn for it unless one is open; returns that turn."""
        turn_id = new_id()
        with self.database.transaction() as tx:
            stored = log.append_input(
                tx, organization_id, session_id, user_message(words), turn_id=turn_id
            )
            assert stored is not None
            head, _ = stored
            assert head.open_turn_id is not None
            return head.open_turn_id

    def claim(self, turn_id: UUID, *, owner: str = "w", lease_seconds: float = 15) -> Claim | None:
        with self.database.transaction() as tx:
            return turns.claim(tx, turn_id, owner=owner, lease_seconds=lease_seconds)

    def claimed(self, session_id: UUID, *, lease_seconds: float = 15) -> Claim:
        """A new turn of the session, held by a worker."""
        claim = self.claim(self.post(session_id), lease_seconds=lease_seconds)
        assert claim is not None
        return claim

    def append(
        self,
        session_id: UUID,
        drafts: list[EventDraft],
        *,
        epoch: int = 0,
        last_input: int | None = None,
        change: log.HeadChange | None = None,
    ) -> list[LoggedEvent]:
        with self.database.transaction() as tx:
            _, stored = log.append(
                tx,
                session_id,
                drafts,
                fence=log.Fence(epoch, last_input),
                change=change or log.HeadChange(),
            )
        return stored

    def events(self, session_id: UUID) -> list[LoggedEvent]:
        with self.database.reading() as tx:
            return list(log.read_all(tx, session_id, 0))

    def head(self, session_id: UUID) -> dict[str, Any]:
        (row,) = self.all("SELECT * FROM session_heads WHERE session_id = :id", id=session_id)
        return row

    def turn(self, turn_id: UUID) -> dict[str, Any]:
        (row,) = self.all(
            "SELECT *, extract(epoch FROM available_at - clock_timestamp())::float AS due_in,"
            " extract(epoch FROM lease_until - clock_timestamp())::float AS lease_left"
            " FROM turns WHERE id = :id",
            id=turn_id,
        )
        return row

    def all(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.database.reading() as tx:
            return [dict(row._mapping) for row in tx.execute(text(sql), values)]

    def run(self, sql: str, **values: Any) -> None:
        with self.database.transaction() as tx:
            tx.execute(text(sql), values)

    def at_once(self, *actions: Callable[[], T]) -> list[Future[T]]:
        """Start them all on threads of their own."""
        return [self.threads.submit(action) for action in actions]

    def wait_for_blocked(self, count: int = 1) -> None:
        """Wait until so many connections wait for a lock that another one holds."""
        wait_until(
            lambda: (
                self.all(
                    "SELECT count(*) AS blocked FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )[0]["blocked"]
                >= count
            ),
            description=f"{count} connections wait for a lock",
        )


@pytest.fixture
def rows(shared_database_url: str) -> Iterator[Rows]:
    """Empty tables; emptying them takes a fraction of what a new database takes."""
    database = Database(shared_database_url, pool_size=24, application="test")
    with ThreadPoolExecutor(24) as threads:
        made = Rows(database, threads)
        made.run("TRUNCATE sessions, events, idempotency_keys CASCADE")
        yield made
    database.close()

"""What a posted message costs, and what it survives (I1, I12)."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.bootstrap import build
from api.deps import Deps
from common.settings import Settings
from common.storage.engine import Database, Tx
from dev.valkey import Valkey
from tests import servers
from tests.contract.api import worker
from tests.contract.api.client import Api, Document, saying
from tests.fakes.turn_queue import RecordingQueue
from tests.statements import heard

MOST_STATEMENTS = 4


class Counted:
    """What a database was asked for."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.commits = 0
        self.rollbacks = 0


@contextmanager
def counting(database: Database) -> Iterator[Counted]:
    counted = Counted()

    def on_statement(statement: str, _values: Any) -> None:
        if not statement.startswith("PREPARE "):  # as a connection does once
            counted.statements.append(statement)

    def on_commit(_connection: Any) -> None:
        counted.commits += 1

    def on_rollback(_connection: Any) -> None:
        counted.rollbacks += 1

    hooks = (
        ("commit", on_commit),
        ("rollback", on_rollback),
    )
    for name, hook in hooks:
        event.listen(database.engine, name, hook)
    try:
        with heard(database.engine, on_statement):
            yield counted
    finally:
        for name, hook in hooks:
            event.remove(database.engine, name, hook)


@pytest.mark.parametrize(
    ("key", "is_first", "statements"),
    [(None, True, 1), (None, False, 1), ("k", True, 3), ("k", False, 3)],
)
def test_a_message_costs_one_transaction_and_few_statements(
    api: Api, database: Database, key: str | None, *, is_first: bool, statements: int
) -> None:
    session = api.session()
    if not is_first:
        api.message(session["id"])
    caller = api if key is None else api.with_headers(Idempotency_Key=key)
    path = f"/v1/sessions/{session['id']}/messages"

    with counting(database) as counted:
        assert caller.post(path, saying("Hello")).status == 201

    assert len(counted.statements) == statements <= MOST_STATEMENTS, counted.statements
    assert (counted.commits, counted.rollbacks) == (1, 0)


class LosesTheCommit(Database):
    """Loses its connection in a commit that was made, or that was not."""

    def __init__(self, url: str, *, is_made: bool, losses: int = 1) -> None:
        super().__init__(url, pool_size=4, application="everturn test")
        self.is_made = is_made
        # One list, whoever has taken a view of the database for an organization.
        self._left = [losses]

    @property
    def losses(self) -> int:
        return self._left[0]

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        lost = self.losses > 0
        self._left[0] -= 1
        error = OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)
        with super().transaction() as tx:
            yield tx
            if lost and not self.is_made:
                raise error
        if lost:
            raise error


Loser = Callable[..., Api]


@pytest.fixture
def losing(deps: Deps, api: Api, shared_database_url: str, document: Document) -> Iterator[Loser]:
    """Makes the same caller on a database that is about to lose a commit."""
    with ExitStack() as stack:

        def make(*, is_made: bool, losses: int = 1) -> Api:
            database = LosesTheCommit(shared_database_url, is_made=is_made, losses=losses)
            stack.callback(database.close)
            app = create_app(replace(deps, database=database))
            return Api(app, api.headers, document)

        yield make


def test_a_message_whose_commit_was_lost_sight_of_is_looked_for(
    api: Api, queue: RecordingQueue, losing: Loser
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    caller = losing(is_made=True)

    reply = caller.post(path, saying("Hello"))

    assert reply.status == 201
    assert api.get(path).body["data"] == [reply.body]
    assert len(queue.sent) == 1


@pytest.mark.parametrize("key", [None, "k"])
def test_a_message_that_was_not_committed_is_refused_and_can_be_sent_again(
    api: Api, queue: RecordingQueue, losing: Loser, key: str | None
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    headers = {} if key is None else {"Idempotency-Key": key}
    caller = losing(is_made=False, losses=2)

    refused = caller.post(path, saying("Hello"), headers=headers)
    again = caller.post(path, saying("Hello"), headers=headers)

    assert (refused.status, refused.body["code"]) == (503, "unavailable")
    assert again.status == 201
    assert api.get(path).body["total"] == 1
    assert len(queue.sent) == 1


def test_a_message_that_was_certainly_not_stored_is_stored_at_the_second_try(
    api: Api, queue: RecordingQueue, losing: Loser
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    reply = losing(is_made=False).post(path, saying("Hello"))

    assert reply.status == 201
    assert api.get(path).body["data"] == [reply.body]
    assert len(queue.sent) == 1


def test_a_message_of_unknown_fate_is_not_stored_twice(
    deps: Deps, api: Api, shared_database_url: str, document: Document
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    class Unreachable(LosesTheCommit):
        @contextmanager
        def transaction(self) -> Iterator[Tx]:
            if self.losses == 1:
                with super().transaction() as tx:
                    yield tx
            raise OperationalError("connect", {}, Exception("gone"))

    lost = Unreachable(shared_database_url, is_made=True)
    caller = Api(create_app(replace(deps, database=lost)), api.headers, document)

    assert caller.post(path, saying("Hello")).status == 503
    assert api.get(path).body["total"] == 1
    lost.close()


def test_another_writer_in_the_lost_ones_place_is_not_taken_for_it(
    deps: Deps, api: Api, database: Database, shared_database_url: str, document: Document
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    class Overtaken(LosesTheCommit):
        @contextmanager
        def transaction(self) -> Iterator[Tx]:
            try:
                with super().transaction() as tx:
                    yield tx
            except OperationalError:
                worker.write(database, session["id"], worker.answer("mine"))
                raise

    losing = Overtaken(shared_database_url, is_made=False, losses=2)
    caller = Api(create_app(replace(deps, database=losing)), api.headers, document)

    assert caller.post(path, saying("Hello")).status == 503
    losing.close()


@pytest.fixture
def without_redis(shared_database_url: str, own_redis: Valkey, document: Document) -> Iterator[Api]:
    deps = build(
        Settings.from_env({"DATABASE_URL": shared_database_url, "REDIS_URL": own_redis.url})
    )
    yield Api(create_app(deps), {}, document)
    # Their threads would go on, and log that the database is gone into others' tests.
    for thread in (deps.trail, deps.pressure):
        assert thread is not None
        thread.close()
    deps.database.close()


@pytest.mark.parametrize("how", ["stopped", "frozen"])
def test_a_message_is_accepted_at_once_without_redis(
    without_redis: Api, own_redis: Valkey, how: str
) -> None:
    session = without_redis.session()
    without_redis.message(session["id"])
    assert without_redis.get("/health/ready").status == 200
    (servers.kill if how == "stopped" else servers.freeze)(own_redis)

    seconds = []
    for _ in range(3):
        started = time.monotonic()
        without_redis.message(without_redis.session()["id"])
        seconds.append(time.monotonic() - started)

    assert max(seconds) < 1.0
    not_ready = without_redis.app.test_client().get("/health/ready")
    assert not_ready.status_code == 503
    assert not_ready.json is not None
    assert not_ready.json["dependencies"] == {"database": "up", "redis": "down"}

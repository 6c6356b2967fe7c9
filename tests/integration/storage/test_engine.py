import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from common.storage.engine import Database, driver_url, is_passing_outage, sqlstate
from dev.services import free_test_port
from tests.conditions import wait_until
from tests.integration.storage.conftest import Rows

_PID = text("SELECT pg_backend_pid()")
_SECRET = "the user's own words"  # noqa: S105 - stands for content


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url, pool_size=1, application="test")
    yield database
    database.close()


def _failure_of(rows: Rows, sql: str, **values: object) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as failed, rows.database.transaction() as tx:
        tx.execute(text(sql), values)
    return failed.value


def _be_cut_in_a_transaction(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        pid = tx.execute(_PID).scalar_one()
        rows.run("SELECT pg_terminate_backend(:pid)", pid=pid)
        tx.execute(_PID)


def _be_silent_in_a_transaction(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        pid = tx.execute(_PID).scalar_one()
        tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
        wait_until(
            lambda: not rows.all("SELECT 1 AS one FROM pg_stat_activity WHERE pid = :pid", pid=pid),
            description="PostgreSQL ends it",
        )
        tx.execute(_PID)


def test_a_connection_that_was_cut_is_an_outage_that_passes(rows: Rows) -> None:
    with pytest.raises(SQLAlchemyError) as failed:
        _be_cut_in_a_transaction(rows)
    assert is_passing_outage(failed.value)
    rows.database.ping()


def test_a_connection_that_was_cut_while_it_lay_in_the_pool_is_one_too(
    rows: Rows, shared_database_url: str
) -> None:
    with _opened(shared_database_url) as database:
        with database.reading() as tx:
            pid = tx.execute(_PID).scalar_one()
        rows.run("SELECT pg_terminate_backend(:pid)", pid=pid)
        with pytest.raises(SQLAlchemyError) as failed:
            database.ping()
        assert is_passing_outage(failed.value)
        database.ping()


def test_a_transaction_that_is_silent_gives_its_locks_back(rows: Rows) -> None:
    """As of a worker that is frozen: before its lease is over, or nobody could take its turns."""
    with rows.database.reading() as tx:
        shown = tx.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    assert shown == "10s"

    with pytest.raises(SQLAlchemyError) as failed:
        _be_silent_in_a_transaction(rows)
    assert is_passing_outage(failed.value)
    rows.database.ping()


def test_a_server_that_is_not_there_is_an_outage_that_passes() -> None:
    free = free_test_port()
    with (
        _opened(f"postgresql://nobody@127.0.0.1:{free}/x") as database,
        pytest.raises(SQLAlchemyError) as failed,
    ):
        database.ping()
    assert is_passing_outage(failed.value)


def test_a_pool_that_is_used_up_is_an_outage_that_passes(shared_database_url: str) -> None:
    with _opened(shared_database_url) as database:
        database.engine.pool._timeout = 0.01  # type: ignore[attr-defined] # QueuePool has it
        with (
            database.reading(),
            pytest.raises(PoolTimeout) as failed,
            database.reading(),
        ):
            pass
    assert is_passing_outage(failed.value)


def test_waiting_too_long_for_a_lock_is_an_outage_that_passes(rows: Rows) -> None:
    session_id = rows.session()
    locking = "SELECT 1 FROM sessions WHERE id = :id FOR UPDATE"
    with rows.database.transaction() as tx:
        tx.execute(text(locking), {"id": session_id})
        with pytest.raises(SQLAlchemyError) as failed:
            rows.run(f"SET LOCAL lock_timeout = 20; {locking}", id=session_id)
    assert sqlstate(failed.value) == "55P03"
    assert is_passing_outage(failed.value)


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT 1 / 0", "22012"),
        ("SELECT * FROM no_such_table", "42P01"),
        ("INSERT INTO organizations (id, name) SELECT id, name FROM organizations", "23505"),
        ('SELECT CAST(\'{"a": "\\u0000"}\' AS jsonb)', "22P05"),
    ],
)
def test_a_mistake_of_ours_does_not_pass(rows: Rows, sql: str, state: str) -> None:
    failure = _failure_of(rows, sql)
    assert sqlstate(failure) == state
    assert not is_passing_outage(failure)


def test_no_error_shows_what_was_to_be_stored(rows: Rows) -> None:
    failure = _failure_of(rows, "SELECT CAST(:words AS text) || 1 / 0", words=_SECRET)
    assert _SECRET not in str(failure)
    assert _SECRET not in repr(failure)


def _fail_after_an_insert(rows: Rows) -> None:
    with rows.database.transaction() as tx:
        tx.execute(text("INSERT INTO turn_configs SELECT id, 'h', '{}' FROM organizations"))
        tx.execute(text("SELECT 1 / 0"))


def test_a_transaction_is_all_or_nothing(rows: Rows) -> None:
    with pytest.raises(DBAPIError):
        _fail_after_an_insert(rows)
    assert rows.all("SELECT 1 FROM turn_configs") == []


def test_a_read_pays_for_no_transaction(rows: Rows) -> None:
    own = text("SELECT xact_start = query_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    with rows.database.reading() as tx:
        states = [tx.execute(own).scalar_one() for _ in range(2)]
    assert states == [True, True], "each statement is a transaction of its own"


def test_every_connection_gives_up_in_time_and_says_who_it_is(shared_database_url: str) -> None:
    with _opened(shared_database_url) as database, database.reading() as tx:
        shown = {
            name: tx.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "TimeZone", "application_name", "tcp_user_timeout")
        }
        given: list[dict[str, object]] = []
        sqlalchemy_event.listen(
            database.engine, "do_connect", lambda _d, _r, _a, options: given.append(options)
        )
        database.engine.pool.dispose()
        database.close()
        database.ping()
    assert shown["statement_timeout"] == "30s"
    assert (shown["TimeZone"], shown["application_name"]) == ("UTC", "test")
    assert given[0]["connect_timeout"] == 5
    assert given[0]["tcp_user_timeout"] == 10_000
    assert given[0]["keepalives"] == 1


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"]
)
def test_an_address_may_come_with_any_of_the_usual_schemes(
    shared_database_url: str, scheme: str
) -> None:
    url = urlunsplit(urlsplit(shared_database_url)._replace(scheme=scheme))
    assert driver_url(url).startswith("postgresql+psycopg2://")
    with _opened(url) as database:
        database.ping()

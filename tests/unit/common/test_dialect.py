"""Where a transaction begins and ends, as far as the server is told."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

from common.storage.dialect import READING, WHOSE, OneTripDialect, Whose


class Connection:
    """The driver's, which notes what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def get_transaction_status(self) -> int:
        begun = any(each.startswith("BEGIN") for each in self.said)
        return TRANSACTION_STATUS_INTRANS if begun else TRANSACTION_STATUS_IDLE

    def cursor(self) -> Any:
        return Cursor(self)


class Cursor:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, _values: object = None) -> None:
        self.connection.said.append(statement)

    def executemany(self, statement: str, _values: object) -> None:
        self.connection.said.append(statement)


def made() -> tuple[OneTripDialect, Connection]:
    return OneTripDialect(), Connection()  # type: ignore[no-untyped-call]  # SQLAlchemy's


def context(**options: object) -> Any:
    return SimpleNamespace(execution_options=options)


def test_a_transaction_begins_with_its_first_statement() -> None:
    dialect, connection = made()
    for number in (1, 2):
        dialect.do_execute(connection.cursor(), f"SELECT {number}", (), context())
    dialect.do_commit(connection)

    assert connection.said == ["BEGIN; SELECT 1", "SELECT 2", "COMMIT"]


def test_many_sets_of_values_begin_it_once() -> None:
    dialect, connection = made()
    dialect.do_executemany(connection.cursor(), "INSERT", [(1,), (2,)], context())

    assert connection.said == ["BEGIN; ", "INSERT"]


def test_for_whom_is_said_once_a_transaction_and_where_it_changes() -> None:
    dialect, connection = made()
    ours = f"SET LOCAL everturn.organization = '{UUID(int=1)}'; "
    options = context()
    dialect.do_execute(connection.cursor(), "SELECT 1", (), options)
    options.execution_options[WHOSE] = Whose(UUID(int=1))
    for number in (2, 3):
        dialect.do_execute(connection.cursor(), f"SELECT {number}", (), options)

    assert connection.said == ["BEGIN; SELECT 1", f"{ours}SELECT 2", "SELECT 3"]


def test_for_whom_is_said_before_each_statement_of_its_own() -> None:
    dialect, connection = made()
    ours = f"SET LOCAL everturn.organization = '{UUID(int=1)}'; "
    options = context(**{READING: True, WHOSE: Whose(UUID(int=1))})
    for number in (1, 2):
        dialect.do_execute(connection.cursor(), f"SELECT {number}", (), options)

    assert connection.said == [f"{ours}SELECT 1", f"{ours}SELECT 2"]


@pytest.mark.parametrize("end", ["do_commit", "do_rollback"])
def test_what_only_reads_begins_and_ends_nothing(end: str) -> None:
    dialect, connection = made()
    dialect.do_execute(connection.cursor(), "SELECT 1", (), context(**{READING: True}))
    getattr(dialect, end)(connection)

    assert connection.said == ["SELECT 1"]

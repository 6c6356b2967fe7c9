"""PostgreSQL by psycopg2: what is said in front of a transaction's first statement.

The driver sends BEGIN by itself and waits for the answer: of the round trips that a message or
a turn takes that is every fifth.  So its own transactions are off, and begin, commit and
rollback are said here.  For whom a transaction is goes the same way: whose rows there are
(migration 0018), so that a query that forgets its predicate still sees no other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

DRIVER: Final = "postgresql+everturn"
# Options of connections.  Statements are transactions of their own:
READING: Final = "everturn_reading"
# And `Whose` rows they see:
WHOSE: Final = "everturn_whose"


@dataclass(slots=True)
class Whose:
    """Whose rows a connection's statements see, and whether PostgreSQL knows yet."""

    organization_id: UUID
    is_said: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What the dialect has to know of a statement that SQLAlchemy does not run."""

    execution_options: Mapping[str, Any]


class OneTripDialect(PGDialect_psycopg2):
    """For connections in the driver's autocommit mode."""

    supports_statement_cache = True

    def do_execute(
        self, cursor: Any, statement: str, parameters: Any, context: Any | None = None
    ) -> None:
        """Run a statement, as the first of a transaction if need be."""
        cursor.execute(_beginning(cursor, context) + statement, parameters)
        _note_said(context)

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Any, context: Any | None = None
    ) -> None:
        """Run it for each set of parameters, all in one transaction."""
        if beginning := _beginning(cursor, context):
            cursor.execute(beginning)
            _note_said(context)
        super().do_executemany(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]  # left bare there

    def do_commit(self, dbapi_connection: Any) -> None:
        """Commit what was begun, if anything was."""
        _end(dbapi_connection, "COMMIT")

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Take back what was begun, if anything was."""
        _end(dbapi_connection, "ROLLBACK")


def _beginning(cursor: Any, context: Any | None) -> str:
    """What PostgreSQL has to be told in front of a statement."""
    options = _options(context)
    is_first = cursor.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
    begin = "BEGIN; " if is_first and not options.get(READING) else ""
    whose: Whose | None = options.get(WHOSE)
    if whose is None or (whose.is_said and not is_first):
        return begin
    # A UUID, so there is nothing in it to quote.  It ends with the transaction.
    return f"{begin}SET LOCAL everturn.organization = '{whose.organization_id}'; "


def _note_said(context: Any | None) -> None:
    """Take it for said only now: what the driver refuses is never sent."""
    whose: Whose | None = _options(context).get(WHOSE)
    if whose is not None:
        whose.is_said = True


def _options(context: Any | None) -> Mapping[str, Any]:
    return {} if context is None else context.execution_options


def _end(dbapi_connection: Any, how: str) -> None:
    if dbapi_connection.get_transaction_status() != TRANSACTION_STATUS_IDLE:
        with dbapi_connection.cursor() as cursor:
            cursor.execute(how)


registry.register("postgresql.everturn", __name__, OneTripDialect.__name__)

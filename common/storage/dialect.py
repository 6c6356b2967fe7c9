"""PostgreSQL by psycopg2, a transaction begun in the round trip of its first statement.

The driver sends BEGIN by itself and waits for the answer: of the round trips that a message or
a turn takes that is every fifth.  So its own transactions are off, and begin, commit and
rollback are said here.
"""

from __future__ import annotations

from typing import Any, Final

from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

DRIVER: Final = "postgresql+everturn"
# An option of connections whose statements are transactions of their own.
READING: Final = "everturn_reading"


class OneTripDialect(PGDialect_psycopg2):
    """For connections in the driver's autocommit mode."""

    supports_statement_cache = True

    def do_execute(
        self, cursor: Any, statement: str, parameters: Any, context: Any | None = None
    ) -> None:
        """Run a statement, as the first of a transaction if need be."""
        if _begins(cursor, context):
            statement = f"BEGIN; {statement}"
        super().do_execute(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]  # left bare there

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Any, context: Any | None = None
    ) -> None:
        """Run it for each set of parameters, all in one transaction."""
        if _begins(cursor, context):
            cursor.execute("BEGIN")
        super().do_executemany(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]  # as above

    def do_commit(self, dbapi_connection: Any) -> None:
        """Commit what was begun, if anything was."""
        _end(dbapi_connection, "COMMIT")

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Take back what was begun, if anything was."""
        _end(dbapi_connection, "ROLLBACK")


def _begins(cursor: Any, context: Any | None) -> bool:
    if context is not None and context.execution_options.get(READING):
        return False
    return bool(cursor.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE)


def _end(dbapi_connection: Any, how: str) -> None:
    if dbapi_connection.get_transaction_status() != TRANSACTION_STATUS_IDLE:
        with dbapi_connection.cursor() as cursor:
            cursor.execute(how)


registry.register("postgresql.everturn", __name__, OneTripDialect.__name__)

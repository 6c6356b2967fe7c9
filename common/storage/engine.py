"""Connections and transactions.

`transaction()` commits or rolls back as a whole; `reading()` is for single
statements that need no transaction and pays for none (no BEGIN, no COMMIT).
Nothing is retried here: whether an effect may be repeated is known only above.

What works for one organization takes the database `of` it.  PostgreSQL is then told, in front
of the first statement and in the same round trip, whose rows there are: `common.storage.dialect`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any, Final, Self, cast
from uuid import UUID

import orjson
from psycopg2 import Error as DriverError
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from common.storage.dialect import DRIVER, READING, WHOSE, Given, OneTripDialect, Whose

Tx = Connection

# Whatever goes wrong on the way to or in the database; callers need no driver for it.
DatabaseError = SQLAlchemyError

_STATEMENT_TIMEOUT_MS: Final = 30_000
# Nothing waits for others within a transaction, so one that is silent for so long belongs to a
# process that is frozen or cut off.  Its locks must be gone before its lease is, or nobody
# could take its turns back.
_SILENT_TRANSACTION_MS: Final = 10_000
_CONNECT_ARGUMENTS: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    f" -c idle_in_transaction_session_timeout={_SILENT_TRANSACTION_MS}",
}
# Outages that end by themselves: connection (08), shutdown (57P), statement time-out (57014),
# too many clients (53), serialization, deadlock and lock time-outs (40, 55P), a standby that is
# not promoted yet (25006), and a transaction that was silent for too long (25P03).
_PASSING: Final = ("08", "57P", "57014", "53", "40", "55P", "25006", "25P03")


class Database:
    """A pool of connections to PostgreSQL.  Make one a process, after any fork.

    It sees all organizations: for what serves them all, as sweeper, relay and claims do.
    """

    def __init__(self, url: str, *, pool_size: int, application: str) -> None:
        self.engine: Engine = create_engine(
            make_url(url).set(drivername=DRIVER),
            isolation_level="AUTOCOMMIT",  # of the driver: see `common.storage.dialect`
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_use_lifo=True,
            pool_recycle=1800,
            hide_parameters=True,
            use_native_hstore=False,
            # What it reads can be written again; the driver's own makes integers that cannot.
            json_deserializer=orjson.loads,
            connect_args={**_CONNECT_ARGUMENTS, "application_name": application},
        )
        self._reading = self.engine.execution_options(**{READING: True})
        self._organization_id: UUID | None = None

    def of(self, organization_id: UUID) -> Self:
        """The same pool, for that organization's rows and those that belong to all."""
        view = copy(self)
        view._organization_id = organization_id  # noqa: SLF001 - of our own class
        return view

    def across_organizations(self) -> Self:
        """The same pool, for everybody's rows; say beside each use why that is right."""
        view = copy(self)
        view._organization_id = None  # noqa: SLF001 - of our own class
        return view

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """One transaction: committed at the end of the block, rolled back on an exception."""
        with self.engine.begin() as tx:
            yield self._for_whom(tx)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """A connection for independent reads, each statement its own snapshot."""
        with self._reading.connect() as tx:
            yield self._for_whom(tx)

    def ping(self) -> None:
        """Reach the database.

        Raises:
            sqlalchemy.exc.DBAPIError: it cannot be reached.
        """
        with self.reading() as tx:
            tx.execute(text("SELECT 1"))

    def in_use(self) -> int:
        """How many connections are in use just now."""
        return cast(QueuePool, self.engine.pool).checkedout()

    def watch(self, changed: Callable[[int], None]) -> None:
        """Tell of each connection that is taken into use (1) or given back (-1)."""

        def taken(*_: Any) -> None:
            changed(1)

        def given_back(*_: Any) -> None:
            changed(-1)

        event.listen(self.engine, "checkout", taken)
        event.listen(self.engine, "checkin", given_back)  # codespell:ignore checkin

    def close(self) -> None:
        self.engine.dispose()

    def _for_whom(self, tx: Tx) -> Tx:
        if self._organization_id is None:
            return tx
        return narrow(tx, self._organization_id)


def narrow(tx: Tx, organization_id: UUID) -> Tx:
    """Let the rest of the transaction see that organization's rows alone."""
    return tx.execution_options(**{WHOSE: Whose(organization_id)})


def send(tx: Tx, statement: str, values: Mapping[str, object] | None = None) -> Any:
    """Run a statement of the driver's (`%(name)s`) past SQLAlchemy: its cursor, to fetch from.

    Of a short statement's time in this process more than half is SQLAlchemy's, so the hot path
    leaves it out.  What goes wrong is told as SQLAlchemy tells it, and it decides what becomes
    of the connection and the pool.
    """
    options, dialect = tx.get_execution_options(), cast(OneTripDialect, tx.dialect)
    if not (options.get(READING) or tx.in_transaction()):
        raise InvalidRequestError("the transaction is over")
    cursor = None
    try:
        cursor = tx.connection.cursor()
        dialect.do_execute(cursor, statement, values, Given(options))
    except DriverError as failure:
        tx._handle_dbapi_exception(failure, statement, values, cursor, None)  # noqa: SLF001 - it has no public name
    return cursor


def driver_url(url: str) -> str:
    """The URL with psycopg2 as driver, whichever of the common schemes it came with."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def is_passing_outage(error: Exception) -> bool:
    """Whether the database is expected to come back, so that waiting is right."""
    if not isinstance(error, DBAPIError):
        # The pool gave up waiting for a connection.
        return type(error).__name__ == "TimeoutError" and type(error).__module__.startswith(
            "sqlalchemy"
        )
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "pgcode", None)
    if state is None:
        return isinstance(error, OperationalError)
    return str(state).startswith(_PASSING)


def sqlstate(error: Exception) -> str | None:
    """PostgreSQL's error code, which a log may show where the message may not (I10)."""
    return getattr(getattr(error, "orig", None), "pgcode", None)

"""What a database is sent, whichever way: through SQLAlchemy or past it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

Note = Callable[[str, Any], object]


@contextmanager
def heard(engine: Engine, note: Note, *, after: Note | None = None) -> Iterator[None]:
    """Tell `note` of each statement and its values before it is sent, and `after` afterwards."""

    def do_execute(send: Any, cursor: Any, statement: str, values: Any, context: Any) -> None:
        note(statement, values)
        send(cursor, statement, values, context)
        if after is not None:
            after(statement, values)

    with _instead_of_sending(engine, do_execute):
        yield


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """What PostgreSQL is sent for the statements, one string a round trip."""
    noted: list[str] = []

    def do_execute(send: Any, cursor: Any, statement: str, values: Any, context: Any) -> None:
        send(cursor, statement, values, context)
        noted.append(cursor.query.decode())

    with _instead_of_sending(engine, do_execute):
        yield noted


@contextmanager
def _instead_of_sending(engine: Engine, do_execute: Callable[..., None]) -> Iterator[None]:
    dialect: Any = engine.dialect
    send = dialect.do_execute

    def instead(cursor: Any, statement: str, values: Any, context: Any = None) -> None:
        do_execute(send, cursor, statement, values, context)

    dialect.do_execute = instead
    try:
        yield
    finally:
        del dialect.do_execute

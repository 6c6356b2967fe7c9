"""What a database is sent, whichever way: through SQLAlchemy or past it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

Note = Callable[[str, Any], object]


@contextmanager
def heard(engine: Engine, note: Note, *, after: Note | None = None) -> Iterator[None]:
    """Tell `note` of each statement and its values before it is sent, and `after` afterwards."""
    dialect: Any = engine.dialect
    send = dialect.do_execute

    def do_execute(cursor: Any, statement: str, values: Any, context: Any = None) -> None:
        note(statement, values)
        send(cursor, statement, values, context)
        if after is not None:
            after(statement, values)

    dialect.do_execute = do_execute
    try:
        yield
    finally:
        del dialect.do_execute


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """What PostgreSQL is sent for the statements, one string a round trip."""
    dialect: Any = engine.dialect
    send = dialect.do_execute
    noted: list[str] = []

    def do_execute(cursor: Any, statement: str, values: Any, context: Any = None) -> None:
        send(cursor, statement, values, context)
        noted.append(cursor.query.decode())

    dialect.do_execute = do_execute
    try:
        yield noted
    finally:
        del dialect.do_execute

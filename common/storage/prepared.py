"""Statements of the hot path, which each connection plans once.

PostgreSQL parses and plans what it is sent each time anew, and for short statements that costs
more than running them.  Here they are prepared where they are first used on a connection, and
only executed from then on.  A changed table makes PostgreSQL plan them anew by itself.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Mapping
from typing import Any, Final

from common.storage.engine import Tx, send

_KNOWN: Final = "everturn prepared"


class Prepared:
    """One statement, with `:name` for each of its values.

    Args:
        name: what connections know it by; one statement a name.
        types: PostgreSQL's type of each value.
    """

    def __init__(self, name: str, statement: str, **types: str) -> None:
        self._name = name
        places = {value: f"${place}" for place, value in enumerate(types, start=1)}
        values = re.compile(rf"(?<!:):({'|'.join(places)})\b")
        numbered = values.sub(lambda found: places[found[1]], statement)
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {numbered}"
        self._row: Any = None
        self._execute = f"EXECUTE {name} ({', '.join(f'%({value})s' for value in types)})"

    def on(self, tx: Tx, values: Mapping[str, object]) -> list[Any]:
        """Run it with these values: its rows, as named tuples.

        A list is an array, an id may be text.
        """
        known: set[str] = tx.info.setdefault(_KNOWN, set())
        if self._name not in known:
            send(tx, self._prepare)
            known.add(self._name)
        with send(tx, self._execute, values) as cursor:
            if cursor.description is None:
                return []
            if self._row is None:
                self._row = namedtuple("Row", [column.name for column in cursor.description])  # type: ignore[misc]  # noqa: PYI024 - known from the answer only
            return list(map(self._row._make, cursor.fetchall()))

    def one(self, tx: Tx, values: Mapping[str, object]) -> Any | None:
        """As `on`, of a statement that has at most one row: that, or None."""
        rows = self.on(tx, values)
        return rows[0] if rows else None

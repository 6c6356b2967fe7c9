"""Statements of the hot path, which each connection plans once.

PostgreSQL parses and plans what it is sent each time anew, and for short statements that costs
more than running them.  Here they are prepared where they are first used on a connection, and
only executed from then on.  A changed table makes PostgreSQL plan them anew by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import CursorResult

from common.storage.engine import Tx

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
        self._execute = f"EXECUTE {name} ({', '.join(f'%({value})s' for value in types)})"

    def on(self, tx: Tx, values: Mapping[str, object]) -> CursorResult[Any]:
        """Run it with these values; a list is an array, an id may be text."""
        known: set[str] = tx.info.setdefault(_KNOWN, set())
        if self._name not in known:
            tx.exec_driver_sql(self._prepare)
            known.add(self._name)
        return tx.exec_driver_sql(self._execute, dict(values))

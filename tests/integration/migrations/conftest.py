"""Empty databases, and what a database looks like."""

from collections.abc import Iterator

import pytest

from tests.servers import Servers, execute, with_database

# One line a thing, in an order that does not depend on how it came to be.
_STRUCTURE = r"""
SELECT line FROM (
    SELECT format('table %s %s', c.relname, coalesce(array_to_string(c.reloptions, ','), ''))
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  UNION ALL
    SELECT format('column %s.%s %s%s%s', c.relname, a.attname,
        format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
        coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''))
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
    SELECT format('constraint %s %s: %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL
    SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
    SELECT format('policy %s on %s for %s: %s', polname, polrelid::regclass, polcmd,
        pg_get_expr(polqual, polrelid))
    FROM pg_policy
  UNION ALL
    SELECT format('row security %s %s', relname, relforcerowsecurity) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
  UNION ALL
    SELECT format('sequence %s', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
) AS lines (line) ORDER BY line
"""


def structure(url: str) -> list[str]:
    """Everything that a migration makes, described by PostgreSQL itself."""
    return [str(line) for (line,) in execute(url, _STRUCTURE)]


class Databases:
    """Makes databases without anything in them."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._made: list[str] = []

    def empty(self) -> str:
        name = f"{self._servers.run_name}_empty_{id(self)}_{len(self._made)}"
        execute(self._servers.admin_url, f'CREATE DATABASE "{name}"')
        self._made.append(with_database(self._servers.admin_url, name))
        return self._made[-1]

    def drop(self) -> None:
        for url in self._made:
            self._servers.drop_database(url)


@pytest.fixture
def databases(servers: Servers) -> Iterator[Databases]:
    made = Databases(servers)
    yield made
    made.drop()

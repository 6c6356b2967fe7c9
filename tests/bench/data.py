"""Large data, copied inside the database from what the processes themselves have written."""

from __future__ import annotations

from uuid import UUID

from common.domain.ids import Kind, parse_id, show_id
from tests.bench.site import Site

# What is copied refers to rows that are there: checking that for each would take minutes.
_UNCHECKED = "SET session_replication_role = replica; "
# The first event is there already.  What a model is sent is the same in all: what comes after
# the compaction.
_REPEAT_EVENTS = """
    INSERT INTO events
    SELECT (jsonb_populate_record(e, jsonb_build_object(
        'session_id', %(session)s, 'sequence', place.sequence
    ) || CASE WHEN place.sequence = %(compacted)s THEN jsonb_build_object(
        'type', 'context.compacted', 'data', jsonb_build_object(
            'summary', 'It was about a harbour.', 'through_sequence', place.sequence)
    ) ELSE '{}' END)).*
    FROM events e
    CROSS JOIN generate_series(1, %(copies)s) copy
    CROSS JOIN LATERAL (SELECT e.sequence + %(length)s * (copy - 1) AS sequence) place
    WHERE e.session_id = %(source)s AND place.sequence > 1
"""
_EXTEND_HEAD = """
    UPDATE session_heads SET last_sequence = %(last)s, compacted_sequence = %(compacted)s,
        message_count = (SELECT count(*) FROM events WHERE session_id = %(session)s AND type IN
            ('input.message', 'output.message.completed', 'tool.completed')),
        last_input_sequence = (SELECT max(sequence) FROM events
            WHERE session_id = %(session)s AND type = 'input.message')
    WHERE session_id = %(session)s
"""


def multiply_sessions(site: Site, template: str, number: int) -> list[str]:
    """So many more sessions like the template, without its events."""
    known = parse_id(Kind.SESSION, template)
    site.execute("DROP TABLE IF EXISTS numbered")
    site.execute(
        "CREATE UNLOGGED TABLE numbered AS SELECT gen_random_uuid() AS id"
        " FROM generate_series(1, %s)",
        [number],
    )
    _copy(site, "sessions", known, own=("id", "workspace_id"))
    _copy(site, "session_heads", known, own=("session_id",))
    rows = site.execute("SELECT id::text FROM numbered LIMIT 20000")
    site.execute("VACUUM ANALYZE sessions, session_heads")
    return [show_id(Kind.SESSION, UUID(each)) for (each,) in rows]


def _copy(site: Site, table: str, template: UUID, *, own: tuple[str, ...]) -> None:
    """The template's row under each numbered id; `own` are the columns that hold that."""
    found = site.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    names = [name for (name,) in found]
    values = ", ".join("n.id" if name in own else f"t.{name}" for name in names)
    site.execute(
        f"{_UNCHECKED}INSERT INTO {table} ({', '.join(names)})"  # noqa: S608 - names of columns
        f" SELECT {values} FROM {table} t, numbered n WHERE t.{own[0]} = %s",
        [str(template)],
    )


def long_session(site: Site, template: str, target: str, events: int) -> None:
    """Give an empty session the template's events again and again, up to about so many."""
    source, session = (str(parse_id(Kind.SESSION, each)) for each in (template, target))
    found = site.execute("SELECT max(sequence) FROM events WHERE session_id = %s", [source])
    length = int(found[0][0])
    copies = max(3, events // length)
    last = copies * length
    values = {
        "source": source,
        "session": session,
        "length": length,
        "copies": copies,
        "last": last,
        "compacted": last - 2 * length,
    }
    site.execute(_REPEAT_EVENTS, values)
    site.execute(_EXTEND_HEAD, values)

"""Large data, copied inside the database from what the processes themselves have written."""

from __future__ import annotations

from uuid import UUID

from common.domain.ids import Kind, parse_id, show_id
from tests.bench.site import Site

# Of each table the row of the template, under other ids; `numbered` gives those.
_COPY_SESSIONS = """
    INSERT INTO sessions
    SELECT (jsonb_populate_record(s, jsonb_build_object('id', n.id, 'workspace_id', n.id))).*
    FROM sessions s, numbered n WHERE s.id = %s
"""
_COPY_HEADS = """
    INSERT INTO session_heads
    SELECT (jsonb_populate_record(h, jsonb_build_object('session_id', n.id))).*
    FROM session_heads h, numbered n WHERE h.session_id = %s
"""
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
    for statement in (_COPY_SESSIONS, _COPY_HEADS):
        site.execute(statement, [str(known)])
    rows = site.execute("SELECT id::text FROM numbered LIMIT 20000")
    site.execute("ANALYZE sessions, session_heads")
    return [show_id(Kind.SESSION, UUID(each)) for (each,) in rows]


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

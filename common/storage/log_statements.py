"""The statements that write the log: each locks, fences, numbers and stores in one step.

Round trips are what the hot path is made of, so the events go in with the head's update, and so
does what else a turn begins and ends with.
"""

from __future__ import annotations

from typing import Final

from common.storage.configs import KEPT, KEPT_TYPES
from common.storage.prepared import Prepared
from common.storage.turns import ENDED, ENDED_TYPES
from common.storage.webhook_outbox import TELL_WEBHOOKS

HEAD_COLUMNS: Final = (
    "h.session_id, h.last_sequence, h.last_input_sequence, h.last_ts, h.epoch, h.status,"
    " h.open_turn_id, h.input_tokens, h.output_tokens, h.cache_read_tokens,"
    " h.cache_creation_tokens"
)

# As `show_time` says it.
_TIME: Final = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
# A message has the time of its event.
_DATED: Final = f"""jsonb_set({{0}}, '{{{{message,created_at}}}}',
    to_jsonb({_TIME.format("h.last_ts")}))"""
# Stores events below a head that was just advanced.  `marks` says what only the append knows:
# see `stamped` and `dated`, which say the same to whoever is told of the events.
_STORE: Final = f"""stored AS (
    INSERT INTO events (session_id, sequence, type, ts, context, data, private)
    SELECT h.session_id, h.last_sequence - cardinality(:types) + e.place, e.type, h.last_ts,
        CAST(e.context AS jsonb),
        CASE e.mark
            WHEN 'message' THEN {_DATED.format("CAST(e.data AS jsonb)")}
            WHEN 'usage' THEN jsonb_set(CAST(e.data AS jsonb), '{{usage}}', jsonb_strip_nulls(
                jsonb_build_object('input_tokens', h.input_tokens,
                    'output_tokens', h.output_tokens,
                    'cache_read_tokens', nullif(h.cache_read_tokens, 0),
                    'cache_creation_tokens', nullif(h.cache_creation_tokens, 0))))
            WHEN 'deadline' THEN CAST(e.data AS jsonb) - 'deadline_seconds'
                || jsonb_build_object('deadline', {
    _TIME.format(
        "(h.last_ts + make_interval(secs => CAST("
        "CAST(e.data AS jsonb) ->> 'deadline_seconds' AS float8)))"
    )
})
            ELSE CAST(e.data AS jsonb)
        END,
        CAST(e.private AS jsonb)
    FROM head h, unnest(:types, :contexts, :datas, :privates, :marks) WITH ORDINALITY
        AS e (type, context, data, private, mark, place)
)"""
_STORED_TYPES: Final = {
    "types": "text[]",
    "contexts": "text[]",
    "datas": "text[]",
    "privates": "text[]",
    "marks": "text[]",
}

_APPENDED: Final = f"""
    WITH head AS (
        UPDATE session_heads h SET
            last_sequence = last_sequence + cardinality(:types),
            last_ts = greatest(last_ts, date_trunc('milliseconds', clock_timestamp())),
            message_count = message_count + :messages,
            status = coalesce(:status, status),
            started_at = CASE WHEN :status = 'active'
                THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
            epoch = epoch + :epochs,
            open_turn_id = CASE WHEN :sets_open_turn THEN :open_turn ELSE open_turn_id END,
            input_tokens = input_tokens + :input_tokens,
            output_tokens = output_tokens + :output_tokens,
            cache_read_tokens = cache_read_tokens + :cache_read_tokens,
            cache_creation_tokens = cache_creation_tokens + :cache_creation_tokens,
            compacted_sequence = CASE WHEN :compacted > 0 THEN last_sequence + :compacted
                ELSE compacted_sequence END
        WHERE session_id = :session_id AND epoch = :epoch
            AND last_input_sequence <= :last_input
        RETURNING {HEAD_COLUMNS}
    ), {_STORE}
"""
_APPENDED_TYPES: Final = {
    "messages": "int",
    "status": "text",
    "epochs": "int",
    "sets_open_turn": "bool",
    "open_turn": "uuid",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_read_tokens": "bigint",
    "cache_creation_tokens": "bigint",
    "compacted": "int",
    "session_id": "uuid",
    "epoch": "bigint",
    "last_input": "int",
    **_STORED_TYPES,
}

APPEND: Final = Prepared(
    "everturn_append", f"{_APPENDED} SELECT h.* FROM head h", **_APPENDED_TYPES
)

# A turn's first events, and the configuration that they name by its hash: that is stored even if
# the events are refused, so whoever appends has to roll back then.
APPEND_AND_KEEP: Final = Prepared(
    "everturn_append_and_keep",
    f"{_APPENDED}, kept AS ({KEPT}) SELECT h.* FROM head h",
    **_APPENDED_TYPES,
    **KEPT_TYPES,
)

# A turn's last events, and its end.
APPEND_AND_END: Final = Prepared(
    "everturn_append_and_end",
    f"""
    {_APPENDED}, {ENDED.format(only="AND EXISTS (SELECT FROM head)")}, told AS ({TELL_WEBHOOKS})
    SELECT h.* FROM head h
    """,
    **_APPENDED_TYPES,
    **ENDED_TYPES,
)

# The user's message: scoped by organization, joining the open turn or opening the given one,
# which is queued as `turns.open_turn` does it.
APPEND_INPUT: Final = Prepared(
    "everturn_append_input",
    f"""
    WITH head AS (
        UPDATE session_heads h SET
            last_sequence = last_sequence + 1,
            last_input_sequence = last_sequence + 1,
            last_ts = greatest(last_ts, date_trunc('milliseconds', clock_timestamp())),
            message_count = message_count + 1,
            open_turn_id = coalesce(open_turn_id, :turn_id)
        FROM sessions s
        WHERE h.session_id = s.id AND s.id = :session_id
            AND s.organization_id = :organization_id AND s.deleted_at IS NULL
        RETURNING {HEAD_COLUMNS}
    ), stored AS (
        INSERT INTO events (session_id, sequence, type, ts, context, data, private)
        SELECT h.session_id, h.last_sequence, :type, h.last_ts, :context,
            {_DATED.format("CAST(:data AS jsonb)")}, :private
        FROM head h
    ), opened AS (
        INSERT INTO turns (id, session_id, organization_id, input_sequence, sends, available_at)
        SELECT :turn_id, h.session_id, :organization_id, h.last_sequence, 1,
            clock_timestamp() + make_interval(secs => :resend)
        FROM head h WHERE h.open_turn_id = :turn_id
    )
    SELECT h.* FROM head h
    """,
    session_id="uuid",
    organization_id="uuid",
    turn_id="uuid",
    resend="float8",
    type="text",
    context="jsonb",
    data="jsonb",
    private="jsonb",
)

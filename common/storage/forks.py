"""Copy a session up to an event, in statements of which none reads the log into this process.

The copy's events keep their numbers and times; their ids differ, as an id is computed from the
session too.  Messages keep their ids, so that what refers to one within the log still does.
Totals, turns, pins, values, secrets and standing decisions are not copied.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from common.domain.events import MESSAGE_TYPES, TERMINAL_TYPES, EventType
from common.domain.session import ForkChanges
from common.storage.engine import Tx

# A workspace of the source's own is copied, a shared one stays shared.
_SESSION: Final = text("""
    INSERT INTO sessions (id, organization_id, agent_id, harness_id, workspace_id,
        owner_principal_id, title, locale, model_id, system_prompt, tags, capabilities, tools,
        initial_files, mcp_servers, hints, network_access, max_iterations, parallel_tool_calls,
        forked_from_session_id, forked_from_sequence)
    SELECT :id, organization_id,
        CASE WHEN :sets_agent_id THEN CAST(:agent_id AS uuid) ELSE agent_id END,
        harness_id, CASE WHEN workspace_id = id THEN CAST(:id AS uuid) ELSE workspace_id END,
        :principal_id,
        CASE WHEN :sets_title THEN :title ELSE title || ' (fork)' END,
        CASE WHEN :sets_locale THEN :locale ELSE locale END,
        CASE WHEN :sets_model_id THEN :model_id ELSE model_id END,
        CASE WHEN :sets_system_prompt THEN :system_prompt ELSE system_prompt END,
        CASE WHEN :sets_tags THEN CAST(:tags AS jsonb) ELSE tags END,
        capabilities, tools, initial_files, mcp_servers, hints, network_access, max_iterations,
        parallel_tool_calls, id, :up_to
    FROM sessions
    WHERE id = :source AND organization_id = :organization_id AND deleted_at IS NULL
    RETURNING workspace_id
""")

_EVENTS: Final = text("""
    INSERT INTO events (session_id, sequence, type, ts, context, data, private)
    SELECT CAST(:id AS uuid), sequence, type, ts, context, data, private
    FROM events WHERE session_id = :source AND sequence <= :up_to
    ORDER BY sequence
""")

_HEAD: Final = text("""
    INSERT INTO session_heads (session_id, last_sequence, last_input_sequence, message_count,
        compacted_sequence, last_ts)
    SELECT :id, :up_to, coalesce(m.newest_input, 0), m.number,
        CASE WHEN h.compacted_sequence <= :up_to THEN h.compacted_sequence
            ELSE coalesce((
                SELECT max(sequence) FROM events
                WHERE session_id = :source AND sequence <= :up_to AND type = :compacted
            ), 0) END,
        greatest(h.last_ts, date_trunc('milliseconds', clock_timestamp()))
    FROM session_heads h, (
        SELECT count(*) AS number,
            max(sequence) FILTER (WHERE type = :input) AS newest_input
        FROM events
        WHERE session_id = :source AND sequence <= :up_to
            AND type IN ('input.message', 'output.message.completed', 'tool.completed')
    ) m
    WHERE h.session_id = :source
""")

_EDGE: Final = text("""
    SELECT type FROM events
    WHERE session_id = :source AND sequence <= :up_to AND type = ANY(:edges)
    ORDER BY sequence DESC LIMIT 1
""")


def is_between_turns(tx: Tx, session_id: UUID, sequence: int) -> bool:
    """Whether no turn was under way right after an event; looks back to the last turn's edge."""
    edges = [EventType.INPUT_MESSAGE, EventType.TURN_STARTED, *TERMINAL_TYPES]
    found = tx.execute(
        _EDGE,
        {"source": session_id, "up_to": sequence, "edges": [str(edge) for edge in edges]},
    ).scalar_one_or_none()
    return found is None or found in TERMINAL_TYPES


def copy_session(
    tx: Tx,
    organization_id: UUID,
    source_id: UUID,
    session_id: UUID,
    changes: ForkChanges,
    *,
    up_to: int,
    principal_id: UUID,
) -> UUID:
    """Make the session, its log and its head; returns the new session's workspace.

    The caller holds the source's head.
    """
    assert len(MESSAGE_TYPES) == 3  # noqa: S101, PLR2004 - as the statements name them
    named: dict[str, Any] = {"id": session_id, "source": source_id, "up_to": up_to}
    workspace_id: UUID = tx.execute(
        _SESSION,
        {
            **named,
            "organization_id": organization_id,
            "principal_id": principal_id,
            "title": changes.title,
            "tags": orjson.dumps(changes.tags).decode(),
            "model_id": changes.model_id,
            "agent_id": changes.agent_id,
            "locale": changes.locale,
            "system_prompt": changes.system_prompt,
            **{
                f"sets_{name}": name in changes.given
                for name in ("title", "tags", "model_id", "agent_id", "locale", "system_prompt")
            },
        },
    ).scalar_one()
    tx.execute(
        _HEAD,
        {
            **named,
            "compacted": str(EventType.CONTEXT_COMPACTED),
            "input": str(EventType.INPUT_MESSAGE),
        },
    )
    tx.execute(_EVENTS, named)
    return workspace_id

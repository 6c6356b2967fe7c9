"""Sessions: what they are, always of one organization.  Their course is `storage.log`'s."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.events import Usage
from common.domain.session import Session, SessionConfig, SessionCounts, SessionPatch
from common.domain.text import PREVIEW_CHARACTERS, preview
from common.domain.turn import SessionStatus
from common.storage import grants, waiting
from common.storage.engine import Tx
from common.storage.search import like_patterns, matches_all

_COLUMNS: Final = f"""
    s.id, s.organization_id, s.agent_id, s.harness_id, s.workspace_id, s.owner_principal_id,
    s.title, s.locale, s.model_id, s.system_prompt, s.tags, s.capabilities, s.tools,
    s.initial_files, s.mcp_servers, s.hints, s.network_access, s.max_iterations,
    s.parallel_tool_calls, s.parent_session_id, s.forked_from_session_id,
    s.forked_from_sequence, s.created_at, greatest(s.updated_at, h.last_ts) AS updated_at,
    h.status, h.input_tokens, h.output_tokens, h.cache_read_tokens, h.cache_creation_tokens,
    h.started_at,
    p.session_id IS NOT NULL AS is_pinned,
    left(asked.text, {PREVIEW_CHARACTERS + 1}) AS preview,
    left(answered.text, {PREVIEW_CHARACTERS + 1}) AS output_preview
"""
# Each a step or two on the partial index of messages, however long the session is.
_FROM: Final = """
    FROM sessions s
    JOIN session_heads h ON h.session_id = s.id
    LEFT JOIN session_pins p ON p.session_id = s.id AND p.principal_id = :principal_id
    LEFT JOIN LATERAL (
        SELECT e.data #>> '{message,content,0,text}' AS text FROM events e
        WHERE e.session_id = s.id AND e.type = 'input.message'
            AND e.type IN ('input.message', 'output.message.completed', 'tool.completed')
        ORDER BY e.sequence LIMIT 1
    ) asked ON true
    LEFT JOIN LATERAL (
        SELECT e.data #>> '{message,content,0,text}' AS text FROM events e
        WHERE e.session_id = s.id AND e.type = 'output.message.completed'
            AND e.type IN ('input.message', 'output.message.completed', 'tool.completed')
        ORDER BY e.sequence DESC LIMIT 1
    ) answered ON true
"""
_OURS: Final = "s.organization_id = :organization_id AND s.deleted_at IS NULL"

_FIND: Final = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.id = :id AND {_OURS}")
_EXISTS: Final = text(f"SELECT 1 FROM sessions s WHERE s.id = :id AND {_OURS}")
_AGENT: Final = text(f"SELECT s.agent_id FROM sessions s WHERE s.id = :id AND {_OURS}")
_WORKSPACE: Final = text(f"SELECT 1 FROM sessions s WHERE s.workspace_id = :id AND {_OURS} LIMIT 1")

_INSERT: Final = text("""
    WITH session AS (
        INSERT INTO sessions (id, organization_id, agent_id, harness_id, workspace_id,
            owner_principal_id, title, locale, model_id, system_prompt, tags, capabilities,
            tools, initial_files, mcp_servers, hints, network_access, max_iterations,
            parallel_tool_calls)
        VALUES (:id, :organization_id, :agent_id, :harness_id, :workspace_id, :principal_id,
            :title, :locale, :model_id, :system_prompt, CAST(:tags AS jsonb),
            CAST(:capabilities AS jsonb), CAST(:tools AS jsonb), CAST(:initial_files AS jsonb),
            CAST(:mcp_servers AS jsonb), CAST(:hints AS jsonb), CAST(:network_access AS jsonb),
            :max_iterations, :parallel_tool_calls)
        RETURNING id
    )
    INSERT INTO session_heads (session_id) SELECT id FROM session
""")

_PATCH: Final = text(f"""
    UPDATE sessions s SET
        title = CASE WHEN :sets_title THEN :title ELSE title END,
        locale = CASE WHEN :sets_locale THEN :locale ELSE locale END,
        model_id = CASE WHEN :sets_model THEN :model_id ELSE model_id END,
        tags = CASE WHEN :sets_tags THEN CAST(:tags AS jsonb) ELSE tags END,
        updated_at = clock_timestamp()
    WHERE s.id = :id AND {_OURS}
""")
_TITLE: Final = text(f"SELECT s.title FROM sessions s WHERE s.id = :id AND {_OURS}")
_MODEL: Final = text(f"SELECT s.model_id FROM sessions s WHERE s.id = :id AND {_OURS}")

_MARK_DELETED: Final = text(f"""
    UPDATE sessions s SET deleted_at = clock_timestamp() WHERE s.id = :id AND {_OURS}
""")
_DELETE_HEAD: Final = text("DELETE FROM session_heads WHERE session_id = :id")

_COUNT_BY_STATUS: Final = text(f"""
    SELECT h.status, count(*) AS number
    FROM sessions s JOIN session_heads h ON h.session_id = s.id
    WHERE {_OURS} GROUP BY h.status
""")

_PIN: Final = text(f"""
    INSERT INTO session_pins (session_id, principal_id)
    SELECT s.id, :principal_id FROM sessions s WHERE s.id = :id AND {_OURS}
    ON CONFLICT DO NOTHING
""")
_UNPIN: Final = text(
    "DELETE FROM session_pins WHERE session_id = :id AND principal_id = :principal_id"
)


def find(tx: Tx, organization_id: UUID, session_id: UUID, *, principal_id: UUID) -> Session | None:
    """The session as this principal sees it; None when it does not exist."""
    row = tx.execute(
        _FIND,
        {"id": session_id, "organization_id": organization_id, "principal_id": principal_id},
    ).one_or_none()
    return None if row is None else _complete(tx, organization_id, [_session(row)])[0]


def exists(tx: Tx, organization_id: UUID, session_id: UUID) -> bool:
    """Whether the organization has such a session."""
    found = tx.execute(_EXISTS, {"id": session_id, "organization_id": organization_id})
    return found.one_or_none() is not None


def agent_of(tx: Tx, organization_id: UUID, session_id: UUID) -> UUID | None:
    """The session's agent; None when it has none or does not exist."""
    found: UUID | None = tx.execute(
        _AGENT, {"id": session_id, "organization_id": organization_id}
    ).scalar_one_or_none()
    return found


def has_workspace(tx: Tx, organization_id: UUID, workspace_id: UUID) -> bool:
    """Whether the workspace is that of a living session of the organization."""
    found = tx.execute(_WORKSPACE, {"id": workspace_id, "organization_id": organization_id})
    return found.one_or_none() is not None


def find_page(
    tx: Tx,
    organization_id: UUID,
    *,
    principal_id: UUID,
    agent_id: UUID | None,
    search: str | None,
    offset: int,
    limit: int,
) -> tuple[list[Session], int]:
    """A page of sessions, newest first, and how many there are."""
    condition, words = matches_all(like_patterns(search), of="coalesce(s.title, '')")
    of_agent = "" if agent_id is None else "AND s.agent_id = :agent_id"
    where = f"WHERE {_OURS} {of_agent} AND {condition}"
    named = {"organization_id": organization_id, "agent_id": agent_id, **words}
    rows = tx.execute(
        text(
            f"SELECT {_COLUMNS} {_FROM} {where}"
            " ORDER BY s.created_at DESC, s.id DESC OFFSET :offset LIMIT :limit"
        ),
        {**named, "principal_id": principal_id, "offset": offset, "limit": limit},
    )
    found = _complete(tx, organization_id, [_session(row) for row in rows])
    counted = tx.execute(text(f"SELECT count(*) FROM sessions s {where}"), named)
    return found, counted.scalar_one()


def insert(
    tx: Tx,
    organization_id: UUID,
    session_id: UUID,
    config: SessionConfig,
    *,
    agent_id: UUID | None,
    harness_id: UUID,
    workspace_id: UUID,
    principal_id: UUID,
) -> None:
    """Store a session and its head, the log still empty."""
    tx.execute(
        _INSERT,
        {
            "id": session_id,
            "organization_id": organization_id,
            "agent_id": agent_id,
            "harness_id": harness_id,
            "workspace_id": workspace_id,
            "principal_id": principal_id,
            "title": config.title,
            "locale": config.locale,
            "model_id": config.model_id,
            "system_prompt": config.system_prompt,
            "tags": _json(config.tags),
            "capabilities": _json(config.capabilities),
            "tools": _json(config.tools),
            "initial_files": _json(config.initial_files),
            "mcp_servers": _json(config.mcp_servers),
            "hints": _optional_json(config.hints),
            "network_access": _optional_json(config.network_access),
            "max_iterations": config.max_iterations,
            "parallel_tool_calls": config.parallel_tool_calls,
        },
    )


def title_of(tx: Tx, organization_id: UUID, session_id: UUID) -> str | None:
    """The session's title; None when it has none."""
    found: str | None = tx.execute(
        _TITLE, {"id": session_id, "organization_id": organization_id}
    ).scalar_one_or_none()
    return found


def model_of(tx: Tx, organization_id: UUID, session_id: UUID) -> str | None:
    """The model that the session itself names, None when it names none."""
    named = {"id": session_id, "organization_id": organization_id}
    model: str | None = tx.execute(_MODEL, named).scalar_one_or_none()
    return model


def patch(tx: Tx, organization_id: UUID, session_id: UUID, changes: SessionPatch) -> None:
    """Change what is given and leave the rest."""
    tx.execute(
        _PATCH,
        {
            "id": session_id,
            "organization_id": organization_id,
            "sets_title": "title" in changes.given,
            "title": changes.title,
            "sets_locale": "locale" in changes.given,
            "locale": changes.locale,
            "sets_model": "model_id" in changes.given,
            "model_id": changes.model_id,
            "sets_tags": "tags" in changes.given,
            "tags": _json(changes.tags),
        },
    )


def delete(tx: Tx, organization_id: UUID, session_id: UUID) -> None:
    """Make the session invisible; the sweeper removes what it left.

    The head goes at once: whoever waits for its lock to append finds nothing, so no
    message can be accepted after the deletion.
    """
    tx.execute(_MARK_DELETED, {"id": session_id, "organization_id": organization_id})
    tx.execute(_DELETE_HEAD, {"id": session_id})


def count_by_status(tx: Tx, organization_id: UUID) -> SessionCounts:
    """How many sessions the organization has."""
    rows = tx.execute(_COUNT_BY_STATUS, {"organization_id": organization_id})
    counts: dict[str, int] = {row.status: row.number for row in rows}
    return SessionCounts(
        total=sum(counts.values()),
        started=counts.get(SessionStatus.STARTED, 0),
        active=counts.get(SessionStatus.ACTIVE, 0),
        idle=counts.get(SessionStatus.IDLE, 0),
        waiting=counts.get(SessionStatus.WAITING, 0),
    )


def pin(tx: Tx, organization_id: UUID, session_id: UUID, *, principal_id: UUID) -> None:
    """Pin it for this principal; nothing happens when it is pinned or does not exist."""
    tx.execute(
        _PIN,
        {"id": session_id, "organization_id": organization_id, "principal_id": principal_id},
    )


def unpin(tx: Tx, session_id: UUID, *, principal_id: UUID) -> None:
    """Take the principal's pin away, if there is one."""
    tx.execute(_UNPIN, {"id": session_id, "principal_id": principal_id})


def _complete(tx: Tx, organization_id: UUID, found: list[Session]) -> list[Session]:
    """The same with what their own rows do not say."""
    return grants.with_granted(tx, organization_id, _with_waiting(tx, organization_id, found))


def _with_waiting(tx: Tx, organization_id: UUID, found: list[Session]) -> list[Session]:
    """The same, those that wait with what they wait for."""
    ids = [session.id for session in found if session.status is SessionStatus.WAITING]
    if not ids:
        return found
    waits = waiting.of_sessions(tx, organization_id, ids)
    return [replace(session, waiting=waits.get(session.id)) for session in found]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _optional_json(value: object) -> str | None:
    return None if value is None else _json(value)


def _session(row: Row[Any]) -> Session:
    config = SessionConfig(
        title=row.title,
        locale=row.locale,
        model_id=row.model_id,
        system_prompt=row.system_prompt,
        tags=row.tags,
        capabilities=row.capabilities,
        tools=row.tools,
        initial_files=row.initial_files,
        mcp_servers=row.mcp_servers,
        hints=row.hints,
        network_access=row.network_access,
        max_iterations=row.max_iterations,
        parallel_tool_calls=row.parallel_tool_calls,
    )
    return Session(
        id=row.id,
        organization_id=row.organization_id,
        agent_id=row.agent_id,
        harness_id=row.harness_id,
        workspace_id=row.workspace_id,
        owner_principal_id=row.owner_principal_id,
        config=config,
        status=SessionStatus(row.status),
        usage=Usage(
            row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_creation_tokens
        ),
        preview=None if row.preview is None else preview(row.preview),
        output_preview=None if row.output_preview is None else preview(row.output_preview),
        is_pinned=row.is_pinned,
        parent_session_id=row.parent_session_id,
        forked_from_session_id=row.forked_from_session_id,
        forked_from_sequence=row.forked_from_sequence,
        started_at=row.started_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

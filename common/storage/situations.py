"""Everything that tells why a session's turn does not go on; only for people who ask.

A few statements a session, none of which waits for a lock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.errors import InvalidId
from common.domain.events import EventType
from common.domain.ids import Kind, parse_id, show_id
from common.domain.situation import Loss, RunningCall, Situation, Step, TurnView
from common.domain.turn import TurnStatus
from common.domain.worker import Worker
from common.event_codec import LoggedEvent
from common.storage import log, providers, waiting, workers
from common.storage.engine import Tx

MOST_AHEAD: Final = 10_000
_STEP_EVENTS: Final = 200

TURN_COLUMNS: Final = """
    t.id, t.session_id, t.organization_id, t.status, t.created_at, t.available_at, t.started_at,
    t.ended_at, t.waiting_until, t.lease_owner, t.lease_until, t.sends, t.attempt, t.reclaims,
    t.handed_over, t.losses
"""

_SESSION: Final = text("""
    SELECT deleted_at, clock_timestamp() AS now FROM sessions
    WHERE id = :session_id AND organization_id = :organization_id
""")
_NEWEST_TURN: Final = text(f"""
    SELECT {TURN_COLUMNS} FROM turns t WHERE t.session_id = :session_id
    ORDER BY t.input_sequence DESC, t.created_at DESC LIMIT 1
""")
_AHEAD: Final = text("""
    SELECT count(*) FROM (
        SELECT 1 FROM turns WHERE status = 'queued' AND created_at < :created_at LIMIT :most
    ) before
""")
# From the end of the log: a long turn is not read to its beginning.
_STEP: Final = text(f"""
    SELECT {log.COLUMNS} FROM (
        SELECT e.* FROM events e JOIN turns t ON t.id = :turn_id
        WHERE e.session_id = t.session_id AND e.sequence >= t.input_sequence
            AND e.type = ANY(:types) AND e.context ->> 'turn_id' = :shown_turn_id
        ORDER BY e.sequence DESC LIMIT :most
    ) newest ORDER BY sequence
""")
# The model that the turn was pinned to, or the fallback of that name.
_PROVIDER: Final = text("""
    SELECT m.model ->> 'provider_id' AS provider_id
    FROM events e
    JOIN turns t ON t.id = :turn_id
    JOIN turn_configs c ON c.organization_id = t.organization_id
        AND c.hash = e.data ->> 'config_hash'
    CROSS JOIN LATERAL (
        SELECT c.config -> 'model' AS model, 0 AS place
        UNION ALL
        SELECT f.value, f.ordinality
        FROM jsonb_array_elements(c.config -> 'fallbacks') WITH ORDINALITY f
    ) m
    WHERE e.session_id = t.session_id AND e.sequence >= t.input_sequence
        AND e.type = 'turn.started' AND e.context ->> 'turn_id' = :shown_turn_id
        AND (CAST(:model AS text) IS NULL OR m.model ->> 'name' = :model)
    ORDER BY m.place LIMIT 1
""")
_STUCK: Final = text(f"""
    SELECT {TURN_COLUMNS} FROM turns t
    JOIN sessions s ON s.id = t.session_id AND s.deleted_at IS NULL
    WHERE (t.status = 'queued' AND t.created_at < clock_timestamp() - make_interval(secs => :after)
            AND (t.available_at < clock_timestamp() - make_interval(secs => :after)
                OR t.sends > 1 OR t.attempt > 0))
        OR (t.status = 'running' AND t.lease_until < clock_timestamp())
        OR (t.status = 'waiting'
            AND t.waiting_until < clock_timestamp() - make_interval(secs => :after))
    ORDER BY t.created_at LIMIT :limit
""")
_OPEN: Final = text(f"""
    SELECT {TURN_COLUMNS} FROM turns t
    JOIN sessions s ON s.id = t.session_id AND s.deleted_at IS NULL
    WHERE t.status IN ('queued', 'running', 'waiting')
    ORDER BY t.created_at LIMIT :limit
""")

_BEGINS: Final = (EventType.REASON_STARTED, EventType.REASON_RECOVERED, EventType.ACT_STARTED)
_ENDS: Final = (EventType.REASON_COMPLETED, EventType.ACT_COMPLETED)
_STEP_TYPES: Final = [
    str(kind)
    for kind in (
        EventType.TURN_STARTED,
        *_BEGINS,
        *_ENDS,
        EventType.OUTPUT_STARTED,
        EventType.THINKING_STARTED,
        EventType.TOOL_STARTED,
        EventType.TOOL_COMPLETED,
        EventType.TURN_FAILED,
    )
]


class SessionDeleted(Exception):
    """The session was deleted; its rows are not purged yet."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at


def find(
    tx: Tx, organization_id: UUID, session_id: UUID, *, silent_after: float
) -> Situation | None:
    """What is known of a session; None when there is none.

    Raises:
        SessionDeleted: there was one.
    """
    session = tx.execute(
        _SESSION, {"session_id": session_id, "organization_id": organization_id}
    ).one_or_none()
    if session is None:
        return None
    if session.deleted_at is not None:
        raise SessionDeleted(session.deleted_at)
    row = tx.execute(_NEWEST_TURN, {"session_id": session_id}).one_or_none()
    found = Situation(
        session_id=session_id,
        now=session.now,
        fleet=workers.fleet(tx, silent_after=silent_after),
        turn=None if row is None else turn_view(row),
    )
    return _completed(tx, found)


def find_stuck(tx: Tx, *, after_seconds: float, limit: int) -> list[TurnView]:
    """Open turns of all organizations that should have gone on by now, oldest first."""
    rows = tx.execute(_STUCK, {"after": after_seconds, "limit": limit})
    return [turn_view(row) for row in rows]


def find_open(tx: Tx, *, limit: int) -> list[TurnView]:
    """Open turns of all organizations, oldest first."""
    return [turn_view(row) for row in tx.execute(_OPEN, {"limit": limit})]


def _completed(tx: Tx, found: Situation) -> Situation:
    """With what the state of its turn makes worth knowing."""
    turn = found.turn
    if turn is None:
        return found
    if turn.status is TurnStatus.QUEUED:
        values = {"created_at": turn.created_at, "most": MOST_AHEAD}
        return replace(found, ahead=tx.execute(_AHEAD, values).scalar_one())
    if turn.status is TurnStatus.RUNNING:
        return replace(found, holder=_holder(tx, turn), step=_step(tx, turn, _events(tx, turn)))
    if turn.status is TurnStatus.WAITING:
        asked = waiting.of_session(tx, turn.organization_id, turn.session_id)
        return replace(found, waiting=asked)
    if turn.status is TurnStatus.FAILED:
        events = _events(tx, turn)
        return replace(found, failure=_failure(events), step=_step(tx, turn, events))
    return found


def _holder(tx: Tx, turn: TurnView) -> Worker | None:
    try:
        return workers.find(tx, parse_id(Kind.WORKER, turn.lease_owner or ""))
    except InvalidId:  # claimed by an earlier release
        return None


def _events(tx: Tx, turn: TurnView) -> list[LoggedEvent]:
    values = {
        "turn_id": turn.id,
        "shown_turn_id": show_id(Kind.TURN, turn.id),
        "types": _STEP_TYPES,
        "most": _STEP_EVENTS,
    }
    return [log.logged(turn.session_id, row) for row in tx.execute(_STEP, values)]


def _failure(events: list[LoggedEvent]) -> str | None:
    for event in events:
        if event.type == EventType.TURN_FAILED:
            reason = event.data.get("error_fields", {}).get("reason")
            return str(reason or event.data["error_code"])
    return None


def _step(tx: Tx, turn: TurnView, events: list[LoggedEvent]) -> Step | None:
    """The step under way, or the last one."""
    began: LoggedEvent | None = None
    model: str | None = None
    calls: dict[str, RunningCall] = {}
    for event in events:
        if event.type in _BEGINS or event.type in _ENDS or began is None:
            began, calls = event, {}
        if event.type == EventType.REASON_STARTED:
            model = event.data.get("metadata", {}).get("model")
        elif event.type in (EventType.OUTPUT_STARTED, EventType.THINKING_STARTED):
            model = event.data.get("model") or model
        elif event.type == EventType.TOOL_STARTED:
            call = event.data["tool_call"]
            calls[call["id"]] = RunningCall(call["id"], call["name"], event.ts)
        elif event.type == EventType.TOOL_COMPLETED:
            calls.pop(event.data["tool_call_id"], None)
    if began is None:
        return None
    if began.type == EventType.ACT_STARTED:
        return Step(kind="tools", since=began.ts, calls=tuple(calls.values()))
    is_model = began.type in (EventType.REASON_STARTED, EventType.REASON_RECOVERED)
    provider_id, provider = _provider(tx, turn, model)
    return Step(
        kind="model" if is_model else "between",
        since=began.ts,
        model=model,
        provider_id=provider_id,
        provider=provider,
    )


def _provider(tx: Tx, turn: TurnView, model: str | None) -> tuple[str | None, str | None]:
    values = {
        "turn_id": turn.id,
        "shown_turn_id": show_id(Kind.TURN, turn.id),
        "model": model,
    }
    provider_id = tx.execute(_PROVIDER, values).scalar_one_or_none()
    if not provider_id:
        return None, None
    found = providers.find(tx, turn.organization_id, parse_id(Kind.PROVIDER, provider_id))
    return provider_id, None if found is None else found.name


def turn_view(row: Row[Any]) -> TurnView:
    """A row of `TURN_COLUMNS`."""
    return TurnView(
        id=row.id,
        session_id=row.session_id,
        organization_id=row.organization_id,
        status=TurnStatus(row.status),
        created_at=row.created_at,
        available_at=row.available_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        waiting_until=row.waiting_until,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        sends=row.sends,
        attempt=row.attempt,
        reclaims=row.reclaims,
        handed_over=row.handed_over,
        losses=tuple(_loss(raw) for raw in row.losses),
    )


def _loss(raw: dict[str, Any]) -> Loss:
    at = datetime.fromisoformat(raw["at"])
    return Loss(raw.get("worker"), at, raw["error"], raw.get("place"))

"""The audit log: entries are added, read, and deleted when they are old; never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common import clock
from common.domain.audit import (
    OPERATOR,
    Actor,
    ActorType,
    Entry,
    Outcome,
    Resource,
)
from common.storage.engine import Tx

_COLUMNS: Final = """
    id, organization_id, at, actor_type, actor_id, on_behalf_of, action, outcome, method, route,
    status, resources, request_id, address, count
"""
# Sent again after a commit that was lost sight of, an entry is still one.
_APPEND: Final = text(f"""
    INSERT INTO audit_log ({_COLUMNS})
    SELECT {_COLUMNS} FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS given (
        id uuid, organization_id uuid, at timestamptz, actor_type text, actor_id text,
        on_behalf_of text, action text, outcome text, method text, route text, status int,
        resources jsonb, request_id text, address text, count int)
    ON CONFLICT (id) DO NOTHING
""")
_FOUND: Final = """
    (CAST(:before AS timestamptz) IS NULL
        OR (at, id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid)))
    AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR at < :until)
    AND (CAST(:action AS text) IS NULL OR action = :action)
    AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome)
    AND (CAST(:actors AS text[]) IS NULL OR actor_id = ANY(CAST(:actors AS text[]))
        OR on_behalf_of = ANY(CAST(:actors AS text[]))
        OR actor_type = ANY(CAST(:actors AS text[])))
    AND (CAST(:type AS text) IS NULL AND CAST(:ids AS text[]) IS NULL OR EXISTS (
        SELECT 1 FROM jsonb_to_recordset(resources) AS named (type text, id text)
        WHERE (CAST(:type AS text) IS NULL OR named.type = :type)
            AND (CAST(:ids AS text[]) IS NULL OR named.id = ANY(CAST(:ids AS text[])))))
    ORDER BY at DESC, id DESC LIMIT :limit
"""
_OF_ORGANIZATION: Final = text(f"""
    SELECT {_COLUMNS} FROM audit_log WHERE organization_id = :organization_id AND {_FOUND}
""")
_OF_NOBODY: Final = text(f"""
    SELECT {_COLUMNS} FROM audit_log WHERE organization_id IS NULL AND {_FOUND}
""")
# The trigger lets nobody delete who has not said this, nor what is younger.
_SAY_HOW_OLD: Final = text("SELECT set_config('everturn.audit_kept_days', :days, true)")
# By `now()`, as an index can: the time of each row's look would have all of them read.
_FORGET: Final = text("""
    DELETE FROM audit_log WHERE id = ANY(ARRAY(
        SELECT id FROM audit_log WHERE at < now() - make_interval(days => :days)
        ORDER BY at LIMIT :limit FOR UPDATE SKIP LOCKED))
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the time of its last entry, and that entry."""

    at: datetime
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which entries are wanted; None: it does not matter.

    Attributes:
        actors: any of these as who acted, on whose behalf, or as what.
        resource_ids: any spelling of one that is named.
        since: from this time on.
        until: before this time.
        after: below this place.
    """

    actors: Sequence[str] | None = None
    action: str | None = None
    outcome: Outcome | None = None
    resource_type: str | None = None
    resource_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None


def append(tx: Tx, entries: Sequence[Entry]) -> None:
    """Add entries, in one statement.  They may be of any organization, so `tx` sees all."""
    if entries:
        shown = orjson.dumps([_row(entry) for entry in entries]).decode()
        tx.execute(_APPEND, {"entries": shown})


def append_of_cli(
    tx: Tx, action: str, *resources: Resource, organization_id: UUID | None = None
) -> None:
    """Add that the operator does something by `everturn`, in the transaction that does it."""
    entry = Entry(
        id=clock.new_id(),
        at=clock.now(),
        organization_id=organization_id,
        actor=OPERATOR,
        action=action,
        outcome=Outcome.DONE,
        resources=resources,
    )
    append(tx, [entry])


def find_page(tx: Tx, organization_id: UUID | None, search: Search, *, limit: int) -> list[Entry]:
    """Entries of one organization, newest first; of None those that are no organization's."""
    after = search.after
    values = {
        "organization_id": organization_id,
        "before": None if after is None else after.at,
        "before_id": None if after is None else after.entry_id,
        "since": search.since,
        "until": search.until,
        "action": search.action,
        "outcome": None if search.outcome is None else str(search.outcome),
        "actors": None if search.actors is None else list(search.actors),
        "type": search.resource_type,
        "ids": None if search.resource_ids is None else list(search.resource_ids),
        "limit": limit,
    }
    statement = _OF_NOBODY if organization_id is None else _OF_ORGANIZATION
    return [_entry(row) for row in tx.execute(statement, values)]


def forget_old(tx: Tx, *, days: int, limit: int) -> int:
    """Delete entries that are older; returns how many."""
    tx.execute(_SAY_HOW_OLD, {"days": str(days)})
    return tx.execute(_FORGET, {"days": days, "limit": limit}).rowcount


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "organization_id": entry.organization_id,
        "at": entry.at,
        "actor_type": entry.actor.type,
        "actor_id": entry.actor.id,
        "on_behalf_of": entry.actor.on_behalf_of,
        "action": entry.action,
        "outcome": entry.outcome,
        "method": entry.method,
        "route": entry.route,
        "status": entry.status,
        "resources": [{"type": each.type, "id": each.id} for each in entry.resources],
        "request_id": entry.request_id,
        "address": entry.address,
        "count": entry.count,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        at=row.at,
        organization_id=row.organization_id,
        actor=Actor(ActorType(row.actor_type), row.actor_id, row.on_behalf_of),
        action=row.action,
        outcome=Outcome(row.outcome),
        method=row.method,
        route=row.route,
        status=row.status,
        resources=tuple(Resource(each["type"], each["id"]) for each in row.resources),
        request_id=row.request_id,
        address=row.address,
        count=row._mapping["count"],  # noqa: SLF001 - a row has a method of that name
    )

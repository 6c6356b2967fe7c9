"""What webhooks are told: taken when it is due, settled, listed, sent again.

Any number of sweepers may send: each takes what no other has, for a while.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.ids import Kind, show_id
from common.domain.webhook import Delivery, DeliveryStatus, Json, Webhook, WebhookEvent, told_of
from common.event_codec import LoggedEvent, show_time
from common.storage import log
from common.storage.engine import Tx
from common.storage.webhooks import webhook_of

KEPT_HOURS_DELIVERED: Final = 24
KEPT_HOURS_DEAD: Final = 24 * 30

# Each webhook that has something pending: one look into the index for each.
_TOLD_NOW: Final = """
    RECURSIVE told AS (
        (SELECT webhook_id FROM webhook_deliveries WHERE status = 'pending'
        ORDER BY webhook_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.webhook_id FROM webhook_deliveries d
            WHERE d.status = 'pending' AND d.webhook_id > told.webhook_id
            ORDER BY d.webhook_id LIMIT 1)
        FROM told WHERE told.webhook_id IS NOT NULL
    )
"""
# The oldest of each webhook, organizations and webhooks in turn: however many wait for one that
# is slow, they hide nobody else's.  What is under way is not due, and counts.
# By `now()`, as an index can: the time of each row's look would have all that wait read.
_TAKE: Final = text(f"""
    WITH {_TOLD_NOW}, due AS (
        SELECT oldest.id, oldest.available_at, w.organization_id,
            oldest.place + (SELECT count(*) FROM unnest(CAST(:busy_webhooks AS uuid[])) busy
                WHERE busy = told.webhook_id) AS place
        FROM told LEFT JOIN webhooks w ON w.id = told.webhook_id
        CROSS JOIN LATERAL (
            SELECT d.id, d.available_at, row_number() OVER (ORDER BY d.available_at) AS place
            FROM webhook_deliveries d
            WHERE d.webhook_id = told.webhook_id AND d.status = 'pending'
                AND d.available_at <= now()
            ORDER BY d.available_at LIMIT :each
        ) oldest
    ), placed AS (
        SELECT id, available_at, row_number() OVER (
                PARTITION BY organization_id ORDER BY place, available_at
            ) + (SELECT count(*) FROM unnest(CAST(:busy_organizations AS uuid[])) busy
                WHERE busy = organization_id) AS place
        FROM due WHERE place <= :each
    ), picked AS (
        SELECT d.id FROM webhook_deliveries d JOIN placed ON placed.id = d.id
        WHERE placed.place <= :each_organization
            AND d.status = 'pending' AND d.available_at <= now()
        ORDER BY placed.place, d.available_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET attempts = d.attempts + 1,
        available_at = clock_timestamp() + make_interval(secs => :hold)
    FROM picked WHERE d.id = picked.id
    RETURNING d.*
""")
_LATE: Final = text(f"""
    WITH {_TOLD_NOW}
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(oldest.available_at)), 0)
    FROM told CROSS JOIN LATERAL (
        SELECT available_at FROM webhook_deliveries
        WHERE webhook_id = told.webhook_id AND status = 'pending'
            AND available_at <= now()
        ORDER BY available_at LIMIT 1
    ) oldest
""")
_KEEP_TOLD: Final = text("""
    UPDATE webhook_deliveries SET told = CAST(:told AS json) WHERE id = :id
""")
_WEBHOOKS: Final = text("SELECT * FROM webhooks WHERE id = ANY(CAST(:ids AS uuid[]))")
# A turn that waits names the event that says so; one that ended has its end after its beginning.
_CAUSE: Final = text(f"""
    SELECT {log.COLUMNS} FROM events e
    WHERE e.session_id = :session_id AND e.sequence >= :sequence
        AND (e.type = :type AND e.context ->> 'turn_id' = :turn_id
            OR :is_waiting AND e.sequence = :sequence)
    ORDER BY e.sequence LIMIT 1
""")
_DELIVERED: Final = text("""
    UPDATE webhook_deliveries SET status = 'delivered', ended_at = clock_timestamp(),
        last_status = :answer, last_error = NULL
    WHERE id = :id AND attempts = :attempts AND status = 'pending'
""")
_FAILED: Final = text("""
    UPDATE webhook_deliveries SET last_status = :answer, last_error = :error,
        status = CASE WHEN CAST(:delay AS float) IS NULL THEN 'dead' ELSE 'pending' END,
        ended_at = CASE WHEN CAST(:delay AS float) IS NULL THEN clock_timestamp() END,
        available_at = clock_timestamp() + make_interval(secs => coalesce(:delay, 0))
    WHERE id = :id AND attempts = :attempts AND status = 'pending'
""")
# Of the address that said so: it may have been changed while the answer was on its way.
_SWITCH_OFF: Final = text("""
    UPDATE webhooks SET enabled = false, gone_at = clock_timestamp()
    WHERE id = :id AND url = :url AND enabled
""")
_GIVE_UP_REST: Final = text("""
    UPDATE webhook_deliveries SET status = 'dead', ended_at = clock_timestamp(),
        last_error = 'its server said that it is gone'
    WHERE webhook_id = :id AND status = 'pending' AND id <> :but
""")
_FORGET: Final = text("""
    DELETE FROM webhook_deliveries WHERE id = ANY(ARRAY(
        SELECT id FROM webhook_deliveries WHERE status <> 'pending'
            AND ended_at < now() - make_interval(hours => :delivered)
            AND (status = 'delivered' OR ended_at < now() - make_interval(hours => :dead))
        ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED))
""")
_OURS: Final = """
    FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
    WHERE w.organization_id = :organization_id AND w.id = :webhook_id
        AND (CAST(:status AS text) IS NULL OR d.status = :status)
"""
_PAGE: Final = text(f"""
    SELECT d.* {_OURS} ORDER BY d.created_at DESC, d.id DESC OFFSET :offset LIMIT :limit
""")
MOST_COUNTED: Final = 10_000
_COUNT: Final = text(f"SELECT count(*) FROM (SELECT 1 {_OURS} LIMIT :most) counted")
_FIND: Final = text(f"SELECT d.* {_OURS} AND d.id = :id FOR UPDATE OF d")
_SEND_AGAIN: Final = text("""
    UPDATE webhook_deliveries SET status = 'pending', attempts = 0, ended_at = NULL,
        available_at = clock_timestamp()
    WHERE id = :id RETURNING *
""")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery that was taken, and all that is needed to send it.

    Attributes:
        webhook: None when it was deleted meanwhile.
        told: what it says besides its ids: `{timestamp, data}`.
    """

    delivery: Delivery
    webhook: Webhook | None
    told: Json


def take_due(
    tx: Tx,
    *,
    limit: int,
    each: int,
    each_organization: int,
    under_way: Collection[Outgoing],
    hold_seconds: float,
) -> list[Outgoing]:
    """Take what is due, at most so many of one webhook and of one organization.

    `under_way`: what the caller has of earlier; it counts.  Nobody else has what is taken for
    `hold_seconds`; who does not settle one until then lets it be sent again.
    """
    busy = [outgoing.webhook for outgoing in under_way if outgoing.webhook is not None]
    values = {
        "limit": limit,
        "each": each,
        "each_organization": each_organization,
        "busy_webhooks": [str(webhook.id) for webhook in busy],
        "busy_organizations": [str(webhook.organization_id) for webhook in busy],
        "hold": hold_seconds,
    }
    rows = tx.execute(_TAKE, values).all()
    if not rows:
        return []
    ids = sorted({str(row.webhook_id) for row in rows})
    known = {row.id: webhook_of(row) for row in tx.execute(_WEBHOOKS, {"ids": ids})}
    return [Outgoing(_delivery(row), known.get(row.webhook_id), _told(tx, row)) for row in rows]


def late_seconds(tx: Tx) -> float:
    """For how long the oldest of what is due has been; 0 when nothing is."""
    return float(tx.execute(_LATE).scalar_one())


def settle_delivered(tx: Tx, delivery: Delivery, *, answer: int) -> None:
    """It was accepted; nothing happens when somebody else has it by now."""
    tx.execute(_DELIVERED, {"id": delivery.id, "attempts": delivery.attempts, "answer": answer})


def settle_failed(
    tx: Tx, delivery: Delivery, *, answer: int | None, error: str, delay_seconds: float | None
) -> None:
    """It was not; it is sent again after the delay, or given up without one."""
    values = {"id": delivery.id, "attempts": delivery.attempts, "delay": delay_seconds}
    tx.execute(_FAILED, {**values, "answer": answer, "error": error})


def settle_gone(tx: Tx, webhook: Webhook, *, but: Delivery) -> None:
    """Its server said that it is not there any more: tell it nothing, until it is switched on.

    `but` the delivery that it said so to, which is settled after this: who changes a webhook
    locks it first, too.
    """
    if tx.execute(_SWITCH_OFF, {"id": webhook.id, "url": webhook.url}).rowcount:
        tx.execute(_GIVE_UP_REST, {"id": webhook.id, "but": but.id})


def forget_old(tx: Tx, *, limit: int) -> int:
    """Forget what was delivered a day ago, or given up a month ago; returns how many."""
    values = {"delivered": KEPT_HOURS_DELIVERED, "dead": KEPT_HOURS_DEAD, "limit": limit}
    return tx.execute(_FORGET, values).rowcount


def find_page(
    tx: Tx,
    organization_id: UUID,
    webhook_id: UUID,
    *,
    status: DeliveryStatus | None,
    offset: int,
    limit: int,
) -> tuple[list[Delivery], int]:
    """A page of one webhook's deliveries, newest first, and how many up to `MOST_COUNTED`."""
    values = {
        "organization_id": organization_id,
        "webhook_id": webhook_id,
        "status": None if status is None else str(status),
    }
    rows = tx.execute(_PAGE, {**values, "offset": offset, "limit": limit})
    total: int = tx.execute(_COUNT, {**values, "most": MOST_COUNTED}).scalar_one()
    return [_delivery(row) for row in rows], total


def lock(tx: Tx, organization_id: UUID, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    """One delivery, held to the transaction's end; None when there is none."""
    values = {"organization_id": organization_id, "webhook_id": webhook_id, "status": None}
    row = tx.execute(_FIND, {**values, "id": delivery_id}).one_or_none()
    return None if row is None else _delivery(row)


def send_again(tx: Tx, delivery_id: UUID) -> Delivery:
    """Let it be sent anew, under the id that it has."""
    return _delivery(tx.execute(_SEND_AGAIN, {"id": delivery_id}).one())


def _told(tx: Tx, row: Row[Any]) -> Json:
    """What it says, found when it is first taken: later the session may be gone."""
    if row.told is not None:
        kept: Json = row.told
        return kept
    cause = _cause(tx, row)
    if cause is not None:
        place = {"event_id": cause.id, "event_type": cause.type, "sequence": cause.sequence}
        told: Json = {"timestamp": show_time(cause.ts), "data": place | told_of(cause.data)}
    else:
        # The end of a session ends its turn, and there is no log that could tell of it.
        data = {"reason": "session_deleted"} if row.event == WebhookEvent.CANCELLED else {}
        told = {"timestamp": show_time(row.created_at), "data": data}
    tx.execute(_KEEP_TOLD, {"id": row.id, "told": orjson.dumps(told).decode()})
    return told


def _cause(tx: Tx, row: Row[Any]) -> LoggedEvent | None:
    values = {
        "session_id": row.session_id,
        "sequence": row.sequence,
        "type": row.event,
        "turn_id": show_id(Kind.TURN, row.turn_id),
        "is_waiting": row.event == WebhookEvent.WAITING,
    }
    found = tx.execute(_CAUSE, values).one_or_none()
    return None if found is None else log.logged(row.session_id, found)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        event=WebhookEvent(row.event),
        turn_id=row.turn_id,
        session_id=row.session_id,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        created_at=row.created_at,
        available_at=row.available_at,
        ended_at=row.ended_at,
        last_status=row.last_status,
        last_error=row.last_error,
    )

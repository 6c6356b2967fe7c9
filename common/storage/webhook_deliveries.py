"""What webhooks are told: taken when it is due, settled, listed, sent again.

Any number of sweepers may send: each takes what no other has, for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.ids import Kind, show_id
from common.domain.webhook import Delivery, DeliveryStatus, Webhook, WebhookEvent
from common.event_codec import LoggedEvent
from common.storage import log
from common.storage.engine import Tx
from common.storage.webhooks import webhook_of

# So many of the oldest are looked at, so that one webhook's do not hide all others'.
_LOOKED_AT: Final = 1000
KEPT_HOURS_DELIVERED: Final = 24
KEPT_HOURS_DEAD: Final = 24 * 30

_TAKE: Final = text("""
    WITH due AS (
        SELECT id, row_number() OVER (PARTITION BY webhook_id ORDER BY available_at, id) AS place
        FROM (
            SELECT id, webhook_id, available_at FROM webhook_deliveries
            WHERE status = 'pending' AND available_at <= clock_timestamp()
            ORDER BY available_at LIMIT :looked_at
        ) oldest
    ), picked AS (
        SELECT d.id FROM webhook_deliveries d JOIN due ON due.id = d.id
        WHERE due.place <= :each AND d.status = 'pending' AND d.available_at <= clock_timestamp()
        ORDER BY d.available_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET attempts = d.attempts + 1,
        available_at = clock_timestamp() + make_interval(secs => :hold)
    FROM picked WHERE d.id = picked.id
    RETURNING d.*
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
_GONE: Final = text("""
    WITH gone AS (
        UPDATE webhooks SET enabled = false, gone_at = clock_timestamp() WHERE id = :id
    )
    UPDATE webhook_deliveries SET status = 'dead', ended_at = clock_timestamp(),
        last_error = 'its server said that it is gone'
    WHERE webhook_id = :id AND status = 'pending'
""")
_FORGET: Final = text("""
    DELETE FROM webhook_deliveries WHERE id = ANY(ARRAY(
        SELECT id FROM webhook_deliveries WHERE status <> 'pending'
            AND ended_at < clock_timestamp() - make_interval(hours => CASE
                WHEN status = 'delivered' THEN CAST(:delivered AS int) ELSE :dead END)
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
        cause: the event that it tells of; None when its session was purged.
    """

    delivery: Delivery
    webhook: Webhook | None
    cause: LoggedEvent | None


def take_due(tx: Tx, *, limit: int, each: int, hold_seconds: float) -> list[Outgoing]:
    """Take what is due, oldest first, at most `each` of one webhook.

    Nobody else has them for `hold_seconds`; who does not settle one until then lets it be
    sent again.
    """
    values = {"limit": limit, "each": each, "hold": hold_seconds, "looked_at": _LOOKED_AT}
    rows = tx.execute(_TAKE, values).all()
    if not rows:
        return []
    ids = sorted({str(row.webhook_id) for row in rows})
    known = {row.id: webhook_of(row) for row in tx.execute(_WEBHOOKS, {"ids": ids})}
    return [Outgoing(_delivery(row), known.get(row.webhook_id), _cause(tx, row)) for row in rows]


def settle_delivered(tx: Tx, delivery: Delivery, *, answer: int) -> None:
    """It was accepted; nothing happens when somebody else has it by now."""
    tx.execute(_DELIVERED, {"id": delivery.id, "attempts": delivery.attempts, "answer": answer})


def settle_failed(
    tx: Tx, delivery: Delivery, *, answer: int | None, error: str, delay_seconds: float | None
) -> None:
    """It was not; it is sent again after the delay, or given up without one."""
    values = {"id": delivery.id, "attempts": delivery.attempts, "delay": delay_seconds}
    tx.execute(_FAILED, {**values, "answer": answer, "error": error})


def settle_gone(tx: Tx, webhook_id: UUID) -> None:
    """Its server said that it is not there any more: tell it nothing, until it is switched on."""
    tx.execute(_GONE, {"id": webhook_id})


def forget_old(tx: Tx, *, limit: int) -> None:
    """Forget what was delivered a day ago, or given up a month ago."""
    values = {"delivered": KEPT_HOURS_DELIVERED, "dead": KEPT_HOURS_DEAD, "limit": limit}
    tx.execute(_FORGET, values)


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


def _cause(tx: Tx, row: Row[Any]) -> LoggedEvent | None:
    values = {
        "session_id": row.session_id,
        "sequence": row.sequence,
        "type": row.event,
        "turn_id": show_id(Kind.TURN, row.turn_id),
        "is_waiting": row.event == WebhookEvent.WAITING,
    }
    found = tx.execute(_CAUSE, values).one_or_none()
    return None if found is None else log.logged(found)


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

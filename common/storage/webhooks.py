"""Webhooks, always of one organization.  Writers hold `organizations.lock`."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from common.domain.webhook import Webhook, WebhookEvent
from common.storage.engine import Tx

_OURS: Final = "organization_id = :organization_id"
_FIND: Final = text(f"SELECT * FROM webhooks WHERE {_OURS} AND id = :id")
_PAGE: Final = text(f"""
    SELECT * FROM webhooks WHERE {_OURS} ORDER BY created_at DESC, id DESC
    OFFSET :offset LIMIT :limit
""")
_COUNT: Final = text(f"SELECT count(*) FROM webhooks WHERE {_OURS}")
_INSERT: Final = text("""
    INSERT INTO webhooks (id, organization_id, url, description, events, enabled, secret)
    VALUES (:id, :organization_id, :url, :description, CAST(:events AS jsonb), :enabled,
        CAST(:secret AS jsonb))
""")
_UPDATE: Final = text(f"""
    UPDATE webhooks SET url = :url, description = :description,
        events = CAST(:events AS jsonb), enabled = :enabled, updated_at = clock_timestamp(),
        gone_at = CASE WHEN :enabled THEN NULL ELSE gone_at END
    WHERE {_OURS} AND id = :id
""")
_DELETE: Final = text(f"DELETE FROM webhooks WHERE {_OURS} AND id = :id")
_FORGET_DELIVERIES: Final = text("DELETE FROM webhook_deliveries WHERE webhook_id = :id")
# What is not sent any more can be listed, and sent again once the webhook is back.
_GIVE_UP: Final = text("""
    UPDATE webhook_deliveries SET status = 'dead', ended_at = clock_timestamp(),
        last_error = 'the webhook was switched off'
    WHERE webhook_id = :id AND status = 'pending'
""")


def find(tx: Tx, organization_id: UUID, webhook_id: UUID) -> Webhook | None:
    """The webhook with that id; None when there is none."""
    row = tx.execute(_FIND, {"organization_id": organization_id, "id": webhook_id}).one_or_none()
    return None if row is None else webhook_of(row)


def find_page(
    tx: Tx, organization_id: UUID, *, offset: int, limit: int
) -> tuple[list[Webhook], int]:
    """A page of webhooks, newest first, and how many there are."""
    values = {"organization_id": organization_id, "offset": offset, "limit": limit}
    rows = tx.execute(_PAGE, values)
    return [webhook_of(row) for row in rows], count(tx, organization_id)


def count(tx: Tx, organization_id: UUID) -> int:
    """How many there are."""
    found: int = tx.execute(_COUNT, {"organization_id": organization_id}).scalar_one()
    return found


def insert(tx: Tx, webhook: Webhook) -> None:
    """Store a new webhook; its id is new."""
    tx.execute(_INSERT, {**_values(webhook), "secret": orjson.dumps(webhook.secret).decode()})


def update(tx: Tx, webhook: Webhook) -> None:
    """Replace what a caller wrote; one that is off is told nothing more."""
    tx.execute(_UPDATE, _values(webhook))
    if not webhook.enabled:
        tx.execute(_GIVE_UP, {"id": webhook.id})


def delete(tx: Tx, organization_id: UUID, webhook_id: UUID) -> bool:
    """Take it away with all that it was to be told; False when there is none."""
    gone = tx.execute(_DELETE, {"organization_id": organization_id, "id": webhook_id})
    if gone.rowcount == 0:
        return False
    tx.execute(_FORGET_DELIVERIES, {"id": webhook_id})
    return True


def webhook_of(row: Row[Any]) -> Webhook:
    """A row of the table."""
    return Webhook(
        id=row.id,
        organization_id=row.organization_id,
        url=row.url,
        description=row.description,
        events=tuple(WebhookEvent(event) for event in row.events),
        enabled=row.enabled,
        secret=row.secret,
        created_at=row.created_at,
        updated_at=row.updated_at,
        gone_at=row.gone_at,
    )


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "organization_id": webhook.organization_id,
        "url": webhook.url,
        "description": webhook.description,
        "events": orjson.dumps(webhook.events).decode(),
        "enabled": webhook.enabled,
    }

"""Tables of webhooks: whom to tell of turns, and what is still to be told."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from common.storage.columns import (
    id_column,
    json_column,
    metadata,
    ref_column,
    text_column,
    time_column,
    uuid_column,
)

# Written by api; by the sweeper when a server says that it is gone.  `secret` is an envelope.
webhooks = Table(
    "webhooks",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    text_column("url"),
    Column("description", Text),
    json_column("events", "[]"),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("secret", JSONB, nullable=False),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("gone_at"),
    Index("webhooks_of_organization", "organization_id", "id"),
)

# Written by whoever ends a turn or lets it wait, in that transaction; then by sweepers.
# Without a foreign key: a webhook that is deleted just then must not fail the turn.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    id_column(),
    uuid_column("webhook_id"),
    text_column("event"),
    uuid_column("turn_id"),
    uuid_column("session_id"),
    Column("sequence", Integer, nullable=False),
    text_column("status", "pending"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    time_column("created_at", nullable=False),
    time_column("available_at", nullable=False),
    time_column("ended_at"),
    Column("last_status", Integer),
    Column("last_error", Text),
    CheckConstraint("status IN ('pending', 'delivered', 'dead')", name="webhook_deliveries_status"),
    # What is said besides ids, since it was first sent; JSON keeps its bytes.
    Column("told", JSON),
    Index(
        "webhook_deliveries_due_of_webhook",
        "webhook_id",
        "available_at",
        postgresql_where=text("status = 'pending'"),
    ),
    Index("webhook_deliveries_ended", "ended_at", postgresql_where=text("status <> 'pending'")),
    Index("webhook_deliveries_of_webhook", "webhook_id", text("created_at DESC"), text("id DESC")),
    postgresql_with={"fillfactor": 70},
)

"""The table of the audit log."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from common.storage.columns import (
    id_column,
    json_column,
    metadata,
    text_column,
    time_column,
    uuid_column,
)

# Written by api, stream and `everturn`; triggers refuse updates, and deletes of what is not
# older than the sweeper was told (migration 0022).  Without foreign keys: it tells of what is gone.
audit_log = Table(
    "audit_log",
    metadata,
    id_column(),
    uuid_column("organization_id", nullable=True),
    time_column("at", nullable=False),
    text_column("actor_type"),
    Column("actor_id", Text),
    Column("on_behalf_of", Text),
    text_column("action"),
    text_column("outcome"),
    Column("method", Text),
    Column("route", Text),
    Column("status", Integer),
    json_column("resources", "[]"),
    Column("request_id", Text),
    Column("address", Text),
    Column("count", Integer, nullable=False, server_default=text("1")),
    CheckConstraint("outcome IN ('done', 'refused', 'failed')", name="audit_log_outcome"),
    Index("audit_log_of_organization", "organization_id", text("at DESC"), text("id DESC")),
    Index("audit_log_at", "at"),
)

"""Tables of running it: which workers there are, and which dead letters were tried again."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table
from sqlalchemy.dialects.postgresql import UUID

from common.storage.columns import id_column, metadata, text_column, time_column, uuid_column

# Written by worker (each its own row, every few seconds) and sweeper (removes old ones);
# `wanted` by api: what the worker is to be.
workers = Table(
    "workers",
    metadata,
    id_column(),
    text_column("hostname"),
    Column("pid", Integer, nullable=False),
    text_column("version"),
    text_column("status"),
    text_column("wanted", "active"),
    Column("capacity", Integer, nullable=False),
    Column("load", Integer, nullable=False),
    Column("tasks_completed", BigInteger, nullable=False),
    Column("tasks_failed", BigInteger, nullable=False),
    time_column("started_at", nullable=False),
    time_column("last_heartbeat_at", nullable=False),
    CheckConstraint("status IN ('active', 'draining', 'stopped')", name="workers_status"),
    CheckConstraint("wanted IN ('active', 'draining')", name="workers_wanted"),
    postgresql_with={"fillfactor": 50},
)

# Written by api: a sealed turn is tried again once, by the turn that is named here.
dead_letter_retries = Table(
    "dead_letter_retries",
    metadata,
    Column(
        "turn_id",
        UUID(as_uuid=True),
        ForeignKey("turns.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    uuid_column("retry_turn_id"),
    uuid_column("principal_id"),
    time_column("created_at", nullable=False),
)

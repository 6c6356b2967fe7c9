"""Tables of what agents were: one row a version, never changed."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from common.storage.columns import id_column, metadata, ref_column, time_column, uuid_column

# Written by api, in the transaction of the change that a row records.  The keys of
# `authored_config` are columns of `agents`, so that resolution reads one in place of the other.
agent_versions = Table(
    "agent_versions",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    Column(
        "agent_id",
        UUID(as_uuid=True),
        ForeignKey("agents.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("version_number", Integer, nullable=False),
    Column("semver_major", Integer, nullable=False),
    Column("semver_minor", Integer, nullable=False),
    Column("semver_patch", Integer, nullable=False),
    Column("change_kind", Text, nullable=False),
    Column("summary", Text),
    Column("config_hash", Text, nullable=False),
    Column("authored_config", JSONB, nullable=False),
    Column("resolved_config", JSONB, nullable=False),
    uuid_column("source_version_id", nullable=True),
    uuid_column("created_by_principal_id", nullable=True),
    time_column("created_at", nullable=False),
    CheckConstraint(
        "change_kind IN"
        " ('auto', 'manual', 'patch', 'minor', 'major', 'import', 'rollback', 'fork')",
        name="agent_versions_change_kind",
    ),
    UniqueConstraint("agent_id", "version_number", name="agent_versions_number"),
)

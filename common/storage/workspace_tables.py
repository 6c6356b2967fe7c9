"""Tables of workspaces, their files, and what sessions keep beside their log."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from common.storage.columns import id_column, metadata, ref_column, time_column, uuid_column

# Written by api: the shared ones.  A session's own workspace has no row here.
workspaces = Table(
    "workspaces",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("archived_at"),
    time_column("deleted_at"),
    CheckConstraint("status IN ('active', 'archived', 'deleted')", name="workspaces_status"),
    Index(
        "workspaces_name",
        "organization_id",
        "name",
        unique=True,
        postgresql_where=text("status <> 'deleted'"),
    ),
    Index("workspaces_deleted", "deleted_at", postgresql_where=text("status = 'deleted'")),
)

# Written by api and worker, with every change of a workspace's files: the lock that lets one
# writer at a time change a tree, and the running totals that its limits are held against.
workspace_usage = Table(
    "workspace_usage",
    metadata,
    Column("workspace_id", UUID(as_uuid=True), primary_key=True),
    ref_column("organization_id", "organizations.id"),
    Column("files", Integer, nullable=False, server_default=text("0")),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    postgresql_with={"fillfactor": 50},
)

# Written by api and worker.  Paths compare by byte, so that a directory is a range of them.
workspace_files = Table(
    "workspace_files",
    metadata,
    ref_column("organization_id", "organizations.id"),
    uuid_column("workspace_id"),
    Column("path", Text(collation="C"), nullable=False),
    Column("parent", Text(collation="C"), nullable=False),
    uuid_column("id"),
    Column("is_directory", Boolean, nullable=False, server_default=text("false")),
    Column("is_readonly", Boolean, nullable=False, server_default=text("false")),
    Column("content", LargeBinary),
    Column("size_bytes", Integer, nullable=False, server_default=text("0")),
    Column("content_hash", Text),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    PrimaryKeyConstraint("workspace_id", "path"),
    Index("workspace_files_children", "workspace_id", "parent", "path"),
)

# Written by worker: what an agent keeps by key.
session_values = Table(
    "session_values",
    metadata,
    ref_column("organization_id", "organizations.id"),
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    PrimaryKeyConstraint("session_id", "key"),
)

# Written by api and worker: `secret` is an envelope of common.encryption.
session_secrets = Table(
    "session_secrets",
    metadata,
    ref_column("organization_id", "organizations.id"),
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("name", Text, nullable=False),
    Column("secret", JSONB, nullable=False),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    PrimaryKeyConstraint("session_id", "name"),
)

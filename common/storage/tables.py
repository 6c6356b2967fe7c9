"""The tables, with a line each on who writes them.  Private to this package.

Migrations are written by hand; a test compares what they make with this.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from common.storage.columns import (
    id_column,
    json_column,
    metadata,
    ref_column,
    time_column,
    uuid_column,
)

_OPEN_TURN = "status IN ('queued', 'running', 'waiting')"

# Written by an operator; the default one by the first migration.
organizations = Table(
    "organizations",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("default_model_id", Text),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
)

# Written by api; the built-in rows belong to no organization and are written by migrations.
harnesses = Table(
    "harnesses",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id", nullable=True),
    Column("name", Text, nullable=False),
    Column("display_name", Text),
    Column("description", Text),
    Column("system_prompt", Text, nullable=False, server_default=text("''")),
    json_column("capabilities", "[]"),
    Column("default_model_id", Text),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("is_built_in", Boolean, nullable=False, server_default=text("false")),
    Column("slug", Text),
    ref_column("parent_harness_id", "harnesses.id", nullable=True),
    json_column("tags", "[]"),
    json_column("tools", "[]"),
    json_column("initial_files", "[]"),
    json_column("mcp_servers", "{}"),
    Column("network_access", JSONB),
    Column("parallel_tool_calls", Boolean),
    json_column("embedder_metadata", "{}"),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("archived_at"),
    time_column("deleted_at"),
    Index(
        "harnesses_slug",
        "organization_id",
        "slug",
        unique=True,
        postgresql_where=text("status <> 'deleted'"),
    ),
)

# Written by api.  `slug` is the name as it is looked up; `version` is the number of the newest
# row in agent_versions.
agents = Table(
    "agents",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("display_name", Text),
    Column("description", Text),
    Column("system_prompt", Text, nullable=False),
    ref_column("harness_id", "harnesses.id"),
    Column("default_model_id", Text),
    json_column("fallback_models", "[]"),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    json_column("tags", "[]"),
    json_column("capabilities", "[]"),
    json_column("tools", "[]"),
    json_column("initial_files", "[]"),
    json_column("mcp_servers", "{}"),
    Column("network_access", JSONB),
    Column("max_iterations", Integer),
    Column("parallel_tool_calls", Boolean),
    uuid_column("root_agent_id", nullable=True),
    uuid_column("forked_from_agent_id", nullable=True),
    uuid_column("forked_from_version_id", nullable=True),
    uuid_column("default_version_id", nullable=True),
    Column("version", Integer, nullable=False, server_default=text("1")),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("archived_at"),
    time_column("deleted_at"),
    CheckConstraint("status IN ('active', 'archived', 'deleted')", name="agents_status"),
    Index(
        "agents_slug",
        "organization_id",
        "slug",
        unique=True,
        postgresql_where=text("status <> 'deleted'"),
    ),
    Index("agents_newest", "organization_id", text("created_at DESC"), text("id DESC")),
)

# Written by api: what a session is.  What changes with every event is in session_heads.
sessions = Table(
    "sessions",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    ref_column("agent_id", "agents.id", nullable=True),
    ref_column("harness_id", "harnesses.id"),
    uuid_column("workspace_id"),
    uuid_column("owner_principal_id"),
    Column("title", Text),
    Column("locale", Text),
    Column("model_id", Text),
    Column("system_prompt", Text),
    json_column("tags", "[]"),
    json_column("capabilities", "[]"),
    json_column("tools", "[]"),
    json_column("initial_files", "[]"),
    json_column("mcp_servers", "{}"),
    Column("hints", JSONB),
    Column("network_access", JSONB),
    Column("max_iterations", Integer),
    Column("parallel_tool_calls", Boolean),
    # What a person has decided for good, by tool name: allow_always or reject_always.
    json_column("tool_decisions", "{}"),
    uuid_column("parent_session_id", nullable=True),
    uuid_column("forked_from_session_id", nullable=True),
    Column("forked_from_sequence", Integer),
    Column("is_chat", Boolean, nullable=False, server_default=text("false")),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("deleted_at"),
    Index(
        "sessions_newest",
        "organization_id",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "sessions_of_agent",
        "agent_id",
        text("created_at DESC"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "sessions_of_harness",
        "organization_id",
        "harness_id",
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "sessions_chat",
        "organization_id",
        "owner_principal_id",
        unique=True,
        postgresql_where=text("is_chat AND deleted_at IS NULL"),
    ),
    Index("sessions_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    Index("sessions_of_workspace", "workspace_id", postgresql_where=text("deleted_at IS NULL")),
)

# Written by every append, under its row lock: order, fence and running totals.
session_heads = Table(
    "session_heads",
    metadata,
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("status", Text, nullable=False, server_default=text("'started'")),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("last_sequence", Integer, nullable=False, server_default=text("0")),
    Column("last_input_sequence", Integer, nullable=False, server_default=text("0")),
    Column(
        "last_ts",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("date_trunc('milliseconds', now())"),
    ),
    uuid_column("open_turn_id", nullable=True),
    Column("message_count", Integer, nullable=False, server_default=text("0")),
    Column("input_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("cache_read_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("cache_creation_tokens", BigInteger, nullable=False, server_default=text("0")),
    # The newest `context.compacted`, 0 for none: a reader need not look further back.
    Column("compacted_sequence", Integer, nullable=False, server_default=text("0")),
    time_column("started_at"),
    CheckConstraint(
        "status IN ('started', 'active', 'idle', 'waitingfortoolresults')",
        name="session_heads_status",
    ),
    Index(
        "session_heads_busy",
        "session_id",
        postgresql_where=text("status IN ('active', 'waitingfortoolresults')"),
    ),
    postgresql_with={"fillfactor": 50},
)

# Written by api (new, cancelled), worker (claim, end) and sweeper; also the outbox.
turns = Table(
    "turns",
    metadata,
    id_column(),
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    ref_column("organization_id", "organizations.id"),
    Column("status", Text, nullable=False, server_default=text("'queued'")),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    Column("input_sequence", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("reclaims", Integer, nullable=False, server_default=text("0")),
    Column("handed_over", Boolean, nullable=False, server_default=text("false")),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    time_column("available_at", nullable=False),
    Column("lease_owner", Text),
    time_column("lease_until"),
    # While it waits: the event that says for what, and when that is over.
    Column("waiting_sequence", Integer),
    time_column("waiting_until"),
    # How it lost its workers, the last ten times: for people, nothing is decided by it.
    json_column("losses", "[]"),
    time_column("created_at", nullable=False),
    time_column("started_at"),
    time_column("ended_at"),
    CheckConstraint(
        "status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'sealed')",
        name="turns_status",
    ),
    Index("turns_open", "session_id", unique=True, postgresql_where=text(_OPEN_TURN)),
    Index("turns_newest", "session_id", text("input_sequence DESC")),
    Index("turns_of_organization", "organization_id", text("id DESC")),
    Index("turns_queued", "available_at", postgresql_where=text("status = 'queued'")),
    # Whose turn it is when more wait than can run, see `common.storage.fair_share`.
    Index(
        "turns_fair",
        "organization_id",
        "created_at",
        postgresql_where=text("status = 'queued'"),
    ),
    Index("turns_running", "lease_until", postgresql_where=text("status = 'running'")),
    Index("turns_waiting", "waiting_until", postgresql_where=text("status = 'waiting'")),
    Index(
        "turns_sealed",
        "organization_id",
        text("ended_at DESC"),
        postgresql_where=text("status = 'sealed'"),
    ),
    postgresql_with={"fillfactor": 70},
)

# Written by worker: the resolved configuration that turns run on, once per hash.
turn_configs = Table(
    "turn_configs",
    metadata,
    ref_column("organization_id", "organizations.id"),
    Column("hash", Text, nullable=False),
    Column("config", JSONB, nullable=False),
    time_column("created_at", nullable=False),
    PrimaryKeyConstraint("organization_id", "hash"),
)

# Written by api and worker, through storage.log alone.  Never updated.
# `private` is what a provider wants back with the next request; no reader is ever shown it.
events = Table(
    "events",
    metadata,
    uuid_column("session_id"),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    time_column("ts", nullable=False),
    Column("context", JSONB, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("private", JSONB),
    PrimaryKeyConstraint("session_id", "sequence"),
    Index(
        "events_messages",
        "session_id",
        "sequence",
        postgresql_where=text(
            "type IN ('input.message', 'output.message.completed', 'tool.completed')"
        ),
    ),
)

# Written by api: the first insert of the transaction of the effect it names.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    ref_column("organization_id", "organizations.id"),
    Column("method", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("resource_id", Text),
    Column("status_code", SmallInteger),
    time_column("created_at", nullable=False),
    PrimaryKeyConstraint("organization_id", "method", "route", "scope", "key"),
    Index("idempotency_keys_age", "created_at"),
)

# Written by api: who pinned which session.
session_pins = Table(
    "session_pins",
    metadata,
    Column(
        "session_id",
        UUID(as_uuid=True),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    uuid_column("principal_id"),
    time_column("created_at", nullable=False),
    PrimaryKeyConstraint("session_id", "principal_id"),
)

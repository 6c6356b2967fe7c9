"""Providers of models, and the models they offer.  Private to this package.

Rows without an organization are built in: everybody's to use, written by migrations alone.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
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
    text_column,
    time_column,
)

# Written by api.  `api_key` is an envelope of common.encryption, purpose `provider:<id>`.
providers = Table(
    "providers",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id", nullable=True),
    text_column("name"),
    text_column("provider_type"),
    text_column("base_url", nullable=True),
    Column("api_key", JSONB),
    json_column("settings", "{}"),
    text_column("status", "active"),
    time_column("last_synced_at"),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    CheckConstraint("status IN ('active', 'disabled')", name="providers_status"),
    Index("providers_name", "organization_id", text("lower(name)"), unique=True),
)

# Written by api.  `model_id` is the provider's name for it; `settings` are its driver's options.
models = Table(
    "models",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id", nullable=True),
    Column("model_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    # The provider's, for the release that knows no providers.
    Column("provider_type", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    json_column("settings", "{}"),
    Column("provider_id", UUID(as_uuid=True), ForeignKey("providers.id", ondelete="CASCADE")),
    Column("is_favorite", Boolean, nullable=False, server_default=text("false")),
    text_column("source", "manual"),
    Column("stale_since", DateTime(timezone=True)),
    Column("profile", JSONB),
    json_column("capabilities", '["chat"]'),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    CheckConstraint("source IN ('manual', 'discovered', 'predefined')", name="models_source"),
    Index("models_of_provider", "provider_id", "model_id", unique=True),
    Index("models_of_organization", "organization_id"),
    # A turn names its model by one of these, or by the row's id.
    Index("models_by_name", "model_id"),
    Index("models_by_type", "provider_type"),
)

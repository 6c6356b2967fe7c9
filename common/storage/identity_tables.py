"""Tables of people: users, what they belong to, and how they are logged in."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from common.storage.columns import (
    id_column,
    metadata,
    ref_column,
    text_column,
    time_column,
    uuid_column,
)

# Written by api and by `everturn users`.
users = Table(
    "users",
    metadata,
    id_column(),
    # In lower case.
    Column("email", Text, nullable=False),
    text_column("name", ""),
    # Argon2id, with its parameters and salt; null: there is none, and no way in by it.
    text_column("password_hash", nullable=True),
    Column("is_operator", Boolean, nullable=False, server_default=text("false")),
    time_column("created_at", nullable=False),
    time_column("updated_at", nullable=False),
    time_column("disabled_at"),
    Index("users_email", "email", unique=True),
)

# Written by api and by `everturn users`, under the lock of the organization: one that has an
# owner never loses the last.
organization_members = Table(
    "organization_members",
    metadata,
    ref_column("organization_id", "organizations.id"),
    ref_column("user_id", "users.id"),
    text_column("role"),
    time_column("created_at", nullable=False),
    PrimaryKeyConstraint("organization_id", "user_id"),
    Index("organization_members_of_user", "user_id"),
)

# Written by api.  A login is a family of refresh tokens, of which one is good; revoking it ends
# all its tokens.
logins = Table(
    "logins",
    metadata,
    id_column(),
    Column(
        "user_id", UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False
    ),
    # Where it acts when a request names no organization.
    uuid_column("acts_in", nullable=True),
    text_column("user_agent", nullable=True),
    time_column("created_at", nullable=False),
    time_column("refreshed_at", nullable=False),
    time_column("expires_at"),
    time_column("revoked_at"),
    Index("logins_of_user", "user_id"),
)

# Written by api; those that were used stay until they would have expired, to know a thief by.
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    # SHA-256 of its text, which is kept nowhere.
    Column("digest", Text, primary_key=True),
    Column(
        "login_id", UUID(as_uuid=True), ForeignKey("logins.id", ondelete="CASCADE"), nullable=False
    ),
    time_column("created_at", nullable=False),
    time_column("expires_at"),
    time_column("used_at"),
    Index("refresh_tokens_of_login", "login_id"),
)

# Written by api.
invitations = Table(
    "invitations",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    Column("email", Text, nullable=False),
    text_column("role"),
    Column("digest", Text, nullable=False),
    uuid_column("invited_by"),
    time_column("created_at", nullable=False),
    time_column("expires_at"),
    Index("invitations_digest", "digest", unique=True),
    Index("invitations_of_organization", "organization_id"),
)

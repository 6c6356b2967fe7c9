"""Tables of images: what was uploaded, and the bytes that uploads share."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from common.storage.columns import (
    id_column,
    metadata,
    ref_column,
    text_column,
    time_column,
    uuid_column,
)

# Written by api.  Bytes that were uploaded once in an organization are kept once; the blob's
# key is made of ids, so that what is being deleted never has the name of what is being put.
image_blobs = Table(
    "image_blobs",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    text_column("digest"),
    Column("size_bytes", BigInteger, nullable=False),
    text_column("media_type"),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    text_column("thumbnail_type", nullable=True),
    time_column("created_at", nullable=False),
    Index("image_blobs_digest", "organization_id", "digest", unique=True),
)

# Written by api.
images = Table(
    "images",
    metadata,
    id_column(),
    ref_column("organization_id", "organizations.id"),
    ref_column("blob_id", "image_blobs.id"),
    Column("session_id", UUID(as_uuid=True), ForeignKey("sessions.id", ondelete="SET NULL")),
    uuid_column("owner_principal_id"),
    Column("filename", Text, nullable=False),
    time_column("created_at", nullable=False),
    Index("images_newest", "organization_id", text("created_at DESC"), text("id DESC")),
    Index("images_of_blob", "blob_id"),
    Index("images_of_session", "session_id"),
)

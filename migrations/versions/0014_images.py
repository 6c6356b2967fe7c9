"""Images, and the bytes that they share.

Safe with the running version: tables that it does not know.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE image_blobs (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    digest TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    thumbnail_type TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX image_blobs_digest ON image_blobs (organization_id, digest);
CREATE TABLE images (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    blob_id UUID NOT NULL,
    session_id UUID,
    owner_principal_id UUID NOT NULL,
    filename TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(organization_id) REFERENCES organizations (id),
    FOREIGN KEY(blob_id) REFERENCES image_blobs (id),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE SET NULL
);
CREATE INDEX images_newest ON images (organization_id, created_at DESC, id DESC);
CREATE INDEX images_of_blob ON images (blob_id);
CREATE INDEX images_of_session ON images (session_id);
"""


def upgrade() -> None:
    op.execute(_CHANGES)

"""Uploaded images and the bytes they share, always of one organization.

Bytes are kept once an organization.  A blob's row goes with the last image that uses it, and
whoever wants to use one holds its row meanwhile; so a row that is there always has its bytes,
and bytes without a row are garbage.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from common.domain.image import Image, Picture
from common.storage.engine import Tx

_COLUMNS: Final = """
    i.id, i.organization_id, i.blob_id, i.session_id, i.filename, i.created_at, b.digest,
    b.size_bytes, b.media_type, b.width, b.height, b.thumbnail_type
"""
_FROM: Final = "FROM images i JOIN image_blobs b ON b.id = i.blob_id"
_OURS: Final = "i.organization_id = :organization_id"
_OF_SESSION: Final = "(CAST(:session_id AS uuid) IS NULL OR i.session_id = :session_id)"

_FIND: Final = text(f"SELECT {_COLUMNS} {_FROM} WHERE i.id = ANY(:ids) AND {_OURS}")
_PAGE: Final = text(f"""
    SELECT {_COLUMNS} {_FROM} WHERE {_OURS} AND {_OF_SESSION}
    ORDER BY i.created_at DESC, i.id DESC OFFSET :offset LIMIT :limit
""")
_COUNT: Final = text(f"SELECT count(*) FROM images i WHERE {_OURS} AND {_OF_SESSION}")
_KNOWN: Final = text(f"SELECT i.id FROM images i WHERE i.id = ANY(:ids) AND {_OURS}")
_HOLD_BLOB: Final = text("""
    SELECT id FROM image_blobs WHERE organization_id = :organization_id AND digest = :digest
    FOR KEY SHARE
""")
# Of two that bring the same bytes at once, the second one takes the first one's.
_INSERT_BLOB: Final = text("""
    INSERT INTO image_blobs (id, organization_id, digest, size_bytes, media_type, width, height,
        thumbnail_type)
    VALUES (:blob_id, :organization_id, :digest, :size_bytes, :media_type, :width, :height,
        :thumbnail_type)
    ON CONFLICT (organization_id, digest) DO UPDATE SET digest = excluded.digest
    RETURNING id
""")
_INSERT: Final = text("""
    INSERT INTO images (id, organization_id, blob_id, session_id, owner_principal_id, filename)
    VALUES (:id, :organization_id, :blob_id, :session_id, :principal_id, :filename)
""")
_DELETE: Final = text(f"DELETE FROM images i WHERE i.id = :id AND {_OURS} RETURNING i.blob_id")
_LOCK_BLOB: Final = text("SELECT 1 FROM image_blobs WHERE id = :blob_id FOR UPDATE")
_DELETE_BLOB: Final = text("""
    DELETE FROM image_blobs WHERE id = :blob_id
        AND NOT EXISTS (SELECT 1 FROM images WHERE blob_id = :blob_id)
    RETURNING id
""")
_BLOBS: Final = text("SELECT id FROM image_blobs WHERE id = ANY(:ids)")


def blob_key(organization_id: UUID, blob_id: UUID) -> str:
    """Where a blob's bytes are kept."""
    return f"{organization_id.hex}/{blob_id.hex[-2:]}/{blob_id.hex}"


def thumbnail_key(organization_id: UUID, blob_id: UUID) -> str:
    """Where the thumbnail of a blob is kept."""
    return f"{blob_key(organization_id, blob_id)}.thumbnail"


def find(tx: Tx, organization_id: UUID, image_id: UUID) -> Image | None:
    """The image, None when the organization has none of that id."""
    return next(iter(find_all(tx, organization_id, [image_id])), None)


def find_all(tx: Tx, organization_id: UUID, image_ids: Iterable[UUID]) -> list[Image]:
    """Those of the images that there are, in no particular order."""
    rows = tx.execute(_FIND, {"organization_id": organization_id, "ids": list(image_ids)})
    return [_image(row) for row in rows]


def find_page(
    tx: Tx, organization_id: UUID, *, session_id: UUID | None, offset: int, limit: int
) -> tuple[list[Image], int]:
    """A page, newest first, and how many there are."""
    named = {"organization_id": organization_id, "session_id": session_id}
    rows = tx.execute(_PAGE, {**named, "offset": offset, "limit": limit})
    return [_image(row) for row in rows], int(tx.execute(_COUNT, named).scalar_one())


def unknown(tx: Tx, organization_id: UUID, image_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that name no image of the organization."""
    wanted = set(image_ids)
    found = tx.execute(_KNOWN, {"organization_id": organization_id, "ids": list(wanted)})
    return wanted - set(found.scalars())


def hold_blob(tx: Tx, organization_id: UUID, digest: str) -> UUID | None:
    """The blob of these bytes, kept until the transaction ends; None when there is none."""
    named = {"organization_id": organization_id, "digest": digest}
    found: UUID | None = tx.execute(_HOLD_BLOB, named).scalar_one_or_none()
    return found


def insert_blob(
    tx: Tx, organization_id: UUID, blob_id: UUID, picture: Picture, *, digest: str, size_bytes: int
) -> UUID:
    """Name bytes that were put; returns the blob that they now are, which may be an older one."""
    inserted: UUID = tx.execute(
        _INSERT_BLOB,
        {
            "blob_id": blob_id,
            "organization_id": organization_id,
            "digest": digest,
            "size_bytes": size_bytes,
            "media_type": picture.media_type,
            "width": picture.width,
            "height": picture.height,
            "thumbnail_type": picture.thumbnail_type,
        },
    ).scalar_one()
    return inserted


def insert(
    tx: Tx,
    organization_id: UUID,
    image_id: UUID,
    blob_id: UUID,
    *,
    session_id: UUID | None,
    principal_id: UUID,
    filename: str,
) -> None:
    """Store an image; the caller holds its blob."""
    tx.execute(
        _INSERT,
        {
            "id": image_id,
            "organization_id": organization_id,
            "blob_id": blob_id,
            "session_id": session_id,
            "principal_id": principal_id,
            "filename": filename,
        },
    )


def delete(tx: Tx, organization_id: UUID, image_id: UUID) -> tuple[bool, UUID | None]:
    """Remove an image; whether there was one, and the blob that nobody uses any more."""
    named = {"id": image_id, "organization_id": organization_id}
    blob_id = tx.execute(_DELETE, named).scalar_one_or_none()
    if blob_id is None:
        return False, None
    tx.execute(_LOCK_BLOB, {"blob_id": blob_id})
    unused: UUID | None = tx.execute(_DELETE_BLOB, {"blob_id": blob_id}).scalar_one_or_none()
    return True, unused


def existing_blobs(tx: Tx, blob_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the blobs that have a row, of whatever organization."""
    return set(tx.execute(_BLOBS, {"ids": list(blob_ids)}).scalars())


def _image(row: Row[Any]) -> Image:
    return Image(
        id=row.id,
        organization_id=row.organization_id,
        blob_id=row.blob_id,
        session_id=row.session_id,
        filename=row.filename,
        size_bytes=row.size_bytes,
        digest=row.digest,
        picture=Picture(row.media_type, row.width, row.height, row.thumbnail_type),
        created_at=row.created_at,
    )

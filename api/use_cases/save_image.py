"""Keep an image, and let one go.

The bytes come first and the row after them: what has a row can be read, and what a process
that dies in between leaves behind is garbage that nobody can see (`common.storage.images`).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from uuid import UUID

import structlog

from api.auth import Caller
from api.deps import Deps
from api.uploads import PART, Upload
from common.domain.errors import (
    BlobsUnavailable,
    DomainError,
    FieldProblem,
    NotFound,
    Overloaded,
    Unprocessable,
    UnsupportedMedia,
)
from common.domain.image import Image, Picture
from common.images.workshop import Busy, NotTaken
from common.storage import idempotency, images, sessions
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey

_log = structlog.get_logger()
_ERROR_OF: Final[dict[str, type[DomainError]]] = {"format": UnsupportedMedia}


class _NotKept(Exception):
    """These bytes are new to the organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saving:
    """An upload on its way to being the image `image_id`."""

    caller: Caller
    upload: Upload
    image_id: UUID
    session_id: UUID | None
    key: IdempotencyKey | None


def save_image(
    deps: Deps,
    caller: Caller,
    upload: Upload,
    *,
    session_id: UUID | None,
    key: IdempotencyKey | None,
) -> Image:
    """Keep an upload; bytes that the organization has already are kept once.

    Raises:
        NotFound: there is no such session.
        UnsupportedMedia, Unprocessable: it is no image that is taken.
        Overloaded, BlobsUnavailable: try again later.
        IdempotencyKeyReused: the key came with another upload.
    """
    saving = _Saving(
        caller=caller, upload=upload, image_id=deps.new_id(), session_id=session_id, key=key
    )
    try:
        with deps.database.transaction() as tx:
            return _store(tx, saving, None)
    except _NotKept:
        pass
    picture, thumbnail = _examine(deps, upload)
    blob_id = deps.new_id()
    picture = _put(deps, saving, blob_id, picture, thumbnail)
    with deps.database.transaction() as tx:
        image = _store(tx, saving, (blob_id, picture))
    if image.blob_id != blob_id:
        # Somebody else brought the same bytes at the same time.
        _drop_blob(deps, caller, blob_id)
    return image


def delete_image(deps: Deps, caller: Caller, image_id: UUID) -> None:
    """Delete an image; its bytes go too, unless another image has the same.

    Raises:
        NotFound: there is no such image.
    """
    with deps.database.transaction() as tx:
        was_there, unused = images.delete(tx, caller.organization_id, image_id)
    if not was_there:
        raise NotFound("Image not found")
    if unused is not None:
        _drop_blob(deps, caller, unused)


def find_image(tx: Tx, caller: Caller, image_id: UUID) -> Image:
    """The image.

    Raises:
        NotFound: there is none of that id for this caller.
    """
    found = images.find(tx, caller.organization_id, image_id)
    if found is None:
        raise NotFound("Image not found")
    return found


def _store(tx: Tx, saving: _Saving, made: tuple[UUID, Picture] | None) -> Image:
    """Store the image over bytes that are kept already, or over those that were just put."""
    organization_id, upload = saving.caller.organization_id, saving.upload
    if saving.key is not None:
        first = idempotency.first_answer(
            tx, saving.key, resource_id=saving.image_id.hex, status_code=HTTPStatus.CREATED
        )
        if first is not None:
            return find_image(tx, saving.caller, UUID(first.resource_id))
    session_id = saving.session_id
    if session_id is not None and not sessions.exists(tx, organization_id, session_id):
        raise NotFound("Session not found")
    if made is not None:
        blob_id = images.insert_blob(
            tx, organization_id, *made, digest=upload.digest, size_bytes=upload.size_bytes
        )
    else:
        held = images.hold_blob(tx, organization_id, upload.digest)
        if held is None:
            raise _NotKept
        blob_id = held
    images.insert(
        tx,
        organization_id,
        saving.image_id,
        blob_id,
        session_id=session_id,
        principal_id=saving.caller.principal_id,
        filename=upload.filename,
    )
    return find_image(tx, saving.caller, saving.image_id)


def _examine(deps: Deps, upload: Upload) -> tuple[Picture, bytes]:
    try:
        with deps.workshop.place() as place:
            return place.examine(upload.file)
    except NotTaken as refused:
        kind = _ERROR_OF.get(refused.why, Unprocessable)
        problem = FieldProblem(PART, refused.message)
        raise kind(f"{PART}: {refused.message}", problems=(problem,)) from refused
    except Busy as busy:
        raise Overloaded("Too many images are being looked into; try again") from busy


def _put(deps: Deps, saving: _Saving, blob_id: UUID, picture: Picture, thumbnail: bytes) -> Picture:
    """Keep the bytes, and the thumbnail if that can be."""
    organization_id = saving.caller.organization_id
    deps.blobs.put(images.blob_key(organization_id, blob_id), saving.upload.file)
    if picture.thumbnail_type is None:
        return picture
    try:
        key = images.thumbnail_key(organization_id, blob_id)
        deps.blobs.put(key, io.BytesIO(thumbnail))
    except BlobsUnavailable:
        _log.warning("thumbnail_not_kept")
        return replace(picture, thumbnail_type=None)
    return picture


def _drop_blob(deps: Deps, caller: Caller, blob_id: UUID) -> None:
    """Remove bytes that have no row; what cannot be removed now is collected later."""
    organization_id = caller.organization_id
    try:
        deps.blobs.delete(images.blob_key(organization_id, blob_id))
        deps.blobs.delete(images.thumbnail_key(organization_id, blob_id))
    except BlobsUnavailable:
        _log.info("blob_left_for_collection")

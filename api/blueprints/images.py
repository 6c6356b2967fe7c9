"""Images: upload, list, download, thumbnail, delete (contract 3.2)."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from api.downloads import file_response
from api.endpoint import Answer, Call, Contract, bound_to, endpoint, load_body
from api.schemas.images import (
    ImageFieldsSchema,
    ImageListQuery,
    ImageListSchema,
    ImageSchema,
    ImageUploadSchema,
    show_image,
)
from api.schemas.shared import page, page_limit
from api.uploads import received
from api.use_cases import save_image as use
from common.blobs.store import BlobMissing
from common.domain.access import Scope
from common.domain.errors import BadRequest, NotFound
from common.domain.image import Image
from common.storage import images

blueprint = APIBlueprint("images", __name__, url_prefix="/v1")

_FIELDS = ImageFieldsSchema()
_PARTS = {206: "A range of it", 304: "Not modified"}


@blueprint.post("/images")
@endpoint(
    Contract(
        summary="Upload an image",
        scope=Scope.IMAGES_WRITE,
        status=201,
        query=_FIELDS,
        takes=ImageUploadSchema(),
        takes_file=True,
        needs_body=True,
        returns=ImageSchema(),
        fails=(404, 413, 415, 422, 503),
    )
)
def upload_image(call: Call[None, dict[str, Any]]) -> Answer:
    """Keep a PNG, JPEG, GIF or WebP file, known by its content; `session_id` is a label."""
    settings = call.deps.settings
    directory, limit_bytes = settings.incoming_directory, settings.image_limit_bytes
    with received(request, directory=directory, limit_bytes=limit_bytes) as upload:
        given = {name: value for name, value in upload.fields.items() if value}
        session_id = load_body(_FIELDS, given)["session_id"]
        if session_id is None:
            session_id = call.query["session_id"]
        elif call.query["session_id"] not in (None, session_id):
            raise BadRequest("session_id: The form and the query name different sessions")
        key = bound_to(call.key, upload.digest, upload.filename, str(session_id))
        saved = use.save_image(call.deps, call.caller, upload, session_id=session_id, key=key)
    return show_image(saved)


@blueprint.get("/images")
@endpoint(
    Contract(
        summary="List images",
        scope=Scope.IMAGES_READ,
        query=ImageListQuery(),
        returns=ImageListSchema(),
        fails=(404, 503),
    )
)
def list_images(call: Call[None, dict[str, Any]]) -> Answer:
    """List a page of images, newest first; with `session_id` those uploaded for a session."""
    offset, limit = call.query["offset"], page_limit(call.query)
    with call.deps.database.reading() as tx:
        found, total = images.find_page(
            tx,
            call.caller.organization_id,
            session_id=call.query["session_id"],
            offset=offset,
            limit=limit,
        )
    return page([show_image(each) for each in found], total=total, offset=offset, limit=limit)


@blueprint.get("/images/<image_id>")
@endpoint(
    Contract(
        summary="Download an image",
        scope=Scope.IMAGES_READ,
        content_type="image/*",
        also=_PARTS,
        fails=(404, 412, 416, 503),
    )
)
def download_image(call: Call[None, None], image_id: UUID) -> Answer:
    """Get the bytes as they were uploaded; with Range a part of them, with ETag if changed."""
    image = _find(call, image_id)
    key = images.blob_key(image.organization_id, image.blob_id)
    read = partial(call.deps.blobs.read, key)
    try:
        return file_response(
            request,
            read,
            size_bytes=image.size_bytes,
            etag=image.digest,
            content_type=image.picture.media_type,
            name=image.filename,
        )
    except BlobMissing as missing:
        # Deleted since it was looked up.
        raise NotFound("Image not found") from missing


@blueprint.get("/images/<image_id>/info")
@endpoint(
    Contract(
        summary="Get what is known of an image",
        scope=Scope.IMAGES_READ,
        returns=ImageSchema(),
        fails=(404, 503),
    )
)
def get_image_info(call: Call[None, None], image_id: UUID) -> Answer:
    """Get the image's name, size and kind."""
    return show_image(_find(call, image_id))


@blueprint.get("/images/<image_id>/thumbnail")
@endpoint(
    Contract(
        summary="Get an image's thumbnail",
        scope=Scope.IMAGES_READ,
        content_type="image/*",
        also=_PARTS,
        fails=(404, 412, 416, 503),
    )
)
def get_thumbnail(call: Call[None, None], image_id: UUID) -> Answer:
    """Get a small picture of it: upright, at most 200 by 200, JPEG, or PNG if it is see-through."""
    image = _find(call, image_id)
    thumbnail_type = image.picture.thumbnail_type
    if thumbnail_type is None:
        raise NotFound("The image has no thumbnail")
    key = images.thumbnail_key(image.organization_id, image.blob_id)
    try:
        content = b"".join(call.deps.blobs.read(key))
    except BlobMissing as missing:
        raise NotFound("Image not found") from missing
    return _thumbnail_response(image, content, thumbnail_type)


@blueprint.delete("/images/<image_id>")
@endpoint(
    Contract(summary="Delete an image", scope=Scope.IMAGES_WRITE, status=204, fails=(404, 503))
)
def delete_image(call: Call[None, None], image_id: UUID) -> Answer:
    """Delete it; where messages show it, the agent is told that it is gone."""
    use.delete_image(call.deps, call.caller, image_id)
    return None


def _find(call: Call[None, None], image_id: UUID) -> Image:
    with call.deps.database.reading() as tx:
        return use.find_image(tx, call.caller, image_id)


def _thumbnail_response(image: Image, content: bytes, media_type: str) -> Response:
    extension = media_type.removeprefix("image/").replace("jpeg", "jpg")

    def part(start: int, end: int) -> Any:
        return iter((content[start:end],))

    return file_response(
        request,
        part,
        size_bytes=len(content),
        # It is made of the bytes alone.
        etag=f"{image.digest}-thumbnail",
        content_type=media_type,
        name=f"thumbnail.{extension}",
    )

"""Images on the wire (contract 3.2)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from api.schemas.fields import Id, QueryInteger
from api.schemas.shared import LARGEST_OFFSET, LARGEST_PAGE
from common.domain.ids import Kind, show_id
from common.domain.image import MEDIA_TYPES, Image
from common.event_codec import show_time

_DEFAULT_PAGE: Final = 50


class ImageUploadSchema(Schema):
    """The form of POST /images."""

    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})
    session_id = fields.String()


class ImageFieldsSchema(Schema):
    """What the form has beside the file, also taken from the query."""

    session_id = Id(Kind.SESSION, load_default=None)


class ImageListQuery(Schema):
    """Query of GET /images."""

    session_id = Id(Kind.SESSION, load_default=None)
    offset = QueryInteger(load_default=0, validate=validate.Range(min=0, max=LARGEST_OFFSET))
    limit = QueryInteger(
        load_default=_DEFAULT_PAGE,
        validate=validate.Range(min=1),
        metadata={"description": f"At most {LARGEST_PAGE}."},
    )


class ImageSchema(Schema):
    """An uploaded image; what it shows is at `GET /images/{id}`."""

    id = fields.String(required=True)
    filename = fields.String(required=True)
    content_type = fields.String(required=True, validate=validate.OneOf(MEDIA_TYPES))
    size_bytes = fields.Integer(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    has_thumbnail = fields.Boolean(required=True)
    session_id = fields.String(required=True, allow_none=True)
    metadata = fields.Dict(required=True)
    created_at = fields.DateTime(required=True)


class ImageListSchema(Schema):
    """A page of images, newest first."""

    data = fields.List(fields.Nested(ImageSchema()), required=True)
    total = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    limit = fields.Integer(required=True)


def show_image(image: Image) -> dict[str, Any]:
    """The image as responses carry it."""
    session_id = image.session_id
    return {
        "id": show_id(Kind.IMAGE, image.id),
        "filename": image.filename,
        "content_type": image.picture.media_type,
        "size_bytes": image.size_bytes,
        "width": image.picture.width,
        "height": image.picture.height,
        "has_thumbnail": image.picture.thumbnail_type is not None,
        "session_id": None if session_id is None else show_id(Kind.SESSION, session_id),
        "metadata": {},
        "created_at": show_time(image.created_at),
    }

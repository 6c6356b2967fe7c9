"""The parts of a user's message: which there are and what each needs (contract 3.0).

400 is for what is malformed: a missing or wrongly typed field.  422 is for what is
well-formed and not acceptable: no content, an unknown kind of part, a part that only
others may send.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, post_load, validate

from api.schemas.fields import Text, unacceptable
from common.domain.errors import InvalidId
from common.domain.ids import Kind, parse_id, show_id
from common.domain.image import MEDIA_TYPES, media_type_of
from common.domain.message import Part, text_part
from common.domain.text import TEXT_LIMIT_BYTES

MAX_PARTS: Final = 100
UNKNOWN_IMAGE: Final = "Is no known image"
IMAGE_LIMIT_BYTES: Final = 5 * 1024 * 1024
_URL_CHARACTERS: Final = 8192


def _of_type(name: str) -> Text:
    """The `type` of one kind of part; a part is loaded by it, so it needs no check here."""
    return Text(required=True, metadata={"enum": [name]})


class PartFields(Schema):
    """A content part: keys it does not know are kept."""

    class Meta:
        """How marshmallow treats it."""

        unknown = "include"


class TextPartSchema(PartFields):
    """Text."""

    type = _of_type("text")
    text = Text(required=True)

    @post_load
    def check(self, data: Part, **_: object) -> Part:
        """Refuse what says nothing and what no turn could hold."""
        if not data["text"].strip():
            raise ValidationError(unacceptable("Must not be empty").messages, "text")
        if len(data["text"].encode()) > TEXT_LIMIT_BYTES:
            message = f"Must not be longer than {TEXT_LIMIT_BYTES} bytes"
            raise ValidationError(unacceptable(message).messages, "text")
        return data


class ImagePartSchema(PartFields):
    """An image by address, or in the message itself."""

    type = _of_type("image")
    url = Text(allow_none=True, validate=validate.Length(max=_URL_CHARACTERS))
    base64 = Text(allow_none=True)
    media_type = Text(allow_none=True)

    @post_load
    def check(self, data: Part, **_: object) -> Part:
        """Demand an address or the image, and not both."""
        if (data.get("url") is None) == (data.get("base64") is None):
            raise unacceptable("Needs either `url`, or `base64` with `media_type`")
        if data.get("url") is not None:
            _check_url(data["url"])
        else:
            _check_image(data["base64"], data.get("media_type"))
        return {name: value for name, value in data.items() if value is not None}


class ImageFilePartSchema(PartFields):
    """An uploaded image; whether there is such an image is not this schema's to know."""

    type = _of_type("image_file")
    image_id = Text(required=True)
    filename = Text(allow_none=True, validate=validate.Length(max=1024))

    @post_load
    def tidy(self, data: Part, **_: object) -> Part:
        """Spell the id as images are, and leave out a null file name."""
        try:
            image_id = parse_id(Kind.IMAGE, data["image_id"])
        except InvalidId as malformed:
            # What has no form of an id names no image either: one answer for both.
            raise ValidationError(unacceptable(UNKNOWN_IMAGE).messages, "image_id") from malformed
        shown = {**data, "image_id": show_id(Kind.IMAGE, image_id)}
        return {name: value for name, value in shown.items() if value is not None}


# What each is called in the OpenAPI document.
PARTS: Final[Mapping[str, Schema]] = {
    "TextPart": TextPartSchema(),
    "ImagePart": ImagePartSchema(),
    "ImageFilePart": ImageFilePartSchema(),
}
_OF_USERS: Final[Mapping[str, Schema]] = {
    "text": PARTS["TextPart"],
    "image": PARTS["ImagePart"],
    "image_file": PARTS["ImageFilePart"],
}
_OF_OTHERS: Final = ("tool_call", "tool_result")


class Parts(fields.Field[list[Part]]):
    """The content of a user's message; a plain string is one text part."""

    def __init__(self, **kwargs: Any) -> None:
        parts = {"type": "array", "items": {"$ref": "#/components/schemas/ContentPart"}}
        super().__init__(metadata={"oneOf": [parts, {"type": "string"}]}, **kwargs)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 - marshmallow's signature
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> list[Part]:
        if isinstance(value, str):
            value = [text_part(value)]
        if not isinstance(value, list):
            raise ValidationError("Must be an array of content parts")
        if not value:
            raise unacceptable("Must not be empty")
        if len(value) > MAX_PARTS:
            raise unacceptable(f"Must not have more than {MAX_PARTS} parts")
        return _each(value, _load_part)


def _each(values: list[Any], load: Callable[[Any], Part]) -> list[Part]:
    loaded: list[Part] = []
    problems: dict[int, Any] = {}
    for position, value in enumerate(values):
        try:
            loaded.append(load(value))
        except ValidationError as invalid:
            problems[position] = invalid.messages
    if problems:
        raise ValidationError(problems)
    return loaded


def _load_part(value: Any) -> Part:
    if not isinstance(value, dict):
        raise ValidationError("Must be an object")
    kind = value.get("type")
    if not isinstance(kind, str):
        raise ValidationError({"type": ["Must be a string"]})
    if kind in _OF_OTHERS:
        raise ValidationError({"type": unacceptable("Is not for users to send").messages})
    if kind not in _OF_USERS:
        raise ValidationError({"type": unacceptable("Is no known kind of part").messages})
    part: Part = _OF_USERS[kind].load(value)
    return part


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    except ValueError:
        is_web = False
    if not is_web or any(sign.isspace() for sign in url):
        raise ValidationError(unacceptable("Must be an http or https address").messages, "url")


def _check_image(encoded: str, media_type: str | None) -> None:
    if media_type not in MEDIA_TYPES:
        message = f"Must be one of {', '.join(MEDIA_TYPES)}"
        raise ValidationError(unacceptable(message).messages, "media_type")
    try:
        image = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        image = b""
    problem = _problem_with(image, media_type)
    if problem is not None:
        raise ValidationError(unacceptable(problem).messages, "base64")


def _problem_with(image: bytes, media_type: str) -> str | None:
    if not image:
        return "Must be base64"
    if len(image) > IMAGE_LIMIT_BYTES:
        return f"Must not be larger than {IMAGE_LIMIT_BYTES} bytes"
    if media_type_of(image) != media_type:
        return f"Is not a file of type {media_type}"
    return None

"""Images within a message: of a type we take, of bounded size, and what they say they are."""

import base64

import pytest
from marshmallow import ValidationError

from api.schemas.parts import IMAGE_LIMIT_BYTES, PARTS

_PNG = b"\x89PNG\r\n\x1a\n"
_STARTS = {
    "image/png": _PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\n\x00\x00\x00WEBPVP8 ",
}


def _load(image: bytes, media_type: str) -> object:
    encoded = base64.b64encode(image).decode()
    part = {"type": "image", "base64": encoded, "media_type": media_type}
    return PARTS["ImagePart"].load(part)


@pytest.mark.parametrize("media_type", _STARTS)
def test_each_type_is_known_by_how_its_files_begin(media_type: str) -> None:
    assert _load(_STARTS[media_type] + b"rest", media_type)
    for other, start in _STARTS.items():
        if other != media_type:
            with pytest.raises(ValidationError) as refused:
                _load(start + b"rest", media_type)
            assert isinstance(refused.value.messages, dict)
            assert list(refused.value.messages) == ["base64"]


def test_an_image_may_have_five_mebibytes_and_no_more() -> None:
    assert _load(_PNG.ljust(IMAGE_LIMIT_BYTES, b"x"), "image/png")
    with pytest.raises(ValidationError):
        _load(_PNG.ljust(IMAGE_LIMIT_BYTES + 1, b"x"), "image/png")

"""Images: which kinds there are, told by content, and what is known of an uploaded one.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Final
from uuid import UUID

# Contract 3.2 and 8.6.
THUMBNAIL_SIDE: Final = 200
FILENAME_CHARACTERS: Final = 255
# So much of a file tells its kind.
HEAD_BYTES: Final = 16

_EXTENSIONS: Final[Mapping[str, str]] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
}
MEDIA_TYPES: Final = tuple(_EXTENSIONS)
# What a file of each kind begins with.
_SIGNATURES: Final[Mapping[str, re.Pattern[bytes]]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_ENDING_CHARACTERS: Final = 20
# Words of some languages, and many an emoji, are spelt with them.
_JOINERS: Final = "\u200c\u200d"
# They hide an ending or turn the direction of what follows.
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a file that was looked into.

    Attributes:
        thumbnail_type: the thumbnail's media type, None when none could be made.
    """

    media_type: str
    width: int
    height: int
    thumbnail_type: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An uploaded image; any number of them may share a blob.

    Attributes:
        session_id: what it was uploaded for, None for nothing in particular.
        digest: SHA-256 of the bytes, hex.
    """

    id: UUID
    organization_id: UUID
    blob_id: UUID
    session_id: UUID | None
    filename: str
    size_bytes: int
    digest: str
    picture: Picture
    created_at: datetime


def media_type_of(head: bytes) -> str | None:
    """The kind of a file that begins so; None for what is no image that is taken."""
    return next((kind for kind, mark in _SIGNATURES.items() if mark.match(head)), None)


def tidy_filename(name: str | None, media_type: str) -> str:
    """The last part of a name, without what cannot be seen; never empty, never a path.

    Control characters, directional marks and separators are dropped, so that the name can
    be shown, logged and offered for saving.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    shown = "".join(
        sign for sign in last if sign in _JOINERS or unicodedata.category(sign) not in _UNSEEN
    )
    kept = " ".join(shown.split()).strip(". ")
    if len(kept) > FILENAME_CHARACTERS:
        ending = PurePath(kept).suffix
        if len(ending) > _ENDING_CHARACTERS:
            ending = ""
        kept = kept[: FILENAME_CHARACTERS - len(ending)].rstrip() + ending
    return kept or f"image.{_EXTENSIONS[media_type]}"

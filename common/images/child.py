"""The process that opens what callers sent; killed when it takes too long, bounded in memory.

`CPU_SECONDS examine MAX_PIXELS`, the file being standard input: says in a line of JSON what
it is or why it is refused, then in a second line whether it has a thumbnail, which follows.
`CPU_SECONDS fit MAX_SIDE MAX_BYTES MAX_PIXELS`: reads an image, says in a line of JSON what it
has made of it, which follows and is no larger.

Run by `common.images.workshop` alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import re
import resource
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin, UnidentifiedImageError

from common.domain.image import HEAD_BYTES, THUMBNAIL_SIDE, media_type_of
from common.images.structure import Broken, Excessive, canvas_of, end_of, has_foreign_tail

_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
# Thumbnails and fitted images are far smaller; nothing else is written.
_WRITTEN_BYTES: Final = 64 * 1024 * 1024
_MEMORY_BYTES: Final = 1536 * 1024 * 1024
# Editors keep whole drawings in the text of a picture.
_TEXT_BYTES: Final = 64 * 1024 * 1024
_GPS_EXIF: Final = 0x8825
_ORIENTATION_EXIF: Final = 0x0112
# What a browser or an interpreter might run, were it to take the file for something else.
# It goes on in plain characters, which sets it apart from the same bytes among pixels.
_ACTIVE: Final = re.compile(
    rb"<(?:script[\s>/]|html[\s>]|!doctype\s+html|svg[\s>]|iframe[\s>]|\?php)[\t\n\r -~]{8}",
    re.IGNORECASE,
)
_PDF_HEAD_BYTES: Final = 1024
_QUALITIES: Final = (85, 70, 50)
_SMALLER: Final = 0.75


class Refused(Exception):
    """The file is not taken; `kind` says why: format, broken, pixels or polyglot."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def main(arguments: list[str]) -> int:
    """Do one thing and end."""
    cpu_seconds, *task = arguments
    _limit(int(cpu_seconds))
    Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is decoded
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _TEXT_BYTES
    sys.stdin.buffer.seek(0)
    match task:
        case ["examine", max_pixels]:
            _examine(sys.stdin.buffer, int(max_pixels))
        case ["fit", max_side, max_bytes, max_pixels]:
            _fit(sys.stdin.buffer, int(max_side), int(max_bytes), int(max_pixels))
        case _:
            return 2
    return 0


def _limit(cpu_seconds: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        # Not every system has each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


# --- examining -----------------------------------------------------------------


def _examine(file: BinaryIO, max_pixels: int) -> None:
    try:
        media_type = _check_bytes(file, max_pixels)
        with _opened(file, max_pixels) as picture:
            width, height = _shown_size(picture)
            # So much detail is enough, and all of the file is decoded all the same.
            picture.draft("RGB", (THUMBNAIL_SIDE * 2, THUMBNAIL_SIDE * 2))
            _decode(picture)
            _say(media_type=media_type, width=width, height=height)
            thumbnail_type, thumbnail = _thumbnail_of(picture)
    except Refused as refused:
        _say(refused=refused.kind, message=refused.message)
        return
    _say(thumbnail_type=thumbnail_type)
    sys.stdout.buffer.write(thumbnail)


def _check_bytes(opened: BinaryIO, max_pixels: int) -> str:
    """What can be told without decoding anything."""
    media_type = media_type_of(opened.read(HEAD_BYTES))
    if media_type is None:
        raise Refused("format", "Must be a PNG, JPEG, GIF or WebP file")
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            end = end_of(data, media_type)
        except Broken as broken:
            raise Refused("broken", "Is cut off or damaged") from broken
        except Excessive as excessive:
            raise Refused("late", "Has more parts than a picture needs") from excessive
        _check_pixels(canvas_of(data, media_type) or (0, 0), max_pixels)
        if has_foreign_tail(data, end) or _is_something_else(data):
            raise Refused("polyglot", "Has another kind of file in it")
    if zipfile.is_zipfile(opened) and _opens_as_zip(opened):
        raise Refused("polyglot", "Has another kind of file in it")
    opened.seek(0)
    return media_type


def _is_something_else(data: mmap.mmap) -> bool:
    return b"%PDF-" in data[:_PDF_HEAD_BYTES] or _ACTIVE.search(data) is not None


def _opens_as_zip(opened: BinaryIO) -> bool:
    try:
        zipfile.ZipFile(opened).close()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False
    return True


def _opened(source: BinaryIO, max_pixels: int) -> Image.Image:
    """The image before decoding, its size within bounds."""
    try:
        picture = Image.open(source, formats=_FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as wrong:
        raise Refused("broken", "Is cut off or damaged") from wrong
    _check_pixels(picture.size, max_pixels)
    return picture


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise Refused("pixels", f"Must not have more than {max_pixels} pixels")


def _decode(picture: Image.Image) -> None:
    try:
        picture.load()
    except MemoryError as large:
        raise Refused("pixels", "Is too large to be read") from large
    # Decoders raise much; whatever it is, the file cannot be shown.
    except Exception as wrong:
        raise Refused("broken", "Is cut off or damaged") from wrong


def _shown_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height as people see it."""
    quarter_turned = (5, 6, 7, 8)
    size = picture.size
    is_turned = _exif_of(picture).get(_ORIENTATION_EXIF) in quarter_turned
    return (size[1], size[0]) if is_turned else size


def _exif_of(picture: Image.Image) -> Mapping[int, Any]:
    try:
        return picture.getexif()
    except Exception:  # noqa: BLE001 - metadata is no reason to refuse a picture
        return {}


def _thumbnail_of(picture: Image.Image) -> tuple[str | None, bytes]:
    """Its media type and bytes; None when there can be none: the upload stands without."""
    try:
        shown = _upright(_reduced(picture, THUMBNAIL_SIDE))
        shown.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
        return next(_encodings(shown))
    except Exception:  # noqa: BLE001 - as above
        return None, b""


# --- fitting -------------------------------------------------------------------


def _fit(file: BinaryIO, max_side: int, max_bytes: int, max_pixels: int) -> None:
    try:
        raw = file.read()
        media_type = media_type_of(raw[:HEAD_BYTES])
        with _opened(io.BytesIO(raw), max_pixels) as picture:
            size = picture.size
            picture.draft("RGB", (max_side, max_side))
            _decode(picture)
            is_small = max(size) <= max_side and len(raw) <= max_bytes
            if media_type is not None and is_small and not _tells_more(picture):
                _say(media_type=media_type)
                sys.stdout.buffer.write(raw)
                return
            shown = _upright(_reduced(picture, max_side))
    except Refused as refused:
        _say(refused=refused.kind, message=refused.message)
        return
    side = max_side
    while True:
        shown.thumbnail((side, side), Image.Resampling.LANCZOS)
        for kind, encoded in _encodings(shown):
            if len(encoded) <= max_bytes:
                _say(media_type=kind)
                sys.stdout.buffer.write(encoded)
                return
        side = max(int(max(shown.size) * _SMALLER), 1)


def _tells_more(picture: Image.Image) -> bool:
    """Whether a model would see it lying on its side, or learn where it was taken."""
    exif = _exif_of(picture)
    return exif.get(_ORIENTATION_EXIF, 1) != 1 or _GPS_EXIF in exif


def _encodings(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    """From the one that keeps most to the smallest."""
    if _has_alpha(picture):
        yield "image/png", _encoded(picture, "PNG")
        picture = _on_white(picture)
    for quality in _QUALITIES:
        yield "image/jpeg", _encoded(picture, "JPEG", quality=quality)


def _encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, form, optimize=True, **options)
    return written.getvalue()


# --- both ----------------------------------------------------------------------


def _reduced(picture: Image.Image, side: int) -> Image.Image:
    """Not much larger than `side`, by a coarse step: what follows makes copies of it."""
    factor = max(picture.size) // (side * 2)
    if factor < 2 or picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):  # noqa: PLR2004
        return picture
    return picture.reduce(factor)


def _upright(picture: Image.Image) -> Image.Image:
    """The first frame as it is shown: turned, in sRGB, as RGB or RGBA, without metadata."""
    turned = ImageOps.exif_transpose(picture)
    profile = turned.info.get("icc_profile")
    if turned.mode.startswith("I"):
        # 16 bits a pixel, of which the upper 8 are shown.
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    mode = "RGBA" if _has_alpha(turned) else "RGB"
    if turned.mode in ("P", "PA"):
        turned = turned.convert(mode)
    plain = _in_srgb(turned, profile).convert(mode)
    if mode == "RGBA" and plain.getchannel("A").getextrema() == (255, 255):
        plain = plain.convert("RGB")
    # A new image: none of what the file said of itself is written with it.
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile or picture.mode not in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        wanted = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            picture, given, ImageCms.createProfile("sRGB"), outputMode=wanted
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if converted is None else converted


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info


def _on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

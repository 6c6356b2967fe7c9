"""Image files, good and bad, made here by Pillow and by hand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

Colour = tuple[int, ...]

RED, BLUE, WHITE = (220, 30, 30), (30, 60, 220), (255, 255, 255)
_GPS_EXIF = 0x8825


@dataclass(frozen=True, slots=True)
class Good:
    """A file that is taken.

    Attributes:
        size: as it is shown.
        corners: expected colours of the thumbnail: top left and bottom right.
    """

    name: str
    data: bytes
    media_type: str
    size: tuple[int, int]
    corners: tuple[Colour, Colour]
    is_see_through: bool = False


@dataclass(frozen=True, slots=True)
class Bad:
    """A file that is refused with this status."""

    name: str
    data: bytes
    status: int


def two_halves(mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    return picture.convert(mode)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()


def noise_png(side: int) -> bytes:
    """A file of about three bytes a pixel that does not compress; the same each time."""
    pixels = Random(side).randbytes(3 * side * side)  # noqa: S311 - no secret
    return saved(Image.frombytes("RGB", (side, side), pixels), "PNG", compress_level=1)


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a secret description"
    return saved(two_halves(), "JPEG", exif=exif.tobytes(), quality=95)


def _frames(form: str) -> bytes:
    others = [Image.new("RGB", (400, 300), "green") for _ in range(3)]
    options = {"lossless": True} if form == "WEBP" else {}
    return saved(two_halves(), form, save_all=True, append_images=others, duration=50, **options)


def _see_through(form: str) -> bytes:
    picture = two_halves("RGBA")
    picture.paste((0, 0, 0, 0), (200, 0, 400, 300))
    return saved(picture, form, **({"lossless": True} if form == "WEBP" else {}))


def _palette(*, transparent: bool) -> bytes:
    picture = two_halves().quantize(4)
    options = {"transparency": picture.getpixel((399, 0))} if transparent else {}
    return saved(picture, "PNG", **options)


def _sixteen_bits() -> bytes:
    line = struct.pack("<400H", *[0xFFFF] * 200, *[0x1000] * 200)
    return saved(Image.frombytes("I;16", (400, 300), line * 300), "PNG")


def _profiled() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return saved(two_halves(), "PNG", icc_profile=profile)


def _commented() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "made by somebody somewhere")
    return saved(two_halves(), "PNG", pnginfo=notes)


def _multi_picture() -> bytes:
    """As cameras write it: a second JPEG behind the first."""
    return saved(two_halves(), "JPEG", quality=95) + saved(Image.new("RGB", (64, 48)), "JPEG")


def _swapped(picture: Image.Image) -> bytes:
    """With a profile that takes what is called red for green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    between = profile[red + 4 : green]
    profile = profile[:red] + b"gXYZ" + between + b"rXYZ" + profile[green + 4 :]
    return saved(picture, "PNG", icc_profile=profile)


def _drawn() -> bytes:
    """As drawing programs write it: the whole drawing in a compressed text."""
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("drawing", "a line of it; " * 200_000, zip=True)
    return saved(two_halves(), "PNG", pnginfo=notes)


_SHOWN = (400, 300)
_HALVES = (RED, BLUE)
_SWAPPED = ((30, 220, 30), (60, 30, 220))
_ALL_RED, _ALL_WHITE = (RED, RED), (WHITE, WHITE)
_plain = Image.new
_PALE = ((255, 255, 255), (16, 16, 16))


def _large() -> tuple[bytes, str, tuple[int, int], tuple[Colour, Colour]]:
    """Of more bytes than come in one piece: noise in a red frame."""
    picture = Image.new("RGB", (900, 900), RED)
    with Image.open(io.BytesIO(noise_png(800))) as noise:
        picture.paste(noise, (50, 50))
    return saved(picture, "PNG", compress_level=1), "image/png", (900, 900), _ALL_RED


def _clear(name: str, data: bytes, media_type: str) -> Good:
    """Red on the left, nothing on the right."""
    return Good(name, data, media_type, _SHOWN, (RED, ()), is_see_through=True)


def _with_tails(jpeg: bytes) -> list[Good]:
    """Behind their ends what phones and programs leave there."""
    png, gif = saved(two_halves(), "PNG"), saved(two_halves(), "GIF")
    film = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4
    filling = b"\0" * 10_000
    tails = {
        "second.jpg": filling + jpeg,
        "film.jpg": film,
        "film-behind-filling.jpg": filling + film,
        "marked.jpg": b"\xff\xff\xd9",
        "trailer.jpg": b'vivo{"version":1,"params":[1,2,3]}' + bytes([1, 2, 3, 4]) * 300,
        "phone.jpg": b"\0\0\x01\x0a" + b"Image_UTC_Data" * 9 + b"SEFHk\0\0\0SEFT",
    }
    return [
        *(Good(name, jpeg + tail, "image/jpeg", _SHOWN, _HALVES) for name, tail in tails.items()),
        Good("phone.png", png + b"Image_UTC_Data" * 9 + b"SEFT", "image/png", _SHOWN, _HALVES),
        Good("cropped.png", png + noise_png(32)[60:], "image/png", _SHOWN, _HALVES),
        Good("ended-twice.gif", gif + b"\0;", "image/gif", _SHOWN, _HALVES),
    ]


def good_files() -> list[Good]:
    jpeg = saved(two_halves(), "JPEG", quality=95)
    grey = ((85,) * 3, (74,) * 3)
    return [
        Good("plain.png", saved(two_halves(), "PNG"), "image/png", _SHOWN, _HALVES),
        Good("plain.jpg", jpeg, "image/jpeg", _SHOWN, _HALVES),
        Good("plain.gif", saved(two_halves(), "GIF"), "image/gif", _SHOWN, _HALVES),
        Good("plain.webp", saved(two_halves(), "WEBP", quality=95), "image/webp", _SHOWN, _HALVES),
        Good(
            "lossless.webp",
            saved(two_halves(), "WEBP", lossless=True),
            "image/webp",
            _SHOWN,
            _HALVES,
        ),
        Good(
            "progressive.jpg",
            saved(two_halves(), "JPEG", quality=95, progressive=True),
            "image/jpeg",
            _SHOWN,
            _HALVES,
        ),
        Good("grey.jpg", saved(two_halves("L"), "JPEG", quality=95), "image/jpeg", _SHOWN, grey),
        Good("grey.png", saved(two_halves("L"), "PNG"), "image/png", _SHOWN, grey),
        Good("cmyk.jpg", saved(two_halves("CMYK"), "JPEG"), "image/jpeg", _SHOWN, _HALVES),
        Good(
            "one-bit.png",
            saved(Image.new("1", _SHOWN, 1), "PNG"),
            "image/png",
            _SHOWN,
            (WHITE,) * 2,
        ),
        Good("sixteen.png", _sixteen_bits(), "image/png", _SHOWN, _PALE),
        Good("palette.png", _palette(transparent=False), "image/png", _SHOWN, _HALVES),
        Good(
            "palette-alpha.png",
            _palette(transparent=True),
            "image/png",
            _SHOWN,
            (RED, ()),
            is_see_through=True,
        ),
        _clear("alpha.png", _see_through("PNG"), "image/png"),
        Good(
            "alpha.webp", _see_through("WEBP"), "image/webp", _SHOWN, (RED, ()), is_see_through=True
        ),
        _clear("alpha.gif", _see_through("GIF"), "image/gif"),
        Good("animated.gif", _frames("GIF"), "image/gif", _SHOWN, _HALVES),
        Good("animated.webp", _frames("WEBP"), "image/webp", _SHOWN, _HALVES),
        Good("animated.png", _frames("PNG"), "image/png", _SHOWN, _HALVES),
        Good("turned-2.jpg", _turned(2), "image/jpeg", _SHOWN, (BLUE, RED)),
        Good("turned-3.jpg", _turned(3), "image/jpeg", _SHOWN, (BLUE, RED)),
        Good("turned-6.jpg", _turned(6), "image/jpeg", (300, 400), (RED, BLUE)),
        Good("turned-8.jpg", _turned(8), "image/jpeg", (300, 400), (BLUE, RED)),
        Good("profiled.png", _profiled(), "image/png", _SHOWN, _HALVES),
        Good("commented.png", _commented(), "image/png", _SHOWN, _HALVES),
        Good("camera.jpg", _multi_picture(), "image/jpeg", _SHOWN, _HALVES),
        Good("padded.jpg", jpeg + bytes(512), "image/jpeg", _SHOWN, _HALVES),
        *_with_tails(jpeg),
        Good("drawn.png", _drawn(), "image/png", _SHOWN, _HALVES),
        Good("swapped.png", _swapped(two_halves()), "image/png", _SHOWN, _SWAPPED),
        Good("swapped-palette.png", _swapped(two_halves("P")), "image/png", _SHOWN, _SWAPPED),
        Good(
            "tiny.png", saved(Image.new("RGB", (1, 1), RED), "PNG"), "image/png", (1, 1), (RED,) * 2
        ),
        Good(
            "small.gif",
            saved(Image.new("RGB", (8, 8), RED), "GIF"),
            "image/gif",
            (8, 8),
            (RED,) * 2,
        ),
        Good(
            "wide.png",
            saved(two_halves(size=(4000, 10)), "PNG"),
            "image/png",
            (4000, 10),
            _HALVES,
        ),
        Good(
            "tall.webp",
            saved(Image.new("RGB", (5, 3000), BLUE), "WEBP", lossless=True),
            "image/webp",
            (5, 3000),
            (BLUE,) * 2,
        ),
        Good("large.png", *_large()),
        # Known by what is in it, whatever it is called.
        Good("called.jpg", saved(two_halves(), "PNG"), "image/png", _SHOWN, _HALVES),
    ]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb(width: int, height: int) -> bytes:
    """A small PNG that wants to be a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1024 * 1024), 9)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("run.class", "x")
    return written.getvalue()


def _of_many_scans(jpeg: bytes) -> bytes:
    """The last scan again and again: a decoder goes over the picture each time."""
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * 300 + jpeg[-2:]


def _huge_canvas() -> bytes:
    """Small frames on a canvas that takes a gigabyte."""
    frame = saved(Image.new("RGB", (4, 4)), "WEBP", lossless=True)[12:]
    side, small = (16_382).to_bytes(3, "little"), (3).to_bytes(3, "little")
    framed = bytes(6) + small * 2 + (100).to_bytes(3, "little") + b"\0" + frame
    parts = (
        (b"VP8X", b"\x02\0\0\0" + side * 2),
        (b"ANIM", bytes(6)),
        (b"ANMF", framed),
        (b"ANMF", framed),
    )
    body = b"".join(kind + len(data).to_bytes(4, "little") + data for kind, data in parts)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _zeroed(data: bytes) -> bytes:
    """The middle third overwritten."""
    third = len(data) // 3
    return data[:third] + bytes(third) + data[2 * third :]


def bad_files() -> list[Bad]:
    png, jpeg = saved(two_halves(), "PNG"), saved(two_halves(), "JPEG")
    gif, webp = saved(two_halves(), "GIF"), saved(two_halves(), "WEBP")
    noise = noise_png(64)
    script = b"<script>alert(1)</script>"
    return [
        Bad("empty.png", b"", 422),
        Bad("short.png", png[:5], 415),
        Bad("head-only.png", png[:8], 422),
        Bad("cut.png", png[:-20], 422),
        Bad("cut-early.png", noise[: len(noise) // 2], 422),
        Bad("cut.jpg", jpeg[:-40], 422),
        Bad("no-end.jpg", jpeg[:-2], 422),
        Bad("cut.gif", gif[: len(gif) // 2], 422),
        Bad("no-end.gif", gif[:-1], 422),
        Bad("cut.webp", webp[:-30], 422),
        Bad("damaged.png", _zeroed(noise), 422),
        Bad("damaged.webp", webp[:12] + bytes(len(webp) - 12), 422),
        Bad("nothing-in-it.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IEND", b""), 422),
        Bad("signature-and-rubbish.jpg", b"\xff\xd8\xff" + bytes(range(256)) * 8, 422),
        Bad("bomb.png", _bomb(60_000, 60_000), 422),
        Bad("bomb-of-lines.png", _bomb(1, 2_000_000_000), 422),
        Bad("no-size.png", _bomb(0, 0), 422),
        Bad("page.png", png + b"<html><body>hello</body></html>", 422),
        Bad("script.gif", gif[:-1] + b"\x21\xfe" + bytes([len(script)]) + script + b"\x00;", 422),
        Bad("script.jpg", saved(two_halves(), "JPEG", comment=script), 422),
        Bad("program.gif", gif + b"/*" + b"x" * 40 + b"*/=1;", 422),
        Bad("archive.png", png + _archive(), 422),
        Bad("archive.jpg", jpeg + _archive(), 422),
        Bad("archive.gif", gif + _archive(), 422),
        Bad("archive-of-another-kind.jpg", jpeg + bytes(99) + b"Rar!\x1a\x07\x01\0" + jpeg, 422),
        Bad("archive-in-second.jpg", jpeg + jpeg + b"7z\xbc\xaf\x27\x1c" + bytes(99), 422),
        Bad("program.jpg", jpeg + b"\x7fELF" + bytes(99), 422),
        Bad("program.png", png + b"\x7fELF" + bytes(99) + b"SEFT", 422),
        Bad("scans.jpg", _of_many_scans(saved(two_halves(), "JPEG", progressive=True)), 422),
        Bad("segments.jpg", jpeg[:2] + b"\xff\xe1\0\x02" * 20_000 + jpeg[2:], 422),
        Bad("canvas.webp", _huge_canvas(), 422),
        Bad("paper.jpg", saved(two_halves(), "JPEG", comment=b"%PDF-1.7 1 0 obj"), 422),
        Bad("code.webp", webp + b"<?php system($_GET['c']); ?>", 422),
        Bad("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', 415),
        Bad("drawing.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 415),
        Bad("page.html", b"<!doctype html><title>hello</title>", 415),
        Bad("notes.txt", b"only words, and a few of them", 415),
        Bad("other.bmp", saved(two_halves(), "BMP"), 415),
        Bad("other.tiff", saved(two_halves(), "TIFF"), 415),
        Bad("other.ico", saved(two_halves().resize((32, 32)), "ICO"), 415),
        Bad("paper.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", 415),
        Bad("archive.zip", _archive(), 415),
        Bad("riff.webp", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(24), 415),
    ]

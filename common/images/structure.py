"""Where an image ends, by its own marks: what is cut off or has something behind it shows.  Pure.

Decoders are lenient: they draw what there is and ignore what follows.  Walking the blocks
of a file costs no decoding, so it is done over all of it, later frames included.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from mmap import mmap
from typing import Final

Bytes = bytes | mmap


class Broken(Exception):
    """The file ends too early or is not what it begins as."""


class Excessive(Exception):
    """Small as it is, the file makes any decoder work for long."""


def end_of(data: Bytes, media_type: str) -> int:
    """The length that the image has by its own marks; the file may be longer.

    Raises:
        Broken: it has no end, or blocks that cannot be.
        Excessive: it has far more of them than a picture needs.
    """
    return _WALKERS[media_type](data)


def canvas_of(data: Bytes, media_type: str) -> tuple[int, int] | None:
    """Width and height of a WebP with frames; its decoder takes memory before it tells them."""
    if media_type != "image/webp" or data[12:16] != b"VP8X":
        return None
    width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    return width, height


def has_foreign_tail(data: Bytes, end: int) -> bool:
    """Whether something follows the image that neither cameras nor editors put there.

    Makers of cameras and phones append what they like to a JPEG: further JPEGs, a film, a
    trailer of their own.  So what follows one may be anything but a file of another known
    kind.  Behind the others only two things are met: a phone's trailer, and what was left
    of a larger file that a smaller one was written over.
    """
    begin = _after_padding(data, end)
    if begin == len(data):
        return False
    if _OTHER_FILE.match(data, begin) or _OTHER_ARCHIVE.search(data, begin):
        return True
    last = data[len(data) - 8 : len(data)]
    is_left_over = data[:4] == b"\x89PNG" and last.startswith(b"IEND")
    return data[:2] != b"\xff\xd8" and not is_left_over and not last.endswith(b"SEFT")


def _after_padding(data: Bytes, start: int) -> int:
    """Where something other than filling begins; a GIF's end may be marked twice."""
    filling = b"\x00\xff\r\n \t" + (b";" if data[:3] == b"GIF" else b"")
    for at in range(start, len(data), _PIECE_BYTES):
        piece = data[at : at + _PIECE_BYTES]
        left = len(piece.lstrip(filling))
        if left:
            return at + len(piece) - left
    return len(data)


_PIECE_BYTES: Final = 65536
# A program or a document has to begin somewhere; these archives are found wherever they are.
_OTHER_FILE: Final = re.compile(rb"PK\x03\x04|%PDF-|\x7fELF|MZ\x90\x00|\x1f\x8b\x08")
_OTHER_ARCHIVE: Final = re.compile(rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c")


def _png(data: Bytes) -> int:
    at, is_first = 8, True
    while True:
        length, kind = int.from_bytes(_take(data, at, 4), "big"), _take(data, at + 4, 4)
        if not kind.isalpha() or (is_first and kind != b"IHDR"):
            raise Broken
        # Decoders leave the checksums of pixels unchecked.
        checksum = zlib.crc32(_take(data, at + 4, 4 + length))
        at, is_first = at + 12 + length, False
        if checksum != int.from_bytes(_take(data, at - 4, 4), "big"):
            raise Broken
        if kind == b"IEND":
            return at


def _gif(data: Bytes) -> int:
    at = 13 + _colours(_take(data, 10, 1)[0])
    while True:
        match _take(data, at, 1):
            case b"\x21":
                at = _gif_blocks(data, at + 2)
            case b"\x2c":
                at = _gif_blocks(data, at + 11 + _colours(_take(data, at + 9, 1)[0]))
            case b"\x3b":
                return at + 1
            case _:
                raise Broken


def _colours(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: Bytes, at: int) -> int:
    while size := _take(data, at, 1)[0]:
        at += 1 + size
    return at + 1


def _webp(data: Bytes) -> int:
    end = 8 + int.from_bytes(_take(data, 4, 4), "little")
    if end > len(data):
        raise Broken
    at = 12
    while at < end:
        kind, size = _take(data, at, 4), int.from_bytes(_take(data, at + 4, 4), "little")
        if not kind.strip().isalnum():
            raise Broken
        at += 8 + size + (size & 1)
    if at > end + 1 or at == 12:  # noqa: PLR2004 - a file of no chunks
        raise Broken
    return min(at, len(data))


# Bytes in a scan that are a marker: not stuffed, not a restart, not padding.
_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EOI, _SOS, _STANDALONE = 0xD9, 0xDA, (0x01, *range(0xD0, 0xD8))


# Progressive pictures have about ten scans, and each makes a decoder go over all of them.
_MOST_SCANS: Final = 100
_MOST_SEGMENTS: Final = 10_000


def _jpeg(data: Bytes) -> int:
    at, scans = 2, 0
    for _ in range(_MOST_SEGMENTS):
        if _take(data, at, 1) != b"\xff":
            raise Broken
        while _take(data, at, 1) == b"\xff":
            at += 1
        marker = _take(data, at, 1)[0]
        at += 1
        if marker == _EOI:
            return at
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(_take(data, at, 2), "big")
        if length < 2:  # noqa: PLR2004 - it counts itself
            raise Broken
        at += length
        if marker == _SOS:
            scans += 1
            if scans > _MOST_SCANS:
                break
            found = _IN_SCAN.search(data, at)
            if found is None:
                raise Broken
            at = found.start()
    raise Excessive


def _take(data: Bytes, at: int, count: int) -> bytes:
    part = data[at : at + count]
    if len(part) < count:
        raise Broken
    return part


_WALKERS: Final[Mapping[str, Callable[[Bytes], int]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}

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


def end_of(data: Bytes, media_type: str) -> int:
    """The length that the image has by its own marks; the file may be longer.

    Raises:
        Broken: it has no end, or blocks that cannot be.
    """
    return _WALKERS[media_type](data)


def has_foreign_tail(data: Bytes, end: int) -> bool:
    """Whether something follows the image that no camera puts there.

    Cameras append to a JPEG: further JPEGs (multi-picture, gain maps), a film, a maker's
    trailer.  Padding is nobody's harm.
    """
    if not data[end : end + 4096].strip(b"\x00\r\n \t"):
        return any(data[start : start + 65536].strip(b"\x00") for start in _steps(end + 4096, data))
    if data[:2] != b"\xff\xd8":
        return True
    begins = data[end : end + 12]
    is_camera = begins.startswith(b"\xff\xd8\xff") or begins[4:8] == b"ftyp"
    return not is_camera and data[len(data) - 4 : len(data)] != b"SEFT"


def _steps(start: int, data: Bytes) -> range:
    return range(start, len(data), 65536)


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


def _jpeg(data: Bytes) -> int:
    at = 2
    while True:
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
            found = _IN_SCAN.search(data, at)
            if found is None:
                raise Broken
            at = found.start()


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

"""Undoes a Content-Encoding piece by piece, so that no bomb is ever unpacked whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

_PIECE_BYTES: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class CannotDecode(Exception):
    """The encoding is not one that was asked for, or the data is not of it."""


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks in pieces of a bounded size; whoever reads them may stop at any of them.

    Raises:
        CannotDecode: the encoding is unknown or broken.
    """
    match encoding.strip().lower():
        case "" | "identity":
            yield from chunks
        case "gzip" | "x-gzip":
            yield from _inflated(chunks, _GZIP)
        case "deflate":
            yield from _inflated(chunks, zlib.MAX_WBITS)
        case _:
            raise CannotDecode("it is compressed in a way that was not asked for")


def _inflated(chunks: Iterable[bytes], window: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window)
    is_first = True
    for chunk in chunks:
        left = chunk
        while left:
            try:
                piece = inflater.decompress(left, _PIECE_BYTES)
            except zlib.error:
                if not is_first or window == _GZIP:
                    raise CannotDecode("its compressed data is broken") from None
                # Some servers send deflate without its frame.
                inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                is_first = False
                continue
            is_first = False
            left = inflater.unconsumed_tail
            if piece:
                yield piece
            if inflater.eof:
                return
    rest = inflater.flush()
    if rest:
        yield rest

"""Makes what a tool returned storable: JSON of bounded size that any client can show."""

from __future__ import annotations

import bisect
import math
from typing import Any, Final

import orjson

from common.domain.text import storable

RESULT_LIMIT_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 100

_LARGEST_INT: Final = 2**64 - 1
_SMALLEST_INT: Final = -(2**63)


class NotStorable(Exception):
    """The value is not JSON that PostgreSQL and every client can hold."""


def storable_json(value: object, *, depth: int = MAX_DEPTH) -> Any:
    """A copy made of plain JSON types, its texts and keys storable.

    Raises:
        NotStorable: naming the type at fault, never the value (I10).
    """
    if depth == 0:
        raise NotStorable(f"values nested deeper than {MAX_DEPTH} levels")
    match value:
        case None | bool():
            return value
        case str():
            return storable(value)
        case int():
            if not _SMALLEST_INT <= value <= _LARGEST_INT:
                raise NotStorable("a whole number beyond 64 bits")
            return value
        case float():
            if not math.isfinite(value):
                raise NotStorable("a number that is not finite")
            return value
        case list() | tuple():
            return [storable_json(each, depth=depth - 1) for each in value]
        case dict():
            return {_key(key): storable_json(each, depth=depth - 1) for key, each in value.items()}
        case _:
            raise NotStorable(f"a {type(value).__name__} that is not JSON")


def capped_json(value: Any, *, limit_bytes: int = RESULT_LIMIT_BYTES) -> Any:
    """The value itself when its compact JSON fits, else as much of it as does, marked so.

    A text is cut and says so at its end.  Anything else becomes an object with the
    start of its JSON text as `content`.  Takes what `storable_json` returned.
    """
    raw = orjson.dumps(value)
    if len(raw) <= limit_bytes:
        return value
    if isinstance(value, str):
        marker = f"\n[truncated: the whole text has {len(value.encode())} bytes]"
        return fitting_prefix(value, marker, limit_bytes=limit_bytes) + marker
    frame = {"truncated": True, "size_bytes": len(raw), "content": ""}
    content = fitting_prefix(raw.decode(), frame, limit_bytes=limit_bytes)
    return {**frame, "content": content}


def fitting_prefix(text: str, frame: object, *, limit_bytes: int = RESULT_LIMIT_BYTES) -> str:
    """The longest prefix whose JSON fits, put into a string of what frames it."""
    # Two bytes of the frame are the quotes that the prefix's own JSON has as well.
    room = limit_bytes - _size(frame) + 2
    longest = min(len(text), limit_bytes)
    fitting = bisect.bisect_right(range(longest + 1), room, key=lambda cut: _size(text[:cut]))
    return text[: max(fitting - 1, 0)]


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise NotStorable(f"a key that is a {type(key).__name__}")
    return storable(key)


def _size(value: object) -> int:
    return len(orjson.dumps(value))

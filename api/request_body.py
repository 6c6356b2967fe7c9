"""JSON as callers send it, before any schema looks at it.

orjson reads what is well-formed; only when it refuses, or when the bytes hint at
what it lets through, does the slower standard library say what is wrong and where.
Whatever passes can be stored, sent on and written again: no NUL, no lone surrogate,
no number beyond 64 bits or a double, no nesting that a serialiser would refuse.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson

from common.domain.errors import BadRequest, FieldProblem
from common.domain.text import is_storable

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 200_000
_MAX_PROBLEMS: Final = 20

_BOM: Final = b"\xef\xbb\xbf"
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_LONG_NUMBER: Final = re.compile(rb"\d{19}")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_INT64: Final = 1 << 63


class _OutOfRange:
    """Stands where a number was that neither 64 bits nor a double can hold."""


def read_json(raw: bytes) -> Any:
    """The value of a body; an empty one is an empty object.

    Raises:
        BadRequest: not JSON, or JSON that cannot be kept, naming the fields at fault.
    """
    body = raw.removeprefix(_BOM)
    if not body.strip(b" \t\r\n"):
        return {}
    _check_shape(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as refused:
        value = _read_slowly(body, refused)
    else:
        if _LONG_NUMBER.search(body):
            value = _read_slowly(body, None)
    if b"\\u0000" in body:
        _refuse_unkeepable(value)
    return value


def field_path(keys: tuple[str | int, ...]) -> str:
    """A place in a body as people write it: `message.content[0].text`."""
    path = ""
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            path += f".{key}" if path else key
        else:
            path += f"[{json.dumps(key)}]"
    return path


def _check_shape(body: bytes) -> None:
    """Bound the values and the nesting before anything is built from them."""
    openings = body.count(b"[") + body.count(b"{")
    if openings <= MAX_DEPTH and body.count(b",") <= MAX_VALUES:
        return
    bare = _STRING.sub(b"", body)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_VALUES:
        raise BadRequest(f"The request body has more than {MAX_VALUES} values")
    depth = 0
    for sign in re.findall(rb"[\[\]{}]", bare):
        depth += 1 if sign in b"[{" else -1
        if depth > MAX_DEPTH:
            raise BadRequest(f"The request body is nested deeper than {MAX_DEPTH} levels")


def _read_slowly(body: bytes, refused: orjson.JSONDecodeError | None) -> Any:
    """Read with the standard library: to name what orjson refused, or to check its integers."""
    try:
        value = json.loads(
            body.decode(),
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as wrong:
        raise BadRequest("The request body is not valid UTF-8") from wrong
    except json.JSONDecodeError as wrong:
        raise BadRequest(
            "The request body is not valid JSON:"
            f" {wrong.msg} (line {wrong.lineno}, column {wrong.colno})"
        ) from wrong
    _refuse_unkeepable(value)
    if refused is not None:
        raise BadRequest("The request body is not valid JSON") from refused
    return value


def _integer(digits: str) -> int | _OutOfRange:
    if len(digits) > len(str(-_INT64)):
        return _OutOfRange()
    value = int(digits)
    # Signed or unsigned: what was sent as 1e19 is shown as an integer, and may be sent again.
    return value if -_INT64 <= value < 2 * _INT64 else _OutOfRange()


def _number(digits: str) -> float | _OutOfRange:
    value = float(digits)
    return value if math.isfinite(value) else _OutOfRange()


def _constant(name: str) -> _OutOfRange:
    raise BadRequest(f"The request body is not valid JSON: it has the value {name}")


def _refuse_unkeepable(value: object) -> None:
    found = islice(_unkeepable(value, ()), _MAX_PROBLEMS)
    problems = tuple(FieldProblem(field_path(keys), message) for keys, message in found)
    if problems:
        raise BadRequest(f"{problems[0].field}: {problems[0].message}", problems=problems)


def _unkeepable(
    value: object, keys: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Places that cannot be kept; the nesting is bounded already, so recursion is fine."""
    if isinstance(value, _OutOfRange):
        yield keys, "The number is out of range"
    elif isinstance(value, str):
        if not is_storable(value):
            yield keys, "The text has a NUL character or half of a surrogate pair"
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unkeepable(item, (*keys, position))
    elif isinstance(value, dict):
        for key, item in value.items():
            if not is_storable(key):
                yield (*keys, key), "The key has a NUL character or half of a surrogate pair"
            else:
                yield from _unkeepable(item, (*keys, key))

"""Bytes as a response: named safely, and in the parts that were asked for (RFC 9110, 13 and 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPMethod, HTTPStatus
from typing import Final, Literal
from urllib.parse import quote

from flask import Request, Response

from api.errors import envelope

# A browser that is sent there runs nothing of it.
INERT: Final = "default-src 'none'; sandbox"

# Opens the bytes from a start up to an end.
Read = Callable[[int, int], Iterator[bytes]]


def disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """Content-Disposition with the name in both spellings (RFC 6266)."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() else "_" for sign in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_response(
    request: Request, read: Read, *, size_bytes: int, etag: str, content_type: str, name: str
) -> Response:
    """The whole, one range of it, 304, 412 or 416, as the request's headers ask for.

    `etag` is of the bytes, so it is strong.  Several ranges at once are answered with the whole.
    """
    if request.if_match and etag not in request.if_match:
        return envelope(412, "precondition_failed", "The file is another one than If-Match says")
    if request.if_none_match.contains_weak(etag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
        return _described(response, etag=etag, content_type=None, name=name)
    start, end, status = 0, size_bytes, HTTPStatus.OK
    wanted = _wanted_part(request, etag)
    if wanted is not None:
        start, end = _within(wanted, size_bytes)
        if start >= end:
            refused = envelope(416, "range_not_satisfiable", "There is no such part of the file")
            refused.headers["Content-Range"] = f"bytes */{size_bytes}"
            return refused
        status = HTTPStatus.PARTIAL_CONTENT
    # HEAD is told all but the bytes.
    body = iter(()) if request.method == HTTPMethod.HEAD else read(start, end)
    response = Response(body, status=status)
    response.headers["Content-Length"] = str(end - start)
    if status == HTTPStatus.PARTIAL_CONTENT:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    return _described(response, etag=etag, content_type=content_type, name=name)


def _wanted_part(request: Request, etag: str) -> tuple[int, int | None] | None:
    """Start and end of the one range that counts; a negative start is from the end."""
    wanted = request.range
    # HEAD has no ranges.
    if wanted is None or wanted.units != "bytes" or request.method != HTTPMethod.GET:
        return None
    # By date nothing can be said.
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != f'"{etag}"':
        return None
    return wanted.ranges[0] if len(wanted.ranges) == 1 else None


def _within(part: tuple[int, int | None], size_bytes: int) -> tuple[int, int]:
    start, end = part
    if start < 0:
        return max(size_bytes + start, 0), size_bytes
    return start, size_bytes if end is None else min(end, size_bytes)


def _described(response: Response, *, etag: str, content_type: str | None, name: str) -> Response:
    if content_type is None:
        response.headers.pop("Content-Type", None)
    else:
        response.headers["Content-Type"] = content_type
        response.headers["Content-Disposition"] = disposition("inline", name)
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Accept-Ranges"] = "bytes"
    # It never changes, but it may be deleted, and is not for everybody.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Security-Policy"] = INERT
    return response

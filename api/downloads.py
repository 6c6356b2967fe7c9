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
    """The whole, one range of it, 304 or 416, as the request's headers ask for.

    `etag` is of the bytes, so it is strong.  Several ranges at once are answered with the whole.
    """
    if request.if_none_match.contains_weak(etag):
        response = Response(status=HTTPStatus.NOT_MODIFIED)
        return _described(response, etag=etag, content_type=None, name=name)
    start, end = 0, size_bytes
    status = HTTPStatus.OK
    wanted = request.range if _range_counts(request, etag) else None
    if wanted is not None and len(wanted.ranges) == 1:
        bounds = wanted.range_for_length(size_bytes)
        if bounds is None:
            refused = envelope(416, "range_not_satisfiable", "There is no such part of the file")
            refused.headers["Content-Range"] = f"bytes */{size_bytes}"
            return refused
        (start, end), status = bounds, HTTPStatus.PARTIAL_CONTENT
    # HEAD is told all but the bytes.
    body = iter(()) if request.method == HTTPMethod.HEAD else read(start, end)
    response = Response(body, status=status)
    response.headers["Content-Length"] = str(end - start)
    if status == HTTPStatus.PARTIAL_CONTENT:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    return _described(response, etag=etag, content_type=content_type, name=name)


def _range_counts(request: Request, etag: str) -> bool:
    """Whether a Range is for the bytes that there are; by date nothing can be said."""
    if request.range is None or request.range.units != "bytes":
        return False
    condition = request.headers.get("If-Range")
    return condition is None or condition.strip() == f'"{etag}"'


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

"""Listings of files, written out in slices so that none is held as a whole (I11)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import orjson
from flask import Response

from api.deps import Deps
from api.endpoint import JSON_TYPE
from api.schemas.files import show_info
from api.use_cases.change_files import Files
from common.storage import file_queries


def list_directory(deps: Deps, where: Files, directory: str, *, recursive: bool) -> Response:
    """What the directory holds, by path."""
    place = where.place
    entries = file_queries.entries(
        deps.database, place.organization_id, place.workspace_id, directory, recursive=recursive
    )
    shown = (orjson.dumps(show_info(entry, where.shown_session)) for entry in entries)
    pieces = _written(shown)
    # This many are read before anything is sent, so that a fault is still an answer.
    first = list(islice(pieces, file_queries.SLICE))
    if len(first) < file_queries.SLICE:
        return Response(b"".join(first), content_type=JSON_TYPE)
    return Response(chain([b"".join(first)], pieces), content_type=JSON_TYPE)


def _written(values: Iterator[bytes]) -> Iterator[bytes]:
    yield b'{"data":['
    total = 0
    for value in values:
        yield value if total == 0 else b"," + value
        total += 1
    yield b'],"total":%d}' % total

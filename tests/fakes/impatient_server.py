"""An application and a gunicorn worker that lose patience within moments, to be run by gunicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.gunicorn_worker import PacedWorker
from api.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGE = 16 * 1024 * 1024
_PIECE = b"x" * 65536


class ImpatientWorker(PacedWorker):
    pace = Pace(seconds=0.3, pause_seconds=1.0, bytes_per_second=1_000_000)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """`/large` is an answer nobody has to read; anything else says how much was sent."""
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE))])
        return (_PIECE for _ in range(LARGE // len(_PIECE)))
    size = len(environ["wsgi.input"].read())
    body = str(size).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

"""Where tools have their effects: a server that is no part of the system and remembers them all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

# Some effects are done long before the tool hears of it.
_LONGEST_SECONDS: Final = 0.6


class Recorder:
    """Effects by the key that names the call: `<class>/<idempotency key>`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._made: Counter[tuple[str, str]] = Counter()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                recorder._make(*self._named())
                self._answer(200)

            def do_GET(self) -> None:
                self._answer(200 if recorder._was_made(*self._named()) else 404)

            def _named(self) -> tuple[str, str]:
                query = parse_qs(urlsplit(self.path).query)
                return query["class"][0], query["key"][0]

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def made(self) -> dict[tuple[str, str], int]:
        """How often each effect was had, by class and key."""
        with self._guard:
            return dict(self._made)

    def _make(self, side_effect: str, key: str) -> None:
        with self._guard:
            self._made[side_effect, key] += 1
        time.sleep(crc32(key.encode()) % 1000 / 1000 * _LONGEST_SECONDS)

    def _was_made(self, side_effect: str, key: str) -> bool:
        with self._guard:
            return (side_effect, key) in self._made

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

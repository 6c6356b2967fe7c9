"""What any client does: ask whichever api answers, again and with the same key until one does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

Json = dict[str, Any]

_PATIENCE_SECONDS: Final = 90.0
_REQUEST_SECONDS: Final = 4.0
_SERVER_ERROR: Final = 500


class Unanswered(Exception):
    """No api gave an answer in all that time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not the server's trouble."""

    status: int
    body: Any

    @property
    def is_good(self) -> bool:
        return self.status < 300


class Rest:
    """The HTTP API behind several ports; for one thread."""

    def __init__(self, ports: Sequence[int], chance: Random) -> None:
        self._ports = ports
        self._chance = chance
        self.failed_requests = 0

    def get(self, path: str) -> Reply:
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: Json) -> Reply:
        """One effect however often it has to be asked for."""
        key = f"{self._chance.getrandbits(96):024x}"
        return self._ask("POST", path, body, {"Idempotency-Key": key})

    def log(self, session_id: str, after: int = 0) -> list[Json]:
        """All stored events beyond a number."""
        events: list[Json] = []
        while True:
            start = events[-1]["sequence"] if events else after
            page = self.get(f"/sessions/{session_id}/events?after_sequence={start}&limit=1000")
            if not page.is_good:
                raise AssertionError(f"events of {session_id}: {page}")
            if not page.body["data"]:
                return events
            events += page.body["data"]

    def _ask(self, method: str, path: str, body: Json | None, headers: dict[str, str]) -> Reply:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                reply = self._ask_once(method, path, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                reply = None
            if reply is not None and reply.status < _SERVER_ERROR:
                return reply
            self.failed_requests += 1
            threading.Event().wait(self._chance.uniform(0.05, 0.4))
        raise Unanswered(f"{method} {path}")

    def _ask_once(
        self, method: str, path: str, body: Json | None, headers: dict[str, str]
    ) -> Reply:
        port = self._chance.choice(self._ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_SECONDS)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(
                method, f"/v1{path}", sent, {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            raw = answer.read()
            return Reply(answer.status, json.loads(raw) if raw else None)
        finally:
            connection.close()

"""What a REST client does, over plain HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from common.domain.events import TERMINAL_TYPES
from tests import plain_http


@dataclass(frozen=True)
class Frame:
    """One server-sent event."""

    event: str
    id: str | None
    data: dict[str, Any]


class Client:
    """Talks to one system."""

    transport_errors = (httpx.TransportError, json.JSONDecodeError)

    def __init__(self, base_url: str) -> None:
        self.http = plain_http.client(base_url=f"{base_url}/v1", timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def session(self, **fields: Any) -> str:
        answer = self.http.post("/sessions", json=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def post(self, session_id: str, words: str, **llmsim: Any) -> httpx.Response:
        """Post a message that also says how the simulated model is to answer."""
        message = {
            "content": [{"type": "text", "text": words}],
            "controls": {"hints": {"llmsim": llmsim}} if llmsim else {},
        }
        return self.http.post(f"/sessions/{session_id}/messages", json={"message": message})

    def events(self, session_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["sequence"] if found else 0
            page = self.http.get(
                f"/sessions/{session_id}/events", params={"after_sequence": after}
            ).json()["data"]
            if not page:
                return found
            found += page

    def types(self, session_id: str) -> list[str]:
        return [event["type"] for event in self.events(session_id)]

    def status(self, session_id: str) -> str:
        return str(self.http.get(f"/sessions/{session_id}").json()["status"])

    @contextmanager
    def stream(self, session_id: str, **query: Any) -> Iterator[Iterator[Frame]]:
        """The session's live events; read time-outs are those of a patient client."""
        with self.http.stream(
            "GET", f"/sessions/{session_id}/sse", params=query, timeout=httpx.Timeout(10, read=40)
        ) as answer:
            assert answer.status_code == 200, answer.read()
            yield _frames(answer.iter_lines())


def _frames(lines: Iterator[str]) -> Iterator[Frame]:
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif not line and "data" in fields:
            yield Frame(fields.get("event", ""), fields.get("id"), json.loads(fields["data"]))
            fields = {}


def assert_one_whole_turn(events: list[dict[str, Any]], *, answer: str) -> None:
    """No hole, no repeat, one terminal event, this answer last."""
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [e["type"] for e in events if e["type"] in TERMINAL_TYPES] == ["turn.completed"]
    assert events[-1]["type"] == "session.idled"
    said = [event for event in events if event["type"] == "output.message.completed"]
    assert said[-1]["data"]["message"]["content"][0]["text"] == answer

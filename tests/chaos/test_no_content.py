"""The queue, the logs and Celery's events carry ids and counters, never content (I10)."""

import re
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any, Self

import redis

from tests.chaos.client import Client
from tests.conditions import wait_until
from tests.system import running

WORD = "xyzzy-plugh-4711"
_BODY = re.compile(rb"body\W+([A-Za-z0-9+/]{8,}={0,2})")


class Tap:
    """Everything that is published on a Redis server, and every list that a broker fills."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._lines: list[bytes] = []
        self._monitor = self._client.monitor()  # type: ignore[no-untyped-call]  # redis-py leaves it bare
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._monitor.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._client.ping()
        self._thread.join(5)
        self._monitor.__exit__(None, None, None)
        self._client.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            line = self._monitor.next_command()["command"].encode()
            # kombu sends bodies as base64: what they hold counts, not how they look.
            self._lines.append(line + b"".join(map(b64decode, _BODY.findall(line))))

    def commands(self, *names: str) -> list[bytes]:
        return [line for line in self._lines if line.split(b" ", 1)[0].decode().upper() in names]


def test_nothing_but_the_live_channel_carries_content(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {"LOG_LEVEL": "DEBUG"}
    with (
        Tap(redis_url) as tap,
        running(database_url, redis_url, tmp_path, settings=settings) as system,
        Client(system.base_url) as client,
    ):
        agent = client.http.post(
            "/agents", json={"name": "silent", "system_prompt": f"Prompt {WORD}"}
        ).json()
        session_id = client.session(agent_id=agent["id"], capabilities=["test_weather"])
        call = {"name": "get_weather", "arguments": {"location": WORD, "units": WORD}}
        behaviours: list[dict[str, Any]] = [
            {},
            {"tool_calls": {"type": "fixed", "tool_calls": [call]}},
            {"response": {"type": "error", "message": f"provider said {WORD}"}},
            {"response": {"type": WORD}},
        ]
        for number, behaviour in enumerate(behaviours, start=1):
            client.post(session_id, f"Words {WORD}", **behaviour)
            wait_until(
                lambda wanted=number: client.types(session_id).count("session.idled") == wanted,  # type: ignore[misc]  # bound now
                description=f"turn {number} is over",
                timeout_seconds=20,
            )
        bad = client.http.post(
            f"/sessions/{session_id}/messages",
            json={"message": {"content": [{"type": WORD}]}, "note": WORD},
        )
        assert bad.status_code == 422
        client.http.get(f"/sessions/{session_id}/events", params={"q": WORD})
        client.http.get("/sessions", params={"search": WORD})
        assert any(WORD in str(event["data"]) for event in client.events(session_id))
        wait_until(
            # Of tasks that end together one line tells.
            lambda: sum(line.count(b"task-succeeded") for line in tap.commands("PUBLISH")) >= 4,
            description="Celery has told of the tasks",
        )

    outputs = {part.name: part.output.read_text(errors="replace") for part in system.parts}
    assert all(outputs[name] for name in ("api-1", "worker-1"))
    assert [name for name, text in outputs.items() if WORD in text] == []
    # The broker's queues and Celery's events; the live channel (SPUBLISH, EVALSHA) has content.
    queued = tap.commands("LPUSH", "PUBLISH", "HSET", "ZADD")
    assert any(b"turn.run" in line for line in queued)
    assert [line for line in queued if WORD.encode() in line] == []

"""The whole system over TLS, with passwords and keys planted, and a broker that others write to."""

import json
import pickle
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from celery import Celery

from common.settings import Settings
from common.turn_queue import RUN_TURN, TURNS_QUEUE, celery_config
from dev.services import free_test_port
from tests import plain_http
from tests.conditions import wait_until
from tests.integration.tls.conftest import REDIS_PASSWORD, Guarded
from tests.system import running
from tests.talk import Talk, types_of, until

pytestmark = pytest.mark.slow

_CONTENT = "xyzzy-planted-words"
_TOKEN = "evr_pat_0123456789abcdefplanted"  # noqa: S105 - made up
_KEYS = {
    "DEFAULT_OPENAI_API_KEY": "planted-openai-4711",
    "DEFAULT_ANTHROPIC_API_KEY": "planted-anthropic-4711",
    "S3_SECRET_ACCESS_KEY": "planted-bucket-4711",
}


def _broker(url: str) -> Celery:
    """Somebody else who may write to the broker."""
    settings = Settings.from_env({"DATABASE_URL": "postgresql://db/x", "REDIS_URL": url})
    app = Celery("stranger", set_as_current=False)
    app.conf.update(celery_config(settings, socket_timeout_seconds=5))
    app.conf.update(accept_content=["json", "pickle"])
    return app


class _Exploding:
    """What would be run by whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, (_CONTENT,))


def _send_what_nobody_of_us_sends(app: Celery) -> int:
    """Unknown tasks, bad arguments, other serializers and what is no message at all."""
    arguments: list[tuple[Any, dict[str, Any]]] = [
        ((), {}),
        ((_CONTENT,), {}),
        ((7,), {}),
        (({"turn_id": _CONTENT},), {}),
        (([],), {}),
        (("0" * 32, "more"), {}),
        ((), {"turn_id": _CONTENT}),
        (("x" * 100_000,), {}),
    ]
    for given, named in arguments:
        app.send_task(RUN_TURN, args=given, kwargs=named, queue=TURNS_QUEUE)
    for name in ("os.system", "celery.backend_cleanup", f"no.such {_CONTENT}"):
        app.send_task(name, args=(_CONTENT,), queue=TURNS_QUEUE)
    app.send_task(RUN_TURN, args=(_Exploding(),), serializer="pickle", queue=TURNS_QUEUE)
    with app.connection_for_write() as connection:
        client = connection.default_channel.client  # type: ignore[attr-defined]  # of its Redis transport
        (envelope,) = client.lrange(TURNS_QUEUE, 0, 0) or [b"{}"]
        message = json.loads(envelope)
        raw: list[Any] = [
            b"",
            b"garbage",
            b"[]",
            b"null",
            b"{}",
            pickle.dumps(_Exploding()),
            json.dumps({"body": _CONTENT}),
            json.dumps({**message, "properties": None}),
            json.dumps({**message, "properties": {}}),
            json.dumps({**message, "body": _CONTENT, "content-type": "application/x-python"}),
            json.dumps({**message, "headers": [_CONTENT]}),
        ]
        for each in raw:
            client.lpush(TURNS_QUEUE, each)
        client.lpush("celery.pidbox", b"garbage")
    return len(arguments)


def _send_what_is_no_request(port: int) -> None:
    """Servers quote what they cannot read: a key in it must not be."""
    for line in (
        f"Authorization : Bearer {_TOKEN}",
        f"Authorization: Bearer {_TOKEN}\x00",
        f"{_TOKEN}",
        f" {_TOKEN}: x",
        "X: " + _TOKEN * 1000,
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"GET /{_TOKEN} HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n".encode())
            connection.recv(65536)


def _pages(port: int) -> str:
    """What Flower shows."""
    base = f"http://127.0.0.1:{port}"

    def workers() -> list[str]:
        try:
            return list(plain_http.get(f"{base}/api/workers?refresh=1", timeout=10).json())
        except (httpx.HTTPError, ValueError):
            return []

    (worker,) = wait_until(workers, description="Flower sees the worker", timeout_seconds=30)
    paths = ("/workers", "/tasks", "/broker", "/api/tasks", "/metrics", "/api/queues/length")
    replies = [
        plain_http.get(f"{base}{path}", timeout=10) for path in (*paths, f"/worker/{worker}")
    ]
    assert [reply.status_code for reply in replies] == [200] * len(replies)
    assert TURNS_QUEUE in replies[2].text
    return "".join(reply.text for reply in replies)


def _told_by_celery(app: Celery) -> str:
    inspect = app.control.inspect(timeout=5, limit=1)
    told = [inspect.conf(with_defaults=True), inspect.stats(), inspect.report(), inspect.active()]
    assert all(told)
    return json.dumps(told)


def test_planted_secrets_stay_where_they_are_and_strangers_messages_do_no_harm(
    guarded_redis: Guarded, guarded_postgres: Guarded, tmp_path: Path
) -> None:
    port = free_test_port()
    settings = {
        **_KEYS,
        "LOG_LEVEL": "DEBUG",
        "FLOWER_PORT": str(port),
        "FLOWER_UNAUTHENTICATED_API": "1",
    }
    parts = ("api", "stream", "front", "worker", "sweeper", "flower")
    broker = _broker(guarded_redis.url)
    with running(
        guarded_postgres.url, guarded_redis.url, tmp_path, parts=parts, settings=settings
    ) as system:
        talk = Talk(system.base_url)
        session_id = talk.open_session()
        with talk.watch(session_id, start="all") as events:
            talk.say(session_id, "Hello")
            seen = until(events, "session.idled")
        assert "output.message.delta" in types_of(seen, with_deltas=True)
        refused = _send_what_nobody_of_us_sends(broker)
        talk.say(session_id, "Still there?")
        talk.settle(session_id, turns=2)
        worker = next(part for part in system.parts if part.name == "worker-1")
        wait_until(
            lambda: worker.said("wake_up_refused") >= refused,
            description="messages with bad arguments are refused",
        )
        for part in system.parts:
            if part.name in ("api-1", "stream-1"):
                _send_what_is_no_request(part.port)
        shown = _pages(port) + _told_by_celery(broker)
        assert worker.is_alive
        talk.close()
    outputs = {part.name: part.output.read_text(errors="replace") for part in system.parts}

    secrets = [
        _TOKEN,
        *_KEYS.values(),
        REDIS_PASSWORD,
        quote(REDIS_PASSWORD, safe=""),
        str(urlsplit(guarded_postgres.url).password),
        system.environment["SECRETS_ENCRYPTION_KEY"].partition(":")[2],
    ]
    assert all(outputs[name] for name in ("api-1", "stream-1", "worker-1", "flower-1"))
    for secret in secrets:
        assert secret not in shown
        assert [name for name, text in outputs.items() if secret in text] == []
    assert [name for name, text in outputs.items() if _CONTENT in text] == []

"""A receiver of webhooks, and what a test needs to have it told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION
from common.domain.outbound import PrivateTargets
from common.domain.webhook import (
    Webhook,
    WebhookEvent,
    secret_purpose,
    secret_text,
)
from common.encryption import MasterKey, SecretBox
from common.storage import webhooks
from tests.integration.worker.conftest import World
from worker.webhook_sender import WebhookSender

Json = dict[str, Any]
KEY = MasterKey("test", bytes(range(32)))
SECRET = secret_text(bytes(32))
HERE = PrivateTargets.parse("127.0.0.1")


class Receiver(ThreadingHTTPServer):
    """Notes what it is told, and answers what it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.gate: threading.Event | None = None

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        with cls() as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            yield server
            server.shutdown()
            thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def told(self) -> list[Json]:
        return [json.loads(body) for _, body in self.got]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        if self.server.gate is not None:
            self.server.gate.wait(10)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.open() as server:
        yield server


def register(world: World, url: str, *events: WebhookEvent, organization: Any = None) -> Webhook:
    webhook_id = new_id()
    at = world.row("SELECT now() AS now").now
    webhook = Webhook(
        id=webhook_id,
        organization_id=organization or DEFAULT_ORGANIZATION,
        url=url,
        description=None,
        events=events or tuple(WebhookEvent),
        enabled=True,
        secret=SecretBox(KEY).encrypt(SECRET, purpose=secret_purpose(webhook_id)),
        created_at=at,
        updated_at=at,
    )
    with world.database.transaction() as tx:
        webhooks.insert(tx, webhook)
    return webhook


@contextmanager
def sender(world: World, **settings: Any) -> Iterator[WebhookSender]:
    changed = {"secrets_encryption_key": KEY, "outbound_allow_private": HERE, **settings}
    made = WebhookSender(replace(world.settings, **changed), world.database, spread=lambda: 0.0)
    yield made
    made._pool.shutdown()


def send_due(sending: WebhookSender) -> int:
    """Send what is due and has a place, and wait for how it ends."""
    begun = sending.begin_due()
    while sending.is_sending:
        sending.await_one(10)
    return begun


@contextmanager
def running(sending: WebhookSender) -> Iterator[None]:
    """It sends by itself, as in a sweeper."""
    stop = threading.Event()
    thread = threading.Thread(target=sending.run, args=(stop,))
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def make_deliveries(
    world: World, webhook: Webhook, count: int, event: WebhookEvent = WebhookEvent.FAILED
) -> None:
    """As if so many turns had ended, whose sessions are gone."""
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                " sequence) SELECT gen_random_uuid(), :w, :event, gen_random_uuid(),"
                " gen_random_uuid(), 1 FROM generate_series(1, :count)"
            ),
            {"w": webhook.id, "event": str(event), "count": count},
        )


def make_organization(world: World) -> UUID:
    made = new_id()
    with world.database.transaction() as tx:
        tx.execute(text("INSERT INTO organizations (id, name) VALUES (:o, 'Other')"), {"o": made})
    return made


def deliveries(world: World) -> list[Any]:
    with world.database.reading() as tx:
        found = tx.execute(text("SELECT * FROM webhook_deliveries ORDER BY created_at, event"))
        return list(found)


def make_due(world: World) -> None:
    """The time of the next try comes."""
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE webhook_deliveries SET available_at = now() - interval '1 s'"))

"""Turns are told to webhooks: written with their end, sent at least once, given up in the end."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from common.clock import new_id
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.outbound import PrivateTargets
from common.domain.turn import TurnStatus
from common.domain.webhook import (
    MOST_ATTEMPTS,
    Webhook,
    WebhookEvent,
    secret_purpose,
    secret_text,
)
from common.encryption import MasterKey, SecretBox
from common.storage import turns, webhook_deliveries, webhooks
from tests.conditions import wait_until
from tests.integration.worker.conftest import World
from tests.integration.worker.outside import LOOK_UP, Outside, asked, calls, script
from worker.webhook_sender import WebhookSender

Json = dict[str, Any]
_KEY = MasterKey("test", bytes(range(32)))
_SECRET = secret_text(bytes(32))
_HERE = PrivateTargets.parse("127.0.0.1")


class Receiver(ThreadingHTTPServer):
    """Notes what it is told, and answers what it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.gate: threading.Event | None = None

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
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def register(world: World, url: str, *events: WebhookEvent, organization: Any = None) -> Webhook:
    webhook_id = new_id()
    now = world.row("SELECT now() AS now").now
    webhook = Webhook(
        id=webhook_id,
        organization_id=organization or DEFAULT_ORGANIZATION,
        url=url,
        description=None,
        events=events or tuple(WebhookEvent),
        enabled=True,
        secret=SecretBox(_KEY).encrypt(_SECRET, purpose=secret_purpose(webhook_id)),
        created_at=now,
        updated_at=now,
    )
    with world.database.transaction() as tx:
        webhooks.insert(tx, webhook)
    return webhook


@contextmanager
def sender(world: World, **settings: Any) -> Iterator[WebhookSender]:
    changed = {"secrets_encryption_key": _KEY, "outbound_allow_private": _HERE, **settings}
    made = WebhookSender(replace(world.settings, **changed), world.database, spread=lambda: 0.0)
    yield made
    made._pool.shutdown()


def deliveries(world: World) -> list[Any]:
    with world.database.reading() as tx:
        found = tx.execute(text("SELECT * FROM webhook_deliveries ORDER BY created_at, event"))
        return list(found)


def make_due(world: World) -> None:
    """The time of the next try comes."""
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE webhook_deliveries SET available_at = now() - interval '1 s'"))


def test_a_turn_that_completed_is_told_once_signed_and_without_content(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    turn_id = world.post("a secret question")
    world.worker().run(turn_id)
    with sender(world) as sending:
        assert sending.send_due() == 1
        assert sending.send_due() == 0

    ((headers, body),) = receiver.got
    told = Verifier(_SECRET).verify(body, headers)
    ended = next(event for event in world.events() if event.type == "turn.completed")
    data = told.pop("data")
    assert told["type"] == "turn.completed"
    assert data["turn_id"] == show_id(Kind.TURN, turn_id)
    assert data["session_id"] == show_id(Kind.SESSION, world.session_id)
    assert (data["event_id"], data["sequence"]) == (ended.id, ended.sequence)
    assert data["iterations"] == 1
    assert b"secret" not in body
    assert headers["content-type"] == "application/json"
    (row,) = deliveries(world)
    assert headers["webhook-id"] == show_id(Kind.WEBHOOK_DELIVERY, row.id)
    assert (row.status, row.attempts, row.last_status) == ("delivered", 1, 204)


def test_failing_waiting_and_being_cancelled_are_told(world: World, receiver: Receiver) -> None:
    register(world, receiver.url)
    outside = Outside(world)
    outside.define(LOOK_UP)
    worker = world.worker()
    turn_id = world.say("Look", **script(calls("look_up", q="secret")))
    worker.run(turn_id)
    (call_id,) = asked(world)
    outside.cancel()
    worker.run(world.say("Fail", response={"type": "error", "message": "secret"}))
    with sender(world) as sending:
        sending.send_due()

    told = {each["type"]: each["data"] for each in receiver.told()}
    assert told.keys() == {"turn.failed", "turn.waiting", "turn.cancelled"}
    assert told["turn.failed"]["error_code"] == "llm_error"
    assert told["turn.waiting"]["event_type"] == "tool.call_requested"
    assert told["turn.waiting"]["tool_calls"] == [{"id": call_id, "name": "look_up"}]
    assert told["turn.waiting"]["deadline"]
    assert told["turn.cancelled"]["turn_id"] == show_id(Kind.TURN, turn_id)
    assert not any(b"secret" in body for _, body in receiver.got)


def test_only_who_asked_for_it_is_told(world: World, receiver: Receiver) -> None:
    other = new_id()
    with world.database.transaction() as tx:
        tx.execute(text("INSERT INTO organizations (id, name) VALUES (:o, 'Other')"), {"o": other})
    register(world, receiver.url, WebhookEvent.FAILED)
    register(world, receiver.url, organization=other)
    world.worker().run(world.post("Hello"))
    assert deliveries(world) == []


def end_and_break(world: World, turn_id: UUID) -> None:
    with world.database.transaction() as tx:
        turns.end(tx, turn_id, TurnStatus.CANCELLED)
        raise RuntimeError("broken")


def test_what_is_told_is_written_with_the_end_of_the_turn(world: World, receiver: Receiver) -> None:
    """No loss: there is no moment at which a turn has ended and nobody is to be told."""
    register(world, receiver.url)
    turn_id = world.post("Hello")
    with pytest.raises(RuntimeError, match="broken"):
        end_and_break(world, turn_id)
    assert deliveries(world) == []
    world.worker().run(turn_id)
    assert [row.event for row in deliveries(world)] == ["turn.completed"]


def test_what_fails_is_tried_again_later_under_the_same_id(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers = [500, 302]
    with sender(world) as sending:
        assert sending.send_due() == 1
        assert sending.send_due() == 0, "not before its time"
        (row,) = deliveries(world)
        assert (row.status, row.last_status, row.last_error) == (
            "pending",
            500,
            "it answered 500",
        )
        make_due(world)
        sending.send_due()
        make_due(world)
        sending.send_due()
    assert len(set(receiver.ids())) == 1
    assert len({body for _, body in receiver.got}) == 1
    (row,) = deliveries(world)
    assert (row.status, row.attempts) == ("delivered", 3)


def test_a_server_that_wants_to_be_left_alone_is(world: World, receiver: Receiver) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers, receiver.headers = [429], {"Retry-After": "600"}
    with sender(world) as sending:
        sending.send_due()
    waits = world.row("SELECT available_at - now() AS left FROM webhook_deliveries").left
    assert 590 < waits.total_seconds() <= 600


def test_what_fails_for_half_a_day_is_given_up_and_can_be_sent_again(
    world: World, receiver: Receiver
) -> None:
    webhook = register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers = [503] * MOST_ATTEMPTS
    with sender(world) as sending:
        for _ in range(MOST_ATTEMPTS + 2):
            make_due(world)
            sending.send_due()
        (row,) = deliveries(world)
        assert (row.status, row.attempts) == ("dead", MOST_ATTEMPTS)
        with world.database.transaction() as tx:
            webhook_deliveries.send_again(tx, row.id)
        sending.send_due()
    assert len(receiver.got) == MOST_ATTEMPTS + 1
    assert len(set(receiver.ids())) == 1
    assert webhook.enabled


def test_a_server_that_is_gone_is_told_nothing_more(world: World, receiver: Receiver) -> None:
    register(world, receiver.url)
    worker = world.worker()
    receiver.answers = [410]
    worker.run(world.post("Hello"))
    with sender(world) as sending:
        sending.send_due()
        worker.run(world.post("Again"))
        assert sending.send_due() == 0
    assert [row.status for row in deliveries(world)] == ["dead"]
    switched = world.row("SELECT enabled, gone_at FROM webhooks")
    assert (switched.enabled, switched.gone_at is None) == (False, False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://169.254.169.254/x", "http://localhost/x"]
)
def test_private_addresses_are_refused_when_it_is_sent(world: World, url: str) -> None:
    register(world, url)
    world.worker().run(world.post("Hello"))
    with sender(world, outbound_allow_private=PrivateTargets.parse("")) as sending:
        sending.send_due()
    (row,) = deliveries(world)
    assert row.last_status is None
    assert "refused" in row.last_error


def test_nobody_there_is_no_loss(world: World) -> None:
    register(world, "http://127.0.0.1:1/x")
    world.worker().run(world.post("Hello"))
    with sender(world) as sending:
        sending.send_due()
    (row,) = deliveries(world)
    assert (row.status, row.last_error) == ("pending", "no answer (ConnectError)")


def test_two_senders_do_not_tell_twice_and_a_dead_one_is_no_loss(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.gate = threading.Event()
    with sender(world) as first, sender(world) as second:
        slow = threading.Thread(target=first.send_due, daemon=True)
        slow.start()
        wait_until(lambda: receiver.got, description="the first one sends")
        assert second.send_due() == 0
        # As if the first had died: its hold runs out, and it cannot settle what it no longer has.
        make_due(world)
        gate, receiver.gate = receiver.gate, None
        receiver.answers = [500]
        assert second.send_due() == 1
        gate.set()
        slow.join()
    (row,) = deliveries(world)
    assert (row.status, row.attempts, row.last_status) == ("pending", 2, 500)
    assert len(set(receiver.ids())) == 1


def test_one_that_is_slow_does_not_hide_the_others(world: World, receiver: Receiver) -> None:
    slow = register(world, "http://127.0.0.1:1/x", WebhookEvent.FAILED)
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                " sequence) SELECT gen_random_uuid(), :w, 'turn.failed', gen_random_uuid(),"
                " gen_random_uuid(), 1 FROM generate_series(1, 50)"
            ),
            {"w": slow.id},
        )
    register(world, receiver.url, WebhookEvent.COMPLETED)
    world.worker().run(world.post("Hello"))
    with sender(world) as sending:
        assert sending.send_due() == 5
    assert len(receiver.got) == 1


def test_a_webhook_that_is_deleted_meanwhile_is_no_fault_of_the_turn(
    world: World, receiver: Receiver
) -> None:
    webhook = register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    with world.database.transaction() as tx:
        tx.execute(text("DELETE FROM webhooks"))
    with sender(world) as sending:
        assert sending.send_due() == 1
    (row,) = deliveries(world)
    assert (row.webhook_id, row.status) == (webhook.id, "dead")
    assert receiver.got == []


def test_old_news_is_forgotten(world: World) -> None:
    webhook = register(world, "http://127.0.0.1:1/x")
    with world.database.transaction() as tx:
        for status, hours in (("delivered", 25), ("delivered", 23), ("dead", 721), ("dead", 25)):
            tx.execute(
                text(
                    "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                    " sequence, status, ended_at) VALUES (gen_random_uuid(), :w, 'turn.failed',"
                    " :w, :w, 1, :status, now() - make_interval(hours => :hours))"
                ),
                {"w": webhook.id, "status": status, "hours": hours},
            )
        webhook_deliveries.forget_old(tx, limit=10)
    assert sorted(row.status for row in deliveries(world)) == ["dead", "delivered"]

"""Turns are told to webhooks: written with their end, sent at least once, given up in the end."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from common.domain.ids import Kind, show_id
from common.domain.turn import TurnStatus
from common.domain.webhook import (
    MOST_ATTEMPTS,
    WebhookEvent,
)
from common.storage import turns, webhook_deliveries
from tests.conditions import wait_until
from tests.integration.worker.conftest import World
from tests.integration.worker.outside import LOOK_UP, Outside, asked, calls, script
from tests.integration.worker.webhook_receiver import (
    SECRET,
    Receiver,
    deliveries,
    make_due,
    make_organization,
    receiver,
    register,
    send_due,
    sender,
)

# A fixture, by its name.
__all__ = ["receiver"]


def test_a_turn_that_completed_is_told_once_signed_and_without_content(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    turn_id = world.post("a secret question")
    world.worker().run(turn_id)
    with sender(world) as sending:
        assert send_due(sending) == 1
        assert send_due(sending) == 0

    ((headers, body),) = receiver.got
    told = Verifier(SECRET).verify(body, headers)
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
        send_due(sending)

    told = {each["type"]: each["data"] for each in receiver.told()}
    assert told.keys() == {"turn.failed", "turn.waiting", "turn.cancelled"}
    assert told["turn.failed"]["error_code"] == "llm_error"
    assert told["turn.waiting"]["event_type"] == "tool.call_requested"
    assert told["turn.waiting"]["tool_calls"] == [{"id": call_id, "name": "look_up"}]
    assert told["turn.waiting"]["deadline"]
    assert told["turn.cancelled"]["turn_id"] == show_id(Kind.TURN, turn_id)
    assert not any(b"secret" in body for _, body in receiver.got)


def test_only_who_asked_for_it_is_told(world: World, receiver: Receiver) -> None:
    register(world, receiver.url, WebhookEvent.FAILED)
    register(world, receiver.url, organization=make_organization(world))
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
        assert send_due(sending) == 1
        assert send_due(sending) == 0, "not before its time"
        (row,) = deliveries(world)
        assert (row.status, row.last_status, row.last_error) == (
            "pending",
            500,
            "it answered 500",
        )
        make_due(world)
        send_due(sending)
        make_due(world)
        send_due(sending)
    assert len(set(receiver.ids())) == 1
    assert len({body for _, body in receiver.got}) == 1
    (row,) = deliveries(world)
    assert (row.status, row.attempts) == ("delivered", 3)


def test_what_fails_for_half_a_day_is_given_up_and_can_be_sent_again(
    world: World, receiver: Receiver
) -> None:
    webhook = register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers = [503] * MOST_ATTEMPTS
    with sender(world) as sending:
        for _ in range(MOST_ATTEMPTS + 2):
            make_due(world)
            send_due(sending)
        (row,) = deliveries(world)
        assert (row.status, row.attempts) == ("dead", MOST_ATTEMPTS)
        with world.database.transaction() as tx:
            webhook_deliveries.send_again(tx, row.id)
        send_due(sending)
    assert len(receiver.got) == MOST_ATTEMPTS + 1
    assert len(set(receiver.ids())) == 1
    assert webhook.enabled


def test_two_senders_do_not_tell_twice_and_a_dead_one_is_no_loss(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.gate = threading.Event()
    with sender(world) as first, sender(world) as second:
        slow = threading.Thread(target=send_due, args=(first,), daemon=True)
        slow.start()
        wait_until(lambda: receiver.got, description="the first one sends")
        assert send_due(second) == 0
        # As if the first had died: its hold runs out, and it cannot settle what it no longer has.
        make_due(world)
        gate, receiver.gate = receiver.gate, None
        receiver.answers = [500]
        assert send_due(second) == 1
        gate.set()
        slow.join()
    (row,) = deliveries(world)
    assert (row.status, row.attempts, row.last_status) == ("pending", 2, 500)
    assert len(set(receiver.ids())) == 1


def test_it_is_told_the_same_when_its_session_is_gone(world: World, receiver: Receiver) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers = [500]
    with sender(world) as sending:
        send_due(sending)
        with world.database.transaction() as tx:
            tx.execute(text("DELETE FROM events"))
        make_due(world)
        send_due(sending)
    assert len(receiver.got) == 2
    assert len({body for _, body in receiver.got}) == 1
    assert receiver.told()[0]["data"]["iterations"] == 1


def test_the_end_of_a_session_is_the_reason_that_its_turn_has(
    world: World, receiver: Receiver
) -> None:
    register(world, receiver.url)
    with world.database.transaction() as tx:
        turns.end(tx, world.post("Hello"), TurnStatus.CANCELLED)
    with sender(world) as sending:
        send_due(sending)
    (told,) = receiver.told()
    assert (told["type"], told["data"]["reason"]) == ("turn.cancelled", "session_deleted")


def test_a_webhook_that_is_deleted_meanwhile_is_no_fault_of_the_turn(
    world: World, receiver: Receiver
) -> None:
    webhook = register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    with world.database.transaction() as tx:
        tx.execute(text("DELETE FROM webhooks"))
    with sender(world) as sending:
        assert send_due(sending) == 1
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
        assert webhook_deliveries.forget_old(tx, limit=10) == 2
    assert sorted(row.status for row in deliveries(world)) == ["dead", "delivered"]

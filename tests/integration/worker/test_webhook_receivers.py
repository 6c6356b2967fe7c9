"""Receivers of webhooks that are slow, gone, hostile or many: none is a trouble for another."""

import threading
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import text

from common.clock import now
from common.domain.outbound import PrivateTargets
from common.domain.webhook import (
    WebhookEvent,
)
from common.storage import webhook_deliveries, webhooks
from tests.conditions import wait_until
from tests.integration.worker.conftest import World
from tests.integration.worker.webhook_receiver import (
    Receiver,
    deliveries,
    make_deliveries,
    make_due,
    make_organization,
    receiver,
    register,
    running,
    send_due,
    sender,
)

# A fixture, by its name.
__all__ = ["receiver"]


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_that_wants_to_be_left_alone_is(
    world: World, receiver: Receiver, *, as_date: bool
) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    then = format_datetime(now() + timedelta(seconds=600), usegmt=True)
    receiver.answers, receiver.headers = [429], {"Retry-After": then if as_date else "600"}
    with sender(world) as sending:
        send_due(sending)
    waits = world.row("SELECT available_at - now() AS left FROM webhook_deliveries").left
    assert 590 < waits.total_seconds() <= 600


def test_how_late_they_are_is_known(world: World) -> None:
    webhook = register(world, "http://127.0.0.1:1/x")
    with world.database.reading() as tx:
        assert webhook_deliveries.late_seconds(tx) == 0
    make_deliveries(world, webhook, 2)
    with world.database.transaction() as tx:
        tx.execute(text("UPDATE webhook_deliveries SET available_at = now() - interval '60 s'"))
    with world.database.reading() as tx:
        assert 60 <= webhook_deliveries.late_seconds(tx) < 70


def test_a_server_that_is_gone_is_told_nothing_more(world: World, receiver: Receiver) -> None:
    register(world, receiver.url)
    worker = world.worker()
    receiver.answers = [410]
    worker.run(world.post("Hello"))
    with sender(world) as sending:
        send_due(sending)
        worker.run(world.post("Again"))
        assert send_due(sending) == 0
    (row,) = deliveries(world)
    assert (row.status, row.last_status, row.last_error) == ("dead", 410, "it answered 410")
    switched = world.row("SELECT enabled, gone_at FROM webhooks")
    assert (switched.enabled, switched.gone_at is None) == (False, False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://169.254.169.254/x", "http://localhost/x"]
)
def test_private_addresses_are_refused_when_it_is_sent(world: World, url: str) -> None:
    register(world, url)
    world.worker().run(world.post("Hello"))
    with sender(world, outbound_allow_private=PrivateTargets.parse("")) as sending:
        send_due(sending)
    (row,) = deliveries(world)
    assert row.last_status is None
    assert "refused" in row.last_error


def test_nobody_there_is_no_loss(world: World) -> None:
    register(world, "http://127.0.0.1:1/x")
    world.worker().run(world.post("Hello"))
    with sender(world) as sending:
        send_due(sending)
    (row,) = deliveries(world)
    assert (row.status, row.last_error) == ("pending", "no answer (ConnectError)")


def test_many_of_one_do_not_hide_the_others(world: World, receiver: Receiver) -> None:
    make_deliveries(world, register(world, "http://127.0.0.1:1/x", WebhookEvent.FAILED), 2000)
    register(world, receiver.url, WebhookEvent.COMPLETED)
    world.worker().run(world.post("Hello"))
    with sender(world) as sending:
        assert send_due(sending) == 5
    assert len(receiver.got) == 1


def test_one_that_does_not_answer_holds_up_nobody_else(world: World, receiver: Receiver) -> None:
    """Neither another webhook nor another organization, whose share it cannot take."""
    with Receiver.open() as silent, sender(world) as sending:
        silent.gate = threading.Event()
        for _ in range(3):
            make_deliveries(world, register(world, silent.url, WebhookEvent.FAILED), 5)
        with running(sending):
            wait_until(lambda: len(silent.got) == 8, description="its organization has its share")
            other = register(world, receiver.url, organization=make_organization(world))
            make_deliveries(world, other, 6)
            wait_until(lambda: len(receiver.got) == 6, description="the other one is told all")
            assert len(silent.got) == 8
            silent.gate.set()
            wait_until(lambda: len(silent.got) == 15, description="and then the first")


@pytest.mark.parametrize("place", ["//:80", "http://<xn--", "\xff", "http://["])
def test_no_answer_of_a_stranger_ends_the_sending(
    world: World, receiver: Receiver, place: str
) -> None:
    register(world, receiver.url)
    world.worker().run(world.post("Hello"))
    receiver.answers, receiver.headers = [302], {"Location": place}
    with sender(world) as sending, running(sending):
        wait_until(
            lambda: deliveries(world)[0].last_error == "it answered 302",
            description="it is a try that failed",
        )
        receiver.headers = {}
        make_due(world)
        wait_until(
            lambda: deliveries(world)[0].status == "delivered", description="the next is none"
        )


def test_what_an_old_address_says_does_not_switch_off_the_new_one(
    world: World, receiver: Receiver
) -> None:
    webhook = register(world, receiver.url)
    make_deliveries(world, webhook, 1)
    receiver.gate, receiver.answers = threading.Event(), [410]
    with sender(world) as sending:
        sending.begin_due()
        wait_until(lambda: receiver.got, description="it is sent")
        make_deliveries(world, webhook, 1)
        with world.database.transaction() as tx:
            webhooks.update(tx, replace(webhook, url=f"{receiver.url}/new"))
        receiver.gate.set()
        sending.await_one(10)
    assert sorted(row.status for row in deliveries(world)) == ["dead", "pending"]
    assert world.row("SELECT enabled FROM webhooks").enabled


def test_several_that_say_at_once_that_they_are_gone(
    world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    webhook = register(world, receiver.url)
    for _ in range(5):
        receiver.answers, receiver.gate = [410] * 4, threading.Event()
        receiver.got.clear()
        make_deliveries(world, webhook, 6)
        with world.database.transaction() as tx:
            webhooks.update(tx, webhook)
        with sender(world) as sending:
            sending.begin_due()
            wait_until(lambda: len(receiver.got) == 4, description="four are sent")
            receiver.gate.set()
            while sending.is_sending:
                sending.await_one(10)
        assert {row.status for row in deliveries(world)} == {"dead"}
    assert "webhooks_not_sent" not in caplog.text

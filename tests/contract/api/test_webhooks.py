"""Webhooks as a resource: `/v1/task-webhooks`, and what they were told."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from common.clock import new_id
from common.domain.ids import Kind, parse_id, show_id
from common.domain.webhook import MOST_WEBHOOKS, secret_purpose
from common.encryption import MasterKey, SecretBox
from common.storage.engine import Database
from tests.contract.api.client import Api, Document, Json

_KEY = MasterKey("test", bytes(range(32)))
_URL = "https://hooks.example.com/turns"
_PATH = "/v1/task-webhooks"
_ALL = ["turn.completed", "turn.failed", "turn.cancelled", "turn.sealed", "turn.waiting"]


@pytest.fixture(scope="module")
def sealed_app(deps: Deps) -> APIFlask:
    """The api of a deployment that has a master key."""
    settings = replace(deps.settings, secrets_encryption_key=_KEY)
    return create_app(replace(deps, settings=settings))


@pytest.fixture
def hooks(sealed_app: APIFlask, organization: UUID, document: Document) -> Api:
    return Api(sealed_app, {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)}, document)


def made(api: Api, **fields: Any) -> Json:
    reply = api.post(_PATH, {"url": _URL, **fields})
    assert reply.status == 201, reply.text
    webhook: Json = reply.body
    return webhook


def told(database: Database, webhook: Json, status: str = "dead") -> str:
    """A delivery as sweepers leave it; returns its id."""
    delivery_id = new_id()
    with database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                " sequence, status, attempts, last_status, last_error) VALUES"
                " (:id, :w, 'turn.failed', :id, :id, 2, :status, 9, 500, 'it answered 500')"
            ),
            {"id": delivery_id, "w": parse_id(Kind.WEBHOOK, webhook["id"]), "status": status},
        )
    return show_id(Kind.WEBHOOK_DELIVERY, delivery_id)


def test_a_webhook_is_registered_and_its_secret_shown_once(hooks: Api, database: Database) -> None:
    webhook = made(hooks, description="For the dashboard", events=["turn.failed"])

    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert len(secret) == 50
    assert {name: webhook[name] for name in webhook if not name.endswith("_at")} == {
        "id": webhook["id"],
        "url": _URL,
        "description": "For the dashboard",
        "events": ["turn.failed"],
        "enabled": True,
        "has_secret": True,
    }
    assert hooks.get(f"{_PATH}/{webhook['id']}").body == webhook
    assert hooks.get(_PATH).body == {"data": [webhook], "total": 1, "offset": 0, "limit": 20}
    uuid = parse_id(Kind.WEBHOOK, webhook["id"])
    with database.reading() as tx:
        stored = tx.execute(text("SELECT * FROM webhooks WHERE id = :id"), {"id": uuid}).one()
    assert secret not in str(stored)
    assert SecretBox(_KEY).decrypt(stored.secret, purpose=secret_purpose(uuid)) == secret


def test_without_a_choice_it_is_told_of_everything(hooks: Api) -> None:
    webhook = made(hooks)
    assert webhook["events"] == _ALL
    path = f"{_PATH}/{webhook['id']}"
    some = hooks.patch(path, {"events": ["turn.waiting", "turn.failed", "turn.failed"]})
    assert some.body["events"] == ["turn.failed", "turn.waiting"]
    assert hooks.patch(path, {"events": None}).body["events"] == _ALL


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"url": "ftp://hooks.example.com"}, 422),
        ({"url": "http://localhost/x"}, 422),
        ({"url": "http://169.254.169.254/latest"}, 422),
        ({"url": "http://10.0.0.7/x"}, 422),
        ({"url": "https://user:pw@hooks.example.com/"}, 422),
        ({"url": ""}, 400),
        ({"events": []}, 400),
        ({"events": ["turn.started"]}, 400),
        ({"enabled": "perhaps"}, 400),
    ],
)
def test_what_cannot_be_is_refused(hooks: Api, fields: Json, status: int) -> None:
    assert hooks.post(_PATH, {"url": _URL, **fields}).status == status
    webhook = made(hooks)
    assert hooks.patch(f"{_PATH}/{webhook['id']}", fields).status == status
    assert hooks.get(f"{_PATH}/{webhook['id']}").body["url"] == _URL


def test_nothing_is_stored_without_a_master_key(api: Api) -> None:
    assert api.post(_PATH, {"url": _URL}).status == 503
    assert api.get(_PATH).body["data"] == []


def test_there_is_an_end_to_how_many(hooks: Api) -> None:
    for _ in range(MOST_WEBHOOKS):
        made(hooks)
    assert hooks.post(_PATH, {"url": _URL}).status == 409
    assert hooks.get(f"{_PATH}?limit=100").body["total"] == MOST_WEBHOOKS


def test_a_repeat_makes_no_second_one(hooks: Api) -> None:
    keyed = hooks.with_headers(Idempotency_Key="once")
    assert keyed.post(_PATH, {"url": _URL}).status == 201
    assert keyed.post(_PATH, {"url": _URL}).status == 409
    assert hooks.get(_PATH).body["total"] == 1


def test_a_stranger_has_none_of_it(hooks: Api, stranger: Api, database: Database) -> None:
    webhook = made(hooks)
    delivery = told(database, webhook)
    path = f"{_PATH}/{webhook['id']}"
    assert stranger.get(path).status == 404
    assert stranger.patch(path, {"enabled": False}).status == 404
    assert stranger.delete(path).status == 404
    assert stranger.get(f"{path}/deliveries").status == 404
    assert stranger.post(f"{path}/deliveries/{delivery}/retry").status == 404
    assert stranger.get(_PATH).body["data"] == []
    assert hooks.get(path).body["enabled"] is True


def test_what_was_given_up_can_be_listed_and_sent_again(hooks: Api, database: Database) -> None:
    webhook = made(hooks)
    dead = told(database, webhook)
    told(database, webhook, status="delivered")
    path = f"{_PATH}/{webhook['id']}/deliveries"
    assert hooks.get(path).body["total"] == 2
    (listed,) = hooks.get(f"{path}?status=dead").body["data"]
    assert (listed["id"], listed["attempts"], listed["last_status"]) == (dead, 9, 500)
    assert listed["next_attempt_at"] is None

    sent = hooks.post(f"{path}/{dead}/retry")
    assert sent.status == 200
    assert (sent.body["id"], sent.body["status"], sent.body["attempts"]) == (dead, "pending", 0)
    assert sent.body["next_attempt_at"] is not None
    assert hooks.post(f"{path}/{dead}/retry").status == 409
    missing = show_id(Kind.WEBHOOK_DELIVERY, new_id())
    assert hooks.post(f"{path}/{missing}/retry").status == 404


def test_one_that_is_off_is_told_nothing_until_it_is_on(hooks: Api, database: Database) -> None:
    webhook = made(hooks)
    pending = told(database, webhook, status="pending")
    path = f"{_PATH}/{webhook['id']}"
    assert hooks.patch(path, {"enabled": False}).body["enabled"] is False
    (given_up,) = hooks.get(f"{path}/deliveries?status=dead").body["data"]
    assert given_up["id"] == pending
    assert hooks.post(f"{path}/deliveries/{pending}/retry").status == 409
    hooks.patch(path, {"enabled": True})
    assert hooks.post(f"{path}/deliveries/{pending}/retry").status == 200


def test_with_a_webhook_go_its_deliveries(hooks: Api, database: Database) -> None:
    webhook = made(hooks)
    told(database, webhook)
    assert hooks.delete(f"{_PATH}/{webhook['id']}").status == 204
    assert hooks.get(f"{_PATH}/{webhook['id']}").status == 404
    assert hooks.delete(f"{_PATH}/{webhook['id']}").status == 404
    with database.reading() as tx:
        left = tx.execute(
            text("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = :w"),
            {"w": parse_id(Kind.WEBHOOK, webhook["id"])},
        ).scalar_one()
    assert left == 0

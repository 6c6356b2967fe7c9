"""What a session keeps by name: secrets go in and never come out."""

from dataclasses import replace

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from common.domain.ids import Kind, parse_id
from common.encryption import MasterKey, SecretBox
from common.storage import session_storage
from common.storage.engine import Database
from tests.contract.api.client import Api, Json

BOX = SecretBox(MasterKey("test", bytes(32)))
SECRET = "hunter2-and-more"  # noqa: S105 - of a test


@pytest.fixture(scope="module")
def sealing_app(deps: Deps) -> APIFlask:
    """The api of an operator who has set a master key."""
    return create_app(replace(deps, secrets=BOX))


@pytest.fixture
def sealing(sealing_app: APIFlask, api: Api) -> Api:
    return Api(sealing_app, api.headers, api._document)


def url(session: Json, rest: str = "secrets") -> str:
    return f"/v1/sessions/{session['id']}/storage/{rest}"


def test_secrets_are_stored_encrypted_and_never_shown(
    sealing: Api, organization: object, database: Database
) -> None:
    session = sealing.session()
    put = sealing.put(url(session), {"secrets": {"TOKEN": SECRET, "_b1": ""}})
    assert (put.status, put.body) == (200, {"count": 2})
    listed = sealing.get(url(session)).body
    assert [each["name"] for each in listed["data"]] == ["TOKEN", "_b1"]
    assert set(listed["data"][0]) == {"name", "created_at", "updated_at"}
    row_id = parse_id(Kind.SESSION, session["id"])
    with database.reading() as tx:
        rows = tx.execute(
            text("SELECT secret::text FROM session_secrets WHERE session_id = :s"), {"s": row_id}
        ).scalars()
        assert not any(SECRET in row for row in rows)
        found = session_storage.get_secret(tx, BOX, organization, row_id, "TOKEN")  # type: ignore[arg-type]
    assert found == SECRET
    for path in (f"/v1/sessions/{session['id']}", f"/v1/sessions/{session['id']}/events"):
        assert SECRET not in sealing.get(path).text


def test_a_later_value_replaces_and_others_stay(sealing: Api) -> None:
    session = sealing.session()
    sealing.put(url(session), {"secrets": {"A": "1", "B": "2"}})
    before = sealing.get(url(session)).body["data"]
    assert sealing.put(url(session), {"secrets": {"A": "3"}}).body == {"count": 1}
    after = sealing.get(url(session)).body["data"]
    assert [each["name"] for each in after] == ["A", "B"]
    assert after[0]["updated_at"] > before[0]["updated_at"]
    assert after[1] == before[1]
    assert sealing.put(url(session), {"secrets": {}}).body == {"count": 0}


def test_without_a_master_key_nothing_is_stored(api: Api, deps: Deps) -> None:
    keyless = create_app(replace(deps, secrets=SecretBox(None)))
    api = Api(keyless, api.headers, api._document)
    session = api.session()
    refused = api.put(url(session), {"secrets": {"A": SECRET}})
    assert (refused.status, refused.body["code"]) == (503, "encryption_unavailable")
    assert SECRET not in refused.text
    assert api.get(url(session)).body == {"data": [], "total": 0}


@pytest.mark.parametrize("body", [{}, {"secrets": 1}, {"secrets": []}, {"secrets": {"A": 1}}])
def test_malformed_bodies_are_400(sealing: Api, body: Json) -> None:
    assert sealing.put(url(sealing.session()), body).status == 400


@pytest.mark.parametrize(
    "secrets",
    [
        {"1A": SECRET},
        {"": SECRET},
        {"A-B": SECRET},
        {"A" * 129: SECRET},
        {"A": SECRET * 5000},
        {f"A{n}": SECRET for n in range(201)},
    ],
)
def test_what_cannot_be_kept_is_422(sealing: Api, secrets: Json) -> None:
    session = sealing.session()
    refused = sealing.put(url(session), {"secrets": secrets})
    assert refused.status == 422
    assert SECRET not in refused.text
    assert sealing.get(url(session)).body["total"] == 0


def test_a_session_keeps_two_hundred_at_most(sealing: Api) -> None:
    session = sealing.session()
    assert sealing.put(url(session), {"secrets": {f"A{n}": "x" for n in range(200)}}).status == 200
    assert sealing.put(url(session), {"secrets": {"A0": "y"}}).status == 200
    assert sealing.put(url(session), {"secrets": {"B": "x"}}).status == 409
    assert sealing.get(url(session)).body["total"] == 200


def test_values_are_listed_by_key(api: Api, organization: object, database: Database) -> None:
    session = api.session()
    row_id = parse_id(Kind.SESSION, session["id"])
    with database.transaction() as tx:
        for number in range(120):
            key = f"k{number:03}"
            session_storage.set_value(tx, organization, row_id, key, f"v{number}")  # type: ignore[arg-type]
    listed = api.get(url(session, "keys")).body
    assert listed["total"] == len(listed["data"]) == 120
    assert (listed["data"][7]["key"], listed["data"][7]["value"]) == ("k007", "v7")


def test_a_stranger_meets_nothing(sealing: Api, stranger: Api, sealing_app: APIFlask) -> None:
    session = sealing.session()
    sealing.put(url(session), {"secrets": {"A": SECRET}})
    other = Api(sealing_app, stranger.headers, stranger._document)
    assert other.get(url(session)).status == 404
    assert other.put(url(session), {"secrets": {"A": "x"}}).status == 404
    assert other.get(url(session, "keys")).status == 404

"""Access tokens are ours, unexpired and of a login that is good, or nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from sqlalchemy import text

from api.access_tokens import AccessTokens
from common import clock
from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import Kind, parse_id
from common.storage import api_keys, logins, members, organizations, users
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.contract.api.conftest import gate_of
from tests.contract.api.people import (
    OTHER_PASSWORD,
    PASSWORD,
    People,
    Person,
    is_in,
    refreshed,
)


@pytest.fixture
def person(people: People, organization: UUID) -> Person:
    return people.member(organization)


# --- access tokens -----------------------------------------------------------------------------


def forged(claims: dict[str, Any], key: bytes | str, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def test_only_our_own_tokens_are_taken(people: People, person: Person) -> None:
    tokens = AccessTokens.of(people.deps.settings)
    real = person.tokens["access_token"]
    key = tokens._keys[0]
    claims = jwt.decode(real, key, algorithms=["HS256"], audience="everturn api")
    good = forged(claims, key)
    assert is_in(people.anybody(Authorization=f"Bearer {good}"))
    past = clock.now() - timedelta(minutes=1)
    wrong = [
        forged({**claims, "aud": "another"}, key),
        forged({**claims, "aud": ["everturn api", "another"]}, key),
        forged({**claims, "iss": "another"}, key),
        forged({**claims, "exp": past}, key),
        forged({**claims, "iat": clock.now() + timedelta(hours=1)}, key),
        forged({**claims, "sub": str(new_id())}, key),
        forged({**claims, "sid": new_id().hex}, key),
        forged({**claims, "sid": "nonsense"}, key),
        *(forged({n: v for n, v in claims.items() if n != left}, key) for left in claims),
        forged(claims, b"k" * 32),
        forged(claims, people.deps.settings.auth_jwt_secret),
        forged(claims, key * 2, "HS512"),
        forged(claims, "", "none"),
        real[:-2] + ("AA" if real[-2:] != "AA" else "BB"),
        "a.b.c",
        "..",
    ]
    for token in wrong:
        assert not is_in(people.anybody(Authorization=f"Bearer {token}")), token


def test_a_token_is_taken_in_every_form_of_the_header(people: People, person: Person) -> None:
    token = person.tokens["access_token"]
    for form in ("Bearer {}", "ApiKey {}", "{}"):
        assert is_in(people.anybody(Authorization=form.format(token)))


def test_the_key_is_derived_and_the_one_before_still_reads(people: People) -> None:
    settings = replace(people.deps.settings, auth_jwt_secret="")
    from common.encryption import MasterKey  # noqa: PLC0415 - only here

    old, new = MasterKey("one", b"1" * 32), MasterKey("two", b"2" * 32)
    before = AccessTokens.of(replace(settings, secrets_encryption_key=old))
    both = replace(settings, secrets_encryption_key=new, secrets_encryption_key_previous=old)
    token = before.issue(new_id(), new_id())
    assert AccessTokens.of(both).read(token) is not None
    assert AccessTokens.of(replace(settings, secrets_encryption_key=new)).read(token) is None
    assert before._keys[0] != old.key


# --- keys of users -----------------------------------------------------------------------------


def make_key(person: Person, *scopes: str) -> str:
    body = {"name": "mine", **({"scopes": list(scopes)} if scopes else {})}
    made = person.api.post("/v1/auth/api-keys", body)
    assert made.status == 201, made.text
    key: str = made.body["key"]
    return key


def test_a_users_key_does_what_the_user_may_do_now(
    people: People, organization: UUID, database: Database
) -> None:
    person = people.member(organization)
    key = people.anybody(Authorization=make_key(person))

    me = key.get("/v1/auth/me").body
    assert (me["id"], me["email"], me["roles"]) == (person.shown_id, person.email, ["member"])
    assert "agents:write" in me["scopes"]
    assert "members:write" not in me["scopes"]
    assert key.post("/v1/agents", {"name": "a", "system_prompt": "x"}).status == 201
    assert key.post("/v1/providers", {}).status == 403
    passing_on = key.post("/v1/auth/api-keys", {"name": "x", "scopes": ["*"]})
    assert passing_on.status == 403

    with database.transaction() as tx:
        members.change(tx, organization, person.id, Role.VIEWER)
    gate_of(people.app).revoked(person.id)

    assert key.post("/v1/agents", {"name": "b", "system_prompt": "x"}).status == 403
    assert key.get("/v1/agents").status == 200


def test_a_key_is_no_login(people: People, organization: UUID) -> None:
    person = people.member(organization)
    key = people.anybody(Authorization=make_key(person))
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}

    assert key.post("/v1/auth/password", body).status == 403
    assert key.get("/v1/auth/logins").status == 403
    assert key.delete("/v1/users/me").status == 403
    assert key.post("/v1/auth/logout").status == 204
    assert is_in(key)


def test_a_closed_accounts_keys_open_nothing(
    people: People, organization: UUID, database: Database
) -> None:
    person = people.member(organization)
    key = people.anybody(Authorization=make_key(person))
    assert is_in(key)
    with database.transaction() as tx:
        users.set_disabled(tx, person.id, is_disabled=True)
    gate_of(people.app).revoked(person.id)

    assert not is_in(key)
    assert not is_in(person.api)
    assert refreshed(people, person.tokens["refresh_token"]).status == 401


def test_a_login_that_was_revoked_makes_no_key_in_a_process_that_does_not_know_yet(
    person: Person, database: Database
) -> None:
    assert is_in(person.api)
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE logins SET revoked_at = now() WHERE user_id = :u"), {"u": person.id}
        )

    assert person.api.post("/v1/auth/api-keys", {"name": "to stay"}).status == 401
    assert parse_id(Kind.USER, person.shown_id) == person.id


def test_no_key_is_made_for_an_account_that_is_deleted_meanwhile(
    person: Person, organization: UUID, database: Database
) -> None:
    """It would be nobody's, and so bound to no role."""
    body = {"name": "to stay", "scopes": ["*"]}
    with ThreadPoolExecutor(1) as aside, database.transaction() as tx:
        organizations.lock(tx, organization)
        asked = aside.submit(person.api.post, "/v1/auth/api-keys", body)
        wait_until(lambda: somebody_waits(database), description="the key is about to be made")
        members.remove(tx, organization, person.id)
        logins.revoke_all(tx, person.id)
        users.delete(tx, person.id)
        tx.commit()
        reply = asked.result()

    assert reply.status == 401
    with database.reading() as tx:
        assert api_keys.within_reach(tx, organization, person.id) == []


@pytest.mark.parametrize("change", ["removed", "demoted"])
def test_who_is_no_member_any_more_makes_no_key_in_a_process_that_does_not_know_yet(
    people: People, organization: UUID, database: Database, change: str
) -> None:
    person = people.member(organization)
    agent = person.api.agent()["id"]
    key = people.anybody(Authorization=make_key(person))
    assert is_in(key)
    with database.transaction() as tx:
        if change == "removed":
            members.remove(tx, organization, person.id)
        else:
            members.change(tx, organization, person.id, Role.VIEWER)

    for caller in (person.api, key):
        reply = caller.post("/v1/auth/api-keys", {"name": "to stay", "agent_id": agent})
        assert reply.status in (401, 403), reply.text


def somebody_waits(database: Database) -> bool:
    """Whether a statement waits for a lock."""
    with database.reading() as tx:
        waiting = tx.execute(
            text(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )
        return waiting.first() is not None

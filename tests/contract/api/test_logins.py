"""Users log in with a password, stay logged in by refresh tokens, and log out for good."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.app import create_app
from common.clock import new_id
from common.domain.access import digest_of
from common.domain.ids import Kind, show_id
from common.storage import users
from common.storage.engine import Database
from tests.contract.api.client import Reply
from tests.contract.api.conftest import gate_of
from tests.contract.api.people import (
    OTHER_PASSWORD,
    PASSWORD,
    People,
    Person,
    an_email,
    bearing,
    is_in,
    refreshed,
)
from tests.fakes.live import RecordingLive


@pytest.fixture
def person(people: People, organization: UUID) -> Person:
    return people.member(organization)


# --- logging in --------------------------------------------------------------------------------


def test_who_has_logged_in_acts_in_their_organization(person: Person, organization: UUID) -> None:
    tokens = person.tokens
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)

    me = person.api.get("/v1/auth/me").body
    assert me["id"] == person.shown_id
    assert (me["email"], me["name"], me["roles"]) == (person.email, "A person", ["member"])
    assert me["organization_id"] == show_id(Kind.ORGANIZATION, organization)
    assert person.api.session()["organization_id"] == me["organization_id"]


def test_an_address_is_the_same_in_any_letter_case(people: People) -> None:
    email = people.user()

    assert people.try_log_in(f"  {email.upper()} ").status == 200


def test_the_config_tells_of_passwords(people: People) -> None:
    assert people.anybody().get("/v1/auth/config").body == {
        "mode": "full",
        "password_auth_enabled": True,
        "oauth_providers": [],
        "signup_enabled": True,
    }


def test_nothing_tells_whether_there_is_an_account(people: People, database: Database) -> None:
    """Same words, same status, same work: one hash, whatever is wrong."""
    closed = people.user()
    with database.transaction() as tx:
        account = users.find_account(tx, closed)
        assert account is not None
        users.set_disabled(tx, account.user.id, is_disabled=True)
    without = people.user()
    with database.transaction() as tx:
        tx.execute(text("UPDATE users SET password_hash = NULL WHERE email = :e"), {"e": without})
    hashed: list[str | None] = []
    counting = _Counting(people, hashed)

    replies = [
        counting.try_log_in(people.user(), "wrong"),
        counting.try_log_in(an_email(), PASSWORD),
        counting.try_log_in(closed, PASSWORD),
        counting.try_log_in(without, PASSWORD),
    ]
    counting.close()

    shown = [
        (each.status, {**each.body, "request_id": ""}, each.headers.get("WWW-Authenticate"))
        for each in replies
    ]
    assert shown[0][0] == 401
    assert all(each == shown[0] for each in shown)
    assert len(hashed) == 4


class _Counting:
    """The same api, counting what is hashed."""

    def __init__(self, people: People, hashed: list[str | None]) -> None:
        passwords = people.deps.passwords

        class Noting:
            def is_right(self, password: str, kept: str | None) -> bool:
                hashed.append(kept)
                return passwords.is_right(password, kept)

            def is_dated(self, kept: str) -> bool:
                return passwords.is_dated(kept)

        noting: Any = Noting()
        self._app = create_app(replace(people.deps, passwords=noting))
        self._people = People(self._app, people.deps, people.document)

    def try_log_in(self, email: str, password: str) -> Reply:
        return self._people.try_log_in(email, password)

    def close(self) -> None:
        gate_of(self._app).close()


@pytest.mark.parametrize(
    "body", [{}, {"email": "x"}, {"email": "no address", "password": "x"}, {"password": "x"}]
)
def test_what_makes_no_sense_is_refused(people: People, body: Any) -> None:
    assert people.anybody().post("/v1/auth/login", body).status == 400


def test_a_hash_of_other_costs_is_made_anew(people: People, database: Database) -> None:
    from argon2 import PasswordHasher  # noqa: PLC0415 - only here

    dear = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    email = people.user()
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE users SET password_hash = :h WHERE email = :e"), {"h": dear, "e": email}
        )

    assert people.try_log_in(email).status == 200

    with database.reading() as tx:
        account = users.find_account(tx, email)
    assert account is not None
    assert account.password_hash is not None
    assert "m=8,t=1,p=1" in account.password_hash
    assert people.try_log_in(email).status == 200


def test_what_is_kept_opens_nothing(person: Person, people: People, database: Database) -> None:
    token = person.tokens["refresh_token"]
    with database.reading() as tx:
        kept = [
            tx.execute(text(f"SELECT CAST(t AS text) FROM {table} t")).scalars().all()  # noqa: S608
            for table in ("users", "logins", "refresh_tokens")
        ]
    rows = "".join(str(each) for each in kept)
    assert PASSWORD not in rows
    assert token not in rows
    assert token.removeprefix("evr_rt_") not in rows
    assert refreshed(people, digest_of(token)).status == 401
    assert "$argon2id$" in rows


# --- refreshing --------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once(people: People, person: Person) -> None:
    first = person.tokens["refresh_token"]

    reply = refreshed(people, first)

    assert reply.status == 200
    assert reply.body["refresh_token"] != first
    assert is_in(bearing(people, reply.body))
    assert refreshed(people, reply.body["refresh_token"]).status == 200


def test_of_two_uses_at_once_one_succeeds(people: People, person: Person) -> None:
    token = person.tokens["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: refreshed(people, token), range(8)))

    assert sorted(reply.status for reply in replies) == [200, *[401] * 7]
    (won,) = (reply for reply in replies if reply.status == 200)
    assert is_in(bearing(people, won.body))
    assert refreshed(people, won.body["refresh_token"]).status == 200


def age(database: Database, token: str, *, seconds: float) -> None:
    """Let the use of a refresh token lie back."""
    with database.transaction() as tx:
        tx.execute(
            text(
                "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => :s)"
                " WHERE digest = :digest"
            ),
            {"s": seconds, "digest": digest_of(token)},
        )


def test_a_refresh_token_that_is_shown_again_ends_its_login(
    people: People, person: Person, database: Database, live: RecordingLive
) -> None:
    first = person.tokens["refresh_token"]
    second = refreshed(people, first).body
    other = people.log_in(person.email)
    age(database, first, seconds=6)

    assert refreshed(people, first).status == 401

    assert refreshed(people, second["refresh_token"]).status == 401
    assert not is_in(bearing(people, second))
    assert not is_in(person.api)
    assert len(live.revoked) == 1
    assert is_in(other.api)
    assert refreshed(people, other.tokens["refresh_token"]).status == 200


def test_a_refresh_token_expires(people: People, person: Person, database: Database) -> None:
    token = person.tokens["refresh_token"]
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE refresh_tokens SET expires_at = now() WHERE digest = :digest"),
            {"digest": digest_of(token)},
        )

    assert refreshed(people, token).status == 401


@pytest.mark.parametrize("token", [None, "", "nonsense", "evr_rt_" + "0" * 64])
def test_what_is_no_refresh_token_is_refused(people: People, token: object) -> None:
    assert refreshed(people, token).status == 401


def test_an_access_token_refreshes_nothing(people: People, person: Person) -> None:
    assert refreshed(people, person.tokens["access_token"]).status == 401
    assert not is_in(people.anybody(Authorization=person.tokens["refresh_token"]))


# --- logging out, and other ends ---------------------------------------------------------------


def test_logging_out_ends_the_login_at_once(
    people: People, person: Person, live: RecordingLive
) -> None:
    assert is_in(person.api)
    token = person.tokens["refresh_token"]

    assert people.anybody().post("/v1/auth/logout", {"refresh_token": token}).status == 204

    assert not is_in(person.api)
    assert refreshed(people, token).status == 401
    assert len(live.revoked) == 1
    again = people.anybody().post("/v1/auth/logout", {"refresh_token": token})
    assert again.status == 204


def test_an_access_token_is_enough_to_log_out(people: People, person: Person) -> None:
    assert person.api.post("/v1/auth/logout").status == 204
    assert not is_in(person.api)
    assert people.anybody().post("/v1/auth/logout").status == 204


def test_logins_are_listed_and_ended(people: People, person: Person) -> None:
    other = people.log_in(person.email)

    listed = person.api.get("/v1/auth/logins").body
    assert listed["total"] == 2
    assert {each["is_current"] for each in listed["data"]} == {True, False}
    (theirs,) = (each["id"] for each in listed["data"] if not each["is_current"])

    assert person.api.delete(f"/v1/auth/logins/{theirs}").status == 204
    assert not is_in(other.api)
    assert person.api.delete(f"/v1/auth/logins/{theirs}").status == 404
    assert person.api.get("/v1/auth/logins").body["total"] == 1


def test_anothers_login_is_not_there(people: People, person: Person) -> None:
    stranger = people.member()
    (theirs,) = (each["id"] for each in stranger.api.get("/v1/auth/logins").body["data"])

    assert person.api.delete(f"/v1/auth/logins/{theirs}").status == 404
    assert is_in(stranger.api)


def test_another_password_ends_all_other_logins(people: People, person: Person) -> None:
    other = people.log_in(person.email)
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}

    assert person.api.post("/v1/auth/password", body).status == 204

    assert is_in(person.api)
    assert not is_in(other.api)
    assert refreshed(people, other.tokens["refresh_token"]).status == 401
    assert people.try_log_in(person.email).status == 401
    assert people.try_log_in(person.email, OTHER_PASSWORD).status == 200


def test_a_password_is_changed_only_by_who_knows_it(people: People, person: Person) -> None:
    body = {"current_password": "wrong", "new_password": OTHER_PASSWORD}

    assert person.api.post("/v1/auth/password", body).status == 403
    assert people.try_log_in(person.email).status == 200


@pytest.mark.parametrize("password", ["short 1", "no digit in it at all"])
def test_a_weak_password_is_not_taken(person: Person, people: People, password: str) -> None:
    body = {"current_password": PASSWORD, "new_password": password}
    assert person.api.post("/v1/auth/password", body).status == 422
    account = {"email": an_email(), "password": password, "name": "N"}
    assert people.anybody().post("/v1/auth/register", account).status == 422


def test_who_logs_in_with_a_password_that_is_changed_meanwhile_stays_out(
    people: People, database: Database
) -> None:
    """The old password was right a moment ago; the login it opens would outlive the change."""
    from common.storage import logins  # noqa: PLC0415 - only here
    from common.storage.logins import NewLogin  # noqa: PLC0415

    email = people.user()
    with database.transaction() as tx:
        account = users.find_account(tx, email)
        assert account is not None
        assert users.set_password(tx, account.user.id, "new", before=account.password_hash)
    with database.transaction() as tx:
        opened = logins.open_login(
            tx,
            NewLogin(
                id=new_id(),
                user_id=account.user.id,
                password_hash=account.password_hash,
                digest=new_id().hex,
                lasts=60,
                user_agent=None,
            ),
        )
    assert opened is None


def test_nobody_has_more_than_so_many_logins(people: People, database: Database) -> None:
    person = people.member()
    with database.transaction() as tx:
        for _ in range(100):
            tx.execute(
                text(
                    "INSERT INTO logins (id, user_id, expires_at)"
                    " VALUES (:id, :user, now() + interval '1 day')"
                ),
                {"id": new_id(), "user": person.id},
            )

    newest = people.log_in(person.email)

    assert newest.api.get("/v1/auth/logins").body["total"] == 100
    assert not is_in(person.api)

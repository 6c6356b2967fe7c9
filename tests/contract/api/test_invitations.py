"""Who is invited joins, once, if it is them; who wants to go is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import Kind, parse_id, show_id
from common.storage.engine import Database
from tests.contract.api.people import People, Person


def shown(organization_id: UUID) -> str:
    return show_id(Kind.ORGANIZATION, organization_id)


def path(organization_id: UUID, rest: str = "") -> str:
    return f"/v1/orgs/{shown(organization_id)}{rest}"


def ids(reply: Any) -> list[str]:
    return [each["id"] for each in reply.body["data"]]


@pytest.fixture
def owner(people: People, organization: UUID) -> Person:
    return people.member(organization, role=Role.OWNER)


# --- invitations ---------------------------------------------------------------------------


def invite(caller: Person, organization: UUID, email: str, role: str = "member") -> Any:
    body = {"email": email, "role": role}
    made = caller.api.post(path(organization, "/invitations"), body)
    assert made.status == 201, made.text
    return made.body


def accept(caller: Person, token: str) -> int:
    return caller.api.post("/v1/auth/invitations/accept", {"token": token}).status


def test_who_is_invited_joins_once(
    people: People, owner: Person, organization: UUID, database: Database
) -> None:
    invited, other = people.member(), people.member()
    made = invite(owner, organization, invited.email.upper(), "admin")
    listed = owner.api.get(path(organization, "/invitations")).body["data"]
    assert listed == [{name: value for name, value in made.items() if name != "token"}]
    with database.reading() as tx:
        rows = tx.execute(text("SELECT CAST(i AS text) FROM invitations i")).scalars().all()
    assert made["token"] not in "".join(rows)

    assert accept(other, made["token"]) == 404
    assert accept(invited, "evr_inv_nonsense") == 404
    assert accept(invited, made["token"]) == 200

    assert invited.api.get("/v1/auth/me").body["roles"] == ["admin"]
    assert accept(invited, made["token"]) == 404
    assert owner.api.get(path(organization, "/invitations")).body["total"] == 0


def test_an_invitation_is_good_once_also_when_it_is_used_at_once(
    people: People, owner: Person, organization: UUID
) -> None:
    invited = people.member()
    token = invite(owner, organization, invited.email)["token"]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: accept(invited, token), range(4)))
    assert sorted(statuses) == [200, 404, 404, 404]


def test_an_invitation_tells_nothing_of_accounts(
    people: People, owner: Person, organization: UUID
) -> None:
    there = invite(owner, organization, people.user())
    nobody = invite(owner, organization, f"{new_id().hex}@example.com")
    assert there.keys() == nobody.keys()


def test_an_invitation_ends(
    people: People, owner: Person, organization: UUID, database: Database
) -> None:
    invited = people.member()
    withdrawn = invite(owner, organization, invited.email)
    expired = invite(owner, organization, invited.email)
    at = path(organization, f"/invitations/{withdrawn['id']}")
    stranger = people.member(other := people.organization(), role=Role.OWNER)
    foreign = path(other, f"/invitations/{withdrawn['id']}")
    assert stranger.api.delete(foreign).status == 404
    assert (owner.api.delete(at).status, owner.api.delete(at).status) == (204, 404)
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE invitations SET expires_at = now() WHERE id = :id"),
            {"id": parse_id(Kind.INVITATION, expired["id"])},
        )

    assert accept(invited, withdrawn["token"]) == 404
    assert accept(invited, expired["token"]) == 404
    assert owner.api.get(path(organization, "/invitations")).body["total"] == 0


def test_a_member_is_not_invited_over_again(
    people: People, owner: Person, organization: UUID
) -> None:
    member = people.member(organization)
    made = invite(owner, organization, member.email, "owner")

    assert accept(member, made["token"]) == 409
    assert member.api.get("/v1/auth/me").body["roles"] == ["member"]


def test_a_repeat_invites_nobody_twice(owner: Person, organization: UUID) -> None:
    keyed = owner.api.with_headers(Idempotency_Key="k")
    body = {"email": "a@example.com"}
    first = keyed.post(path(organization, "/invitations"), body)
    second = keyed.post(path(organization, "/invitations"), body)

    assert (first.status, second.status) == (201, 409)
    assert owner.api.get(path(organization, "/invitations")).body["total"] == 1


@pytest.mark.parametrize("end", ["removed", "demoted", "leaves", "deletes their account"])
def test_an_invitation_ends_with_the_role_that_made_it(
    people: People, owner: Person, organization: UUID, end: str
) -> None:
    """Or an owner who goes would come back by one of their own."""
    other = people.member(organization, role=Role.OWNER)
    invited = people.member()
    token = invite(other, organization, invited.email, "owner")["token"]
    kept = invite(owner, organization, invited.email)

    their = path(organization, f"/members/{other.shown_id}")
    reply = {
        "removed": lambda: owner.api.delete(their),
        "demoted": lambda: owner.api.patch(their, {"role": "member"}),
        "leaves": lambda: other.api.post(path(organization, "/leave")),
        "deletes their account": lambda: other.api.delete("/v1/users/me"),
    }[end]()

    assert reply.status == 204, reply.text
    assert accept(invited, token) == 404
    assert ids(owner.api.get(path(organization, "/invitations"))) == [kept["id"]]
    assert accept(invited, kept["token"]) == 200


# --- one's own account ---------------------------------------------------------------------


def test_ones_account_is_changed_exported_and_deleted(
    people: People, owner: Person, organization: UUID
) -> None:
    person = people.member(organization)
    key = person.api.post("/v1/auth/api-keys", {"name": "k"}).body["key"]
    session = person.api.session()
    named = person.api.patch("/v1/users/me", {"name": "New name"})
    assert (named.status, named.body["name"]) == (200, "New name")
    assert person.api.patch("/v1/users/me", {}).body == named.body
    kept = person.api.get("/v1/users/me/export").body
    assert kept["user"] == named.body
    assert kept["memberships"] == [{"organization_id": shown(organization), "role": "member"}]
    assert len(kept["logins"]) == 1

    assert person.api.delete("/v1/users/me").status == 204

    assert person.api.get("/v1/auth/me").status == 401
    assert people.anybody(Authorization=key).get("/v1/agents").status == 401
    assert people.try_log_in(person.email).status == 401
    assert person.shown_id not in ids(owner.api.get("/v1/users"))
    assert owner.api.get(f"/v1/sessions/{session['id']}").status == 200
    assert people.member(email=person.email).id != person.id

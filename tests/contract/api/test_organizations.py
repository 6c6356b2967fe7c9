"""Organizations have members with roles, and one that has an owner keeps one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import Kind, show_id
from common.storage import members
from common.storage.engine import Database
from tests.contract.api.client import Api
from tests.contract.api.conftest import Holder, gate_of
from tests.contract.api.people import People, Person
from tests.fakes.live import RecordingLive


def shown(organization_id: UUID) -> str:
    return show_id(Kind.ORGANIZATION, organization_id)


def path(organization_id: UUID, rest: str = "") -> str:
    return f"/v1/orgs/{shown(organization_id)}{rest}"


def ids(reply: Any) -> list[str]:
    return [each["id"] for each in reply.body["data"]]


@pytest.fixture
def owner(people: People, organization: UUID) -> Person:
    return people.member(organization, role=Role.OWNER)


# --- which one is acted in -----------------------------------------------------------------


def test_who_belongs_to_several_says_in_which(people: People) -> None:
    one, two, third = people.organization(), people.organization(), people.organization()
    person = people.member(one, two)

    unsaid = person.api.get("/v1/agents")
    assert (unsaid.status, unsaid.body["code"]) == (400, "bad_request")
    assert "X-Org-Id" in unsaid.body["error"]
    assert person.within(one).agent(name="here")["id"] in ids(person.within(one).get("/v1/agents"))
    assert ids(person.within(two).get("/v1/agents")) == []
    for foreign in (third, new_id()):
        reply = person.within(foreign).get("/v1/agents")
        assert (reply.status, reply.body["error"]) == (404, "Organization not found")
    assert set(ids(person.api.get("/v1/orgs"))) == {shown(one), shown(two)}
    me = person.api.get("/v1/auth/me").body
    assert (me["organization_id"], me["roles"]) == (None, [])
    assert person.within(two).get("/v1/auth/me").body["organization_id"] == shown(two)


def test_switching_decides_for_requests_that_name_none(people: People) -> None:
    one, two = people.organization(), people.organization()
    person = people.member(one, two)
    other = people.log_in(person.email)

    reply = person.api.post("/v1/users/me/switch-org", {"organization_id": shown(two)})

    assert (reply.status, reply.body["id"]) == (200, shown(two))
    assert person.api.session()["organization_id"] == shown(two)
    assert person.within(one).session()["organization_id"] == shown(one)
    assert other.api.get("/v1/agents").status == 400
    foreign = {"organization_id": shown(people.organization())}
    assert person.api.post("/v1/users/me/switch-org", foreign).status == 404


def test_who_belongs_to_none_may_make_one(people: People) -> None:
    person = people.member()
    assert person.api.get("/v1/agents").status == 400
    assert person.api.get("/v1/orgs").body["total"] == 0

    made = person.api.post("/v1/orgs", {"name": "Mine"}, headers={"Idempotency-Key": "k"})
    assert made.status == 201
    again = person.api.post("/v1/orgs", {"name": "Mine"}, headers={"Idempotency-Key": "k"})
    assert again.body == made.body

    assert person.api.session()["organization_id"] == made.body["id"]
    assert person.api.get("/v1/auth/me").body["roles"] == ["owner"]
    assert person.api.get("/v1/orgs").body == {"data": [made.body], "total": 1}


def test_an_idempotency_key_is_the_users_own(people: People, organization: UUID) -> None:
    one, other = people.member(organization), people.member(organization)
    keyed = {"Idempotency-Key": "the-same"}

    first = one.api.post("/v1/orgs", {"name": "N"}, headers=keyed)
    second = other.api.post("/v1/orgs", {"name": "N"}, headers=keyed)

    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


def test_nobody_owns_too_many(people: People) -> None:
    person = people.member()
    made = [person.api.post("/v1/orgs", {"name": f"N{n}"}).status for n in range(6)]
    assert made == [201] * 5 + [409]


def test_a_members_key_is_good_in_one_organization(people: People, organization: UUID) -> None:
    person = people.member(organization, people.organization())
    made = person.within(organization).post("/v1/auth/api-keys", {"name": "k"}).body
    key = people.anybody(Authorization=made["key"])

    assert ids(key.get("/v1/orgs")) == [shown(organization)]
    for other in person.api.get("/v1/orgs").body["data"]:
        status = key.get(f"/v1/orgs/{other['id']}").status
        assert status == (200 if other["id"] == shown(organization) else 404)


# --- organizations themselves ----------------------------------------------------------------


def test_an_organization_is_shown_and_changed(owner: Person, organization: UUID) -> None:
    got = owner.api.get(path(organization))
    assert (got.status, got.body["name"]) == (200, "A test")

    body = {"name": "Better", "default_model_id": "llmsim-model"}
    changed = owner.api.patch(path(organization), body)

    assert changed.status == 200
    assert changed.body.items() >= body.items()
    assert owner.api.patch(path(organization), {"default_model_id": None}).status == 200
    last = owner.api.get(path(organization)).body
    assert (last["name"], last["default_model_id"]) == ("Better", None)
    assert last["updated_at"] > got.body["updated_at"]
    assert owner.api.patch(path(organization), {"name": " "}).status == 400


def test_another_organization_is_not_there(people: People, owner: Person) -> None:
    other = people.organization()
    stranger = people.member(other)
    for foreign in (other, new_id()):
        assert owner.api.get(path(foreign)).status == 404
        assert owner.api.patch(path(foreign), {"name": "mine"}).status == 404
        assert owner.api.get(path(foreign, "/members")).status == 404
        assert owner.api.get(path(foreign, "/invitations")).status == 404
        assert owner.api.post(path(foreign, "/leave")).status == 404
        body = {"email": "a@example.com"}
        assert owner.api.post(path(foreign, "/invitations"), body).status == 404
        member = path(foreign, f"/members/{stranger.shown_id}")
        assert owner.api.patch(member, {"role": "viewer"}).status == 404
        assert owner.api.delete(member).status == 404
    assert stranger.api.get(path(other)).body["name"] == "A test"


def test_path_and_header_agree(owner: Person, people: People, organization: UUID) -> None:
    assert owner.within(organization).get(path(organization)).status == 200
    assert owner.within(people.organization()).get(path(organization)).status == 404


def test_the_operator_makes_organizations_and_sees_all(operator: Api, holder: Holder) -> None:
    made = operator.post("/v1/orgs", {"name": "From above"})
    assert made.status == 201
    assert made.body["id"] in ids(operator.get("/v1/orgs"))
    assert operator.get(f"/v1/orgs/{made.body['id']}/members").body == {"data": [], "total": 0}
    # A key of one organization is no key of all.
    assert holder().post("/v1/orgs", {"name": "mine"}).status == 403


def test_without_authentication_everybody_is_the_operator(api: Api, organization: UUID) -> None:
    assert api.get(path(organization)).body["id"] == shown(organization)
    assert shown(organization) in ids(api.get("/v1/orgs"))
    assert api.get("/v1/users").body == {"data": [], "total": 0}


# --- members -------------------------------------------------------------------------------


def test_members_are_seen_by_members(people: People, owner: Person, organization: UUID) -> None:
    viewer = people.member(organization, role=Role.VIEWER)

    listed = viewer.api.get(path(organization, "/members"))

    assert [(each["id"], each["role"]) for each in listed.body["data"]] == [
        (owner.shown_id, "owner"),
        (viewer.shown_id, "viewer"),
    ]
    assert viewer.api.get("/v1/users").body == listed.body
    assert not any("password" in name for each in listed.body["data"] for name in each)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {"read", "agents", "providers", "members", "organization"}),
        (Role.ADMIN, {"read", "agents", "providers", "members", "organization"}),
        (Role.MEMBER, {"read", "agents"}),
        (Role.VIEWER, {"read"}),
    ],
)
def test_a_role_does_what_it_may(
    people: People, organization: UUID, role: Role, may: set[str]
) -> None:
    caller = people.member(organization, role=role).api
    provider = {"name": "P", "provider_type": "openai"}
    tried = {
        "read": caller.get("/v1/providers"),
        "agents": caller.post("/v1/agents", {"name": "a", "system_prompt": "x"}),
        "providers": caller.post("/v1/providers", provider),
        "members": caller.post(path(organization, "/invitations"), {"email": "a@b"}),
        "organization": caller.patch(path(organization), {"name": "N"}),
    }
    assert {name for name, reply in tried.items() if reply.status < 300} == may
    assert {reply.status for name, reply in tried.items() if name not in may} <= {403}


def test_a_changed_role_counts_at_once(
    people: People, owner: Person, organization: UUID, live: RecordingLive
) -> None:
    member = people.member(organization)
    assert member.api.patch(path(organization), {"name": "N"}).status == 403
    their = path(organization, f"/members/{member.shown_id}")

    assert owner.api.patch(their, {"role": "admin"}).status == 204
    assert member.api.patch(path(organization), {"name": "N"}).status == 200
    assert owner.api.patch(their, {"role": "viewer"}).status == 204
    assert member.api.post("/v1/agents", {"name": "a", "system_prompt": "x"}).status == 403
    assert live.revoked == [member.id, member.id]
    assert owner.api.patch(their, {"role": "king"}).status == 400
    nobody = path(organization, f"/members/{new_id()}")
    assert owner.api.patch(nobody, {"role": "viewer"}).status == 404


def test_owners_alone_make_and_unmake_owners(
    people: People, owner: Person, organization: UUID
) -> None:
    admin = people.member(organization, role=Role.ADMIN)
    member = people.member(organization)
    at_owner = path(organization, f"/members/{owner.shown_id}")
    at_member = path(organization, f"/members/{member.shown_id}")

    assert admin.api.patch(at_member, {"role": "owner"}).status == 403
    assert admin.api.patch(at_owner, {"role": "member"}).status == 403
    assert admin.api.delete(at_owner).status == 403
    invited = {"email": "a@example.com", "role": "owner"}
    assert admin.api.post(path(organization, "/invitations"), invited).status == 403
    assert admin.api.patch(at_member, {"role": "admin"}).status == 204
    assert owner.api.patch(at_member, {"role": "owner"}).status == 204
    assert owner.api.post(path(organization, "/invitations"), invited).status == 201


def test_the_last_owner_stays(people: People, owner: Person, organization: UUID) -> None:
    people.member(organization, role=Role.ADMIN)
    mine = path(organization, f"/members/{owner.shown_id}")

    assert owner.api.patch(mine, {"role": "admin"}).status == 409
    assert owner.api.delete(mine).status == 409
    assert owner.api.post(path(organization, "/leave")).status == 409
    assert owner.api.delete("/v1/users/me").status == 409
    assert owner.api.get("/v1/auth/me").body["roles"] == ["owner"]

    people.member(organization, role=Role.OWNER)
    assert owner.api.post(path(organization, "/leave")).status == 204
    assert owner.api.get("/v1/agents").status == 400


def test_of_two_owners_who_leave_at_once_one_stays(
    people: People, organization: UUID, database: Database
) -> None:
    owners = [people.member(organization, role=Role.OWNER) for _ in range(4)]
    leave = path(organization, "/leave")
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda each: each.api.post(leave).status, owners))

    assert sorted(statuses) == [204, 204, 204, 409]
    with database.reading() as tx:
        left = members.of_organization(tx, organization)
    assert [each.role for each in left] == [Role.OWNER]


def test_who_is_removed_is_out_at_once_and_their_keys_too(
    people: People, owner: Person, organization: UUID, database: Database
) -> None:
    member = people.member(organization)
    made = member.api.post("/v1/auth/api-keys", {"name": "k"}).body
    key = people.anybody(Authorization=made["key"])
    assert key.get("/v1/agents").status == 200

    assert owner.api.delete(path(organization, f"/members/{member.shown_id}")).status == 204

    assert key.get("/v1/agents").status == 401
    assert member.within(organization).get("/v1/agents").status == 404
    assert member.api.get("/v1/auth/me").status == 200
    # Being let in again brings no old key back.
    with database.transaction() as tx:
        members.add(tx, organization, member.id, Role.OWNER)
    gate_of(people.app).revoked(member.id)
    assert key.get("/v1/agents").status == 401


def test_a_removed_member_acts_nowhere_in_a_process_that_does_not_know_yet(
    people: People, organization: UUID, database: Database
) -> None:
    """What changes who belongs is asked of the database, not of what was true a moment ago."""
    admin, member = people.member(organization, role=Role.ADMIN), people.member(organization)
    assert admin.api.get("/v1/agents").status == 200
    with database.transaction() as tx:
        members.change(tx, organization, admin.id, Role.MEMBER)

    their = path(organization, f"/members/{member.shown_id}")
    assert admin.api.patch(their, {"role": "viewer"}).status == 403
    assert admin.api.delete(their).status == 403
    assert admin.api.post(path(organization, "/invitations"), {"email": "a@b"}).status == 403
    assert admin.api.patch(path(organization), {"name": "N"}).status == 403

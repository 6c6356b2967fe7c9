"""The audit log of what people do: logging in, and who belongs to an organization as what."""

from collections.abc import Callable

import pytest

from api.audit_trail import AuditTrail
from common.domain.access import Role
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from tests.contract.api.client import Json
from tests.contract.api.people import People
from tests.contract.api.test_audit_log import LOG


@pytest.fixture
def installation(people: People, trail: AuditTrail) -> Callable[[str], list[Json]]:
    """What an operator reads of what is no organization's."""
    operator = people.member(DEFAULT_ORGANIZATION, role=Role.OWNER, is_operator=True)

    def entries(query: str) -> list[Json]:
        trail.flush()
        found: list[Json] = (
            operator.within(DEFAULT_ORGANIZATION)
            .get(f"{LOG}?installation=true&{query}")
            .body["data"]
        )
        return found

    return entries


def test_logins_are_entered_with_who_it_was(
    people: People, installation: Callable[[str], list[Json]]
) -> None:
    person = people.member(people.organization())
    people.anybody().post("/v1/auth/refresh", {"refresh_token": person.tokens["refresh_token"]})
    person.api.post("/v1/auth/logout")

    found = installation(f"actor={person.shown_id}")

    assert [each["action"] for each in found] == ["log_out", "refresh", "log_in"]
    assert {each["actor"]["type"] for each in found} == {"user"}
    assert all(each["address"].startswith("10.") for each in found)


def test_a_login_that_was_refused_is_entered_with_whose_it_would_have_been(
    people: People, installation: Callable[[str], list[Json]]
) -> None:
    email = people.user()
    account = people.log_in(email).shown_id
    reply = people.try_log_in(email, "my-old-passw0rd")
    assert reply.status == 401

    (entry,) = found = installation(f"action=log_in&outcome=refused&resource_id={account}")

    assert entry["actor"]["type"] == "unknown"
    assert entry["resources"] == [{"type": "user", "id": account}]
    assert email not in str(found)
    assert "my-old-passw0rd" not in str(found)


def test_members_and_roles_are_entered(people: People) -> None:
    organization = people.organization()
    owner = people.member(organization, role=Role.OWNER)
    member = people.member(organization)
    base = f"/v1/orgs/{show_id(Kind.ORGANIZATION, organization)}"
    owner.api.patch(f"{base}/members/{member.shown_id}", {"role": "admin"})
    owner.api.post(f"{base}/invitations", {"email": "somebody@example.com"})
    owner.api.send("DELETE", f"{base}/members/{member.shown_id}")

    found = owner.within(organization).get(LOG).body["data"]

    assert [each["action"] for each in found] == ["remove_member", "invite", "change_role"]
    assert {"type": "user", "id": member.shown_id} in found[0]["resources"]
    assert {each["actor"]["id"] for each in found} == {owner.shown_id}
    assert "somebody@example.com" not in str(found)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.MEMBER, 403), (Role.VIEWER, 403)],
)
def test_administrators_read_it_and_members_do_not(people: People, role: Role, status: int) -> None:
    organization = people.organization()
    person = people.member(organization, role=role)
    assert person.within(organization).get(LOG).status == status

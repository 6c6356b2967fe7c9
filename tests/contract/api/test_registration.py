"""Accounts are made where that is open or by invitation, and one is named by the environment."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from api.deps import Deps
from common.domain.access import Role
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import gate_of
from tests.contract.api.people import (
    OTHER_PASSWORD,
    PASSWORD,
    People,
    an_email,
    bearing,
    full_deps,
    is_in,
    refreshed,
    registration,
)

# --- making an account -------------------------------------------------------------------------


def test_who_makes_an_account_has_an_organization_of_their_own(people: People) -> None:
    made = people.anybody().post("/v1/auth/register", registration())

    assert made.status == 201, made.text
    me = bearing(people, made.body).get("/v1/auth/me").body
    assert (me["name"], me["roles"], me["scopes"]) == ("Someone", ["owner"], ["*"])
    assert me["organization_id"] != show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)
    assert bearing(people, made.body).get("/v1/agents").body["total"] == 0


def test_an_address_that_is_taken_makes_no_account(people: People) -> None:
    email = people.user()
    made = people.anybody().post(
        "/v1/auth/register", registration(email=email.upper(), password=OTHER_PASSWORD)
    )
    uninvited = {**registration(), "invitation_token": "x"}
    bad = people.anybody().post("/v1/auth/register", uninvited)

    assert made.status == bad.status == 422
    assert made.body["error"] == bad.body["error"]
    assert email not in made.text
    assert people.try_log_in(email).status == 200
    assert people.try_log_in(email, OTHER_PASSWORD).status == 401


@pytest.fixture
def closed(deps: Deps, document: Document) -> Any:
    full = full_deps(deps, auth_disable_signup=True)
    app = create_app(full)
    yield People(app, full, document)
    gate_of(app).close()


def test_where_sign_up_is_closed_only_who_is_invited_makes_an_account(
    closed: People, organization: UUID
) -> None:
    email = an_email()
    assert closed.anybody().get("/v1/auth/config").body["signup_enabled"] is False
    refused = closed.anybody().post("/v1/auth/register", registration(email=email))
    assert refused.status == 403
    owner = closed.member(organization, role=Role.OWNER)
    shown = show_id(Kind.ORGANIZATION, organization)
    invited = owner.api.post(f"/v1/orgs/{shown}/invitations", {"email": email, "role": "viewer"})
    token = invited.body["token"]

    other = closed.anybody().post("/v1/auth/register", registration(invitation_token=token))
    assert other.status == 422
    made = closed.anybody().post(
        "/v1/auth/register", registration(email=email, invitation_token=token)
    )
    assert made.status == 201
    me = bearing(closed, made.body).get("/v1/auth/me").body
    assert (me["organization_id"], me["roles"]) == (shown, ["viewer"])


# --- AUTH_MODE=admin ---------------------------------------------------------------------------


@pytest.fixture
def one(deps: Deps, document: Document) -> Any:
    """An api with one user, whom the environment names."""
    settings = {"auth_admin_email": an_email(), "auth_admin_password": PASSWORD}
    full = full_deps(deps, auth_mode="admin", **settings)
    app = create_app(full)
    yield People(app, full, document)
    gate_of(app).close()


def test_the_environment_names_the_operators_user(one: People, document: Document) -> None:
    email = one.deps.settings.auth_admin_email
    operator = one.log_in(email)

    me = operator.api.get("/v1/auth/me").body
    assert me["roles"] == ["owner", "operator"]
    assert me["organization_id"] == show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)
    assert operator.api.get("/v1/durable/config").body["policies"]["drain_workers"] is True
    assert one.try_log_in(email, OTHER_PASSWORD).status == 401
    config = one.anybody().get("/v1/auth/config").body
    assert (config["password_auth_enabled"], config["signup_enabled"]) == (True, False)
    assert one.anybody().post("/v1/auth/register", registration()).status == 403
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert operator.api.post("/v1/auth/password", body).status == 409
    assert operator.api.delete("/v1/users/me").status == 409

    # Another password in the environment replaces it, and ends what the old one opened.
    settings = replace(one.deps.settings, auth_admin_password=OTHER_PASSWORD)
    app = create_app(replace(one.deps, settings=settings))
    later = People(app, one.deps, document)
    assert later.try_log_in(email).status == 401
    assert is_in(operator.api)
    again = later.log_in(email, OTHER_PASSWORD)
    assert again.id == operator.id
    assert refreshed(one, operator.tokens["refresh_token"]).status == 401
    gate_of(app).close()


def test_with_one_user_no_other_gets_in(one: People, people: People, organization: UUID) -> None:
    other = people.member(organization)

    assert one.try_log_in(other.email).status == 401
    assert not is_in(one.anybody(**other.api.headers))
    assert refreshed(one, other.tokens["refresh_token"]).status == 401


def test_where_there_are_only_keys_nobody_logs_in(nobody: Api, api: Api) -> None:
    for caller in (nobody, api):
        body = {"email": "a@example.com", "password": "x"}
        assert caller.post("/v1/auth/login", body).status == 403
        assert caller.post("/v1/auth/register", registration()).status == 403
        assert caller.post("/v1/auth/refresh", {"refresh_token": "x"}).status == 403
        assert caller.post("/v1/auth/logout").status == 204
    assert api.get("/v1/auth/logins").status == 403

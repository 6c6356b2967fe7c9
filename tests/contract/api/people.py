"""Users of an api with AUTH_MODE=full, each calling from an address of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from itertools import count
from typing import Any
from uuid import UUID

from apiflask import APIFlask
from argon2 import PasswordHasher

from api.deps import Deps
from api.login_limits import LoginLimits
from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import Kind, parse_id, show_id
from common.passwords import Passwords
from common.storage import members, organizations, users
from common.storage.engine import Database
from common.storage.users import NewUser
from tests.contract.api.client import Api, Document, Json, Reply

PASSWORD = "correct horse 1 battery"  # noqa: S105 - everybody's, here
OTHER_PASSWORD = "another 2 battery staple"  # noqa: S105
# Costs nothing, so that tests are quick.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_addresses = count(1)


def full_deps(deps: Deps, **settings: Any) -> Deps:
    """The dependencies of an api where users log in."""
    given = {
        "auth_mode": "full",
        "auth_jwt_secret": "a secret of at least 32 characters",
        "auth_disable_signup": False,
        **settings,
    }
    return replace(
        deps,
        settings=replace(deps.settings, **given),
        passwords=Passwords(CHEAP),
        login_limits=LoginLimits(),
    )


def an_address() -> str:
    """An address that nobody has called from."""
    number = next(_addresses)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def an_email() -> str:
    return f"{new_id().hex}@example.com"


@dataclass(frozen=True)
class Person:
    """A user, with what an access token of theirs opens."""

    id: UUID
    email: str
    api: Api
    tokens: Json

    @property
    def shown_id(self) -> str:
        return str(self.id)

    def within(self, organization_id: UUID) -> Api:
        return self.api.with_headers(X_Org_Id=show_id(Kind.ORGANIZATION, organization_id))


@dataclass(frozen=True)
class People:
    """Makes users and logs them in."""

    app: APIFlask
    deps: Deps
    document: Document

    @property
    def database(self) -> Database:
        return self.deps.database

    def anybody(self, **headers: str) -> Api:
        """Somebody unknown, from an address of their own."""
        return Api(self.app, {"X-Forwarded-For": an_address(), **headers}, self.document)

    def organization(self) -> UUID:
        organization_id = new_id()
        with self.database.transaction() as tx:
            organizations.insert(tx, organization_id, "A test")
        return organization_id

    def user(self, *organization_ids: UUID, role: Role = Role.MEMBER, **fields: Any) -> str:
        """An account; returns its address."""
        email = str(fields.pop("email", an_email()))
        password = fields.pop("password", PASSWORD)
        with self.database.transaction() as tx:
            user = users.insert(
                tx,
                NewUser(
                    id=new_id(),
                    email=email,
                    name="A person",
                    password_hash=CHEAP.hash(password),
                    **fields,
                ),
            )
            assert user is not None
            for organization_id in organization_ids:
                members.add(tx, organization_id, user.id, role)
        return email

    def log_in(self, email: str, password: str = PASSWORD) -> Person:
        """Somebody who has logged in."""
        reply = self.try_log_in(email, password)
        assert reply.status == 200, reply.text
        caller = self.anybody(Authorization=f"Bearer {reply.body['access_token']}")
        me = caller.get("/v1/auth/me").body
        return Person(parse_id(Kind.USER, me["id"]), email, caller, reply.body)

    def try_log_in(self, email: str, password: str = PASSWORD) -> Reply:
        body = {"email": email, "password": password}
        return self.anybody().post("/v1/auth/login", body)

    def member(self, *organization_ids: UUID, role: Role = Role.MEMBER, **fields: Any) -> Person:
        """A user of these organizations who has logged in."""
        return self.log_in(self.user(*organization_ids, role=role, **fields))


def cookies_of(reply: Reply) -> SimpleCookie:
    """The cookies that an answer sets."""
    found = SimpleCookie()
    for line in reply.headers.getlist("Set-Cookie"):
        found.load(line)
    return found


def refreshed(people: People, token: object) -> Reply:
    return people.anybody().post("/v1/auth/refresh", {"refresh_token": token})


def is_in(caller: Api) -> bool:
    status = caller.get("/v1/auth/me").status
    assert status in (200, 401)
    return status == 200


def bearing(people: People, tokens: Any) -> Api:
    return people.anybody(Authorization=f"Bearer {tokens['access_token']}")


def registration(**fields: Any) -> dict[str, Any]:
    """The body of a request for an account."""
    return {"email": an_email(), "password": PASSWORD, "name": "Someone", **fields}

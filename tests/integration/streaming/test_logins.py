"""Streams are opened by access tokens too, and live no longer than their login."""

from uuid import UUID

import pytest

from api.access_tokens import AccessTokens
from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.live import Live
from common.redis_client import Breaker, make_client
from common.storage import logins, members, organizations, users
from common.storage.logins import NewLogin
from common.storage.users import NewUser
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World

SECRET = "a secret of at least 32 characters"  # noqa: S105 - of these tests
Headers = dict[str, str]


@pytest.fixture
def author(world: World) -> Author:
    """A session on a server that lets users in."""
    world.serve(AUTH_MODE="full", AUTH_JWT_SECRET=SECRET)
    return world.author()


class Person:
    """A user of the default organization who has logged in once."""

    def __init__(self, world: World, *, lifetime_seconds: int = 900) -> None:
        self._world = world
        self.id, self.login_id = new_id(), new_id()
        with world.database.transaction() as tx:
            users.insert(
                tx,
                NewUser(
                    id=self.id,
                    email=f"{self.id.hex}@example.com",
                    name="A person",
                    password_hash=None,
                ),
            )
            members.add(tx, DEFAULT_ORGANIZATION, self.id, Role.MEMBER)
            opened = logins.open_login(
                tx,
                NewLogin(
                    id=self.login_id,
                    user_id=self.id,
                    password_hash=None,
                    digest=new_id().hex,
                    lasts=3600,
                    user_agent=None,
                ),
            )
        assert opened == []
        tokens = AccessTokens.of(world.servers[0].settings)
        self.token = AccessTokens(tokens._keys, lifetime_seconds=lifetime_seconds).issue(
            self.id, self.login_id
        )

    @property
    def headers(self) -> Headers:
        return {"Authorization": f"Bearer {self.token}"}

    def tell(self, revoked: UUID) -> None:
        redis = make_client(self._world.redis_url, timeout_seconds=1.0)
        Live(redis, Breaker(), text_ttl_seconds=60).revoke(revoked)
        redis.close()


def test_a_token_opens_a_stream_by_header_or_cookie(world: World, author: Author) -> None:
    person = Person(world)
    author.post("Hi")
    for headers in (
        person.headers,
        {"Authorization": person.token},
        {"Cookie": f"theme=dark; access_token={person.token}"},
    ):
        world.read(author, headers=headers).wait_for("input.message")
    for headers in ({"Cookie": "access_token=nonsense"}, {"Cookie": "refresh_token=x"}):
        assert world.read(author, headers=headers).status == 401


def test_another_organization_of_a_user_finds_nothing(world: World, author: Author) -> None:
    person, other = Person(world), new_id()
    with world.database.transaction() as tx:
        organizations.insert(tx, other, "Other")
    foreign = {**person.headers, "X-Org-Id": show_id(Kind.ORGANIZATION, other)}
    assert world.read(author, headers=foreign).status == 404
    with world.database.transaction() as tx:
        members.add(tx, other, person.id, Role.OWNER)
    assert world.read(world.author(organization_id=other), headers=foreign).status == 200
    assert world.read(author, headers=foreign).status == 404
    # Of two it has to name one.
    assert world.read(author, headers=person.headers).status == 400


@pytest.mark.parametrize("is_telling", [True, False], ids=["told", "not told"])
def test_a_stream_ends_with_its_login(world: World, author: Author, *, is_telling: bool) -> None:
    person, other = Person(world), Person(world)
    reader = world.read(author, headers=person.headers).wait_open()
    staying = world.read(author, headers=other.headers).wait_open()

    with world.database.transaction() as tx:
        assert logins.revoke(tx, person.id, person.login_id)
    if is_telling:
        person.tell(person.login_id)

    last = reader.wait_end().frames[-1]
    assert (last.event, last.body["reason"]) == ("disconnecting", "access_revoked")
    assert world.read(author, headers=person.headers).status == 401
    assert not staying.is_ended


def test_a_stream_ends_when_its_user_is_removed(world: World, author: Author) -> None:
    person = Person(world)
    reader = world.read(author, headers=person.headers).wait_open()

    with world.database.transaction() as tx:
        members.remove(tx, DEFAULT_ORGANIZATION, person.id)

    assert reader.wait_end().frames[-1].body["reason"] == "access_revoked"
    named = {**person.headers, "X-Org-Id": show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)}
    assert world.read(author, headers=named).status == 404


def test_a_stream_ends_when_its_user_becomes_another(world: World, author: Author) -> None:
    person = Person(world)
    reader = world.read(author, headers=person.headers).wait_open()

    with world.database.transaction() as tx:
        members.change(tx, DEFAULT_ORGANIZATION, person.id, Role.VIEWER)

    assert reader.wait_end().frames[-1].body["reason"] == "access_revoked"
    assert world.read(author, headers=person.headers).status == 200


def test_a_stream_ends_with_its_token(world: World, author: Author) -> None:
    person = Person(world, lifetime_seconds=1)
    reader = world.read(author, headers=person.headers).wait_open()

    assert reader.wait_end().frames[-1].body["reason"] == "access_revoked"

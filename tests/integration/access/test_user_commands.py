"""`everturn users` as an operator runs it: how the first user comes to be."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.access import Role
from common.domain.identity import Account
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, parse_id, show_id
from common.live import CONTROL_CHANNEL
from common.passwords import Passwords
from common.redis_client import make_client
from common.storage import logins, members, organizations, users
from common.storage.engine import Database
from common.storage.logins import NewLogin
from tests.integration.access.commands import Shell
from tests.integration.access.test_key_commands import entered

PASSWORD = "correct horse 1 battery"  # noqa: S105 - of these tests


@pytest.fixture
def shell(database_url: str, redis_url: str) -> Shell:
    return Shell(database_url, redis_url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, pool_size=2, application="everturn test")
    yield database
    database.close()


def account(database: Database, email: str) -> Account:
    with database.reading() as tx:
        found = users.find_account(tx, email)
    assert found is not None
    return found


def role(database: Database, user_id: UUID, organization_id: UUID) -> Role | None:
    with database.reading() as tx:
        return members.role_of(tx, organization_id, user_id)


def log_in(database: Database, who: Account) -> UUID:
    login_id = new_id()
    new = NewLogin(
        id=login_id,
        user_id=who.user.id,
        password_hash=who.password_hash,
        digest=login_id.hex,
        lasts=60,
        user_agent=None,
    )
    with database.transaction() as tx:
        assert logins.open_login(tx, new) == []
    return login_id


def test_the_first_user_is_made_and_shut_out(shell: Shell, database: Database) -> None:
    email = ["--email", "First@Example.com"]
    made = shell.run("users", "create", *email, "--operator", given=f"{PASSWORD}\n")
    assert made.status == 0, made.err
    assert PASSWORD not in made.out + made.err
    kept = account(database, "first@example.com")
    assert kept.user.is_operator
    assert Passwords().is_right(PASSWORD, kept.password_hash)
    assert role(database, kept.user.id, DEFAULT_ORGANIZATION) is Role.OWNER
    login_id = log_in(database, kept)
    redis = make_client(shell.redis_url, timeout_seconds=1.0)
    with redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]  # redis-py leaves it bare
        channel.subscribe(CONTROL_CHANNEL)
        channel.get_message(timeout=1.0)

        disabled = shell.call("users", "disable", *email, "--json")

        assert disabled.body["disabled_at"] is not None
        heard = [channel.get_message(timeout=5.0) for _ in range(2)]
        assert [each["data"].decode() for each in heard if each] == [
            f"revoked {login_id.hex}",
            f"revoked {kept.user.id.hex}",
        ]
    redis.close()
    with database.reading() as tx:
        assert logins.still_good(tx, [login_id]) == {}
    assert shell.call("users", "enable", *email, "--json").body["disabled_at"] is None
    user = show_id(Kind.USER, kept.user.id)
    assert entered(shell.database_url) == [
        ("create_user", DEFAULT_ORGANIZATION, user),
        ("disable_user", None, user),
        ("enable_user", None, user),
    ]


def test_a_second_is_a_member_of_whatever_they_are_told_to_join(
    shell: Shell, database: Database
) -> None:
    other = new_id()
    with database.transaction() as tx:
        organizations.insert(tx, other, "Other")
    for email in ("one@example.com", "two@example.com"):
        made = shell.call("users", "create", "--email", email, "--json", given=PASSWORD)
        assert made.status == 0, made.err
    two = account(database, "two@example.com").user.id
    assert role(database, two, DEFAULT_ORGANIZATION) is Role.MEMBER
    assert parse_id(Kind.USER, made.body["id"]) == two
    joining = ["join", "--email", "two@example.com"]
    within = ["--organization", show_id(Kind.ORGANIZATION, other)]

    assert shell.call("users", *joining, *within).status == 0
    assert role(database, two, other) is Role.OWNER
    refused = shell.call("users", *joining, *within, "--role", "viewer")
    assert (refused.status, refused.out) == (1, "")
    assert "keeps an owner" in refused.err
    assert shell.call("users", *joining, "--role", "admin").status == 0
    assert role(database, two, DEFAULT_ORGANIZATION) is Role.ADMIN
    assert len(shell.call("users", "list", "--json").body) == 2


def test_another_password_ends_all_logins(shell: Shell, database: Database) -> None:
    email = ["--email", "a@example.com"]
    assert shell.call("users", "create", *email, given=PASSWORD).status == 0
    login_id = log_in(database, account(database, "a@example.com"))

    assert shell.call("users", "password", *email, given="another 2 battery\n").status == 0

    kept = account(database, "a@example.com").password_hash
    assert Passwords().is_right("another 2 battery", kept)
    with database.reading() as tx:
        assert logins.still_good(tx, [login_id]) == {}


def test_what_cannot_be_done_is_said(shell: Shell) -> None:
    email = ["--email", "a@example.com"]
    for words, given, why in (
        (["create", *email], "short", "at least 12 characters"),
        (["create", *email], "", "at least 12 characters"),
        (["disable", *email], "", "no such user"),
        (["create", *email, "--organization", new_id().hex], PASSWORD, "no such organization"),
    ):
        run = shell.call("users", *words, given=given)
        assert (run.status, run.out) == (1, "")
        assert why in run.err
    assert shell.call("users", "create", "--email", "nonsense", given=PASSWORD).status == 2

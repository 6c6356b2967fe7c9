"""`everturn keys` as an operator runs it: how the first key comes to be."""

from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.access import AN_AGENT, agent_principal, digest_of
from common.domain.ids import (
    DEFAULT_ORGANIZATION,
    GENERIC_HARNESS,
    OPERATOR_PRINCIPAL,
    Kind,
    parse_id,
    show_id,
)
from common.live import CONTROL_CHANNEL
from common.redis_client import make_client
from common.storage import api_keys
from common.storage.engine import Database
from tests.integration.access.commands import Shell


@pytest.fixture
def shell(database_url: str, redis_url: str) -> Shell:
    return Shell(database_url, redis_url)


def found(url: str, key: str) -> api_keys.FoundKey | None:
    database = Database(url, pool_size=1, application="everturn test")
    with database.reading() as tx:
        key_found = api_keys.find(tx, digest_of(key))
    database.close()
    return key_found


def entered(url: str) -> list[tuple[str, UUID | None, str]]:
    """What the audit log has of the command line: the deed, whose it is, and what it is about."""
    database = Database(url, pool_size=1, application="everturn test")
    with database.reading() as tx:
        rows = tx.execute(
            text(
                "SELECT action, organization_id, resources -> 0 ->> 'id' FROM audit_log"
                " WHERE actor_type = 'cli' ORDER BY at, id"
            )
        ).all()
    database.close()
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_key_is_made_listed_and_revoked(shell: Shell) -> None:
    made = shell.run("keys", "create", "--name", "first")
    assert made.status == 0, made.err
    text_of_key = made.out.strip()
    assert text_of_key.startswith("evr_pat_")
    assert text_of_key not in made.err
    kept = found(shell.database_url, text_of_key)
    assert kept is not None
    assert (kept.key.principal_id, kept.key.grants.names) == (OPERATOR_PRINCIPAL, ("*",))

    (listed,) = shell.call("keys", "list", "--json").body
    assert (listed["name"], listed["expires_at"]) == ("first", None)
    lines = shell.call("keys", "list").out
    assert listed["id"] in lines
    assert text_of_key not in lines

    redis = make_client(shell.redis_url, timeout_seconds=5.0)
    with redis.pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]  # redis-py's
        heard.subscribe(CONTROL_CHANNEL)
        assert heard.get_message(timeout=5.0) is None  # subscribed
        revoked = shell.call("keys", "revoke", listed["id"])
        assert (revoked.status, revoked.out) == (0, f"{listed['id']} is revoked\n")
        message = heard.get_message(timeout=5.0)
    redis.close()
    assert message is not None
    assert message["data"] == f"revoked {parse_id(Kind.API_KEY, listed['id']).hex}".encode()
    assert found(shell.database_url, text_of_key) is None
    assert shell.call("keys", "list", "--json").body == []
    assert shell.call("keys", "revoke", listed["id"]).status == 1
    assert entered(shell.database_url) == [
        ("create_api_key", DEFAULT_ORGANIZATION, listed["id"]),
        ("revoke_api_key", DEFAULT_ORGANIZATION, listed["id"]),
    ]


def test_a_key_may_be_less_than_everything(shell: Shell) -> None:
    organization = new_id()
    database = Database(shell.database_url, pool_size=1, application="everturn test")
    with database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:id, 'Other')"),
            {"id": organization},
        )
    database.close()
    made = shell.call(
        "keys",
        *("create", "--name", "for the dashboard", "--json"),
        *("--organization", show_id(Kind.ORGANIZATION, organization)),
        *("--scope", "sessions:read", "--scope", "*:read", "--expires-in-days", "7"),
    )

    kept = found(shell.database_url, made.body["key"])

    assert kept is not None
    assert kept.key.organization_id == organization
    assert kept.key.grants.names == ("sessions:read", "*:read")
    assert kept.seconds_left == pytest.approx(7 * 86_400, abs=120)


def test_a_key_may_be_for_one_agent_alone(shell: Shell) -> None:
    agent = new_id()
    database = Database(shell.database_url, pool_size=1, application="everturn test")
    with database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO agents (id, organization_id, name, slug, system_prompt, harness_id)"
                " VALUES (:id, :o, 'Clerk', 'clerk', '', :h)"
            ),
            {"id": agent, "o": DEFAULT_ORGANIZATION, "h": GENERIC_HARNESS},
        )
    database.close()
    for named in ("Clerk", show_id(Kind.AGENT, agent)):
        made = shell.call("keys", "create", "--name", "app", "--agent", named).out.strip()
        kept = found(shell.database_url, made)
        assert made.startswith("evr_ak_")
        assert kept is not None
        assert (kept.key.agent_id, kept.key.grants) == (agent, AN_AGENT)
        assert kept.key.principal_id == agent_principal(agent)
    assert shell.call("keys", "create", "--name", "app", "--agent", "nobody").status == 1
    both = shell.call("keys", "create", "--name", "app", "--agent", "Clerk", "--scope", "*")
    assert both.status == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2),
        (["create"], 2),
        (["create", "--name", " "], 2),
        (["create", "--name", "x", "--scope", "pets:read"], 2),
        (["create", "--name", "x", "--expires-in-days", "0"], 2),
        (["create", "--name", "x", "--organization", show_id(Kind.ORGANIZATION, UUID(int=9))], 1),
        (["revoke", "nonsense"], 2),
    ],
)
def test_what_makes_no_sense_makes_no_key(shell: Shell, arguments: list[str], status: int) -> None:
    refused = shell.call("keys", *arguments)

    assert (refused.status, refused.out) == (status, "")
    assert "Traceback" not in refused.err
    assert shell.call("keys", "list", "--json").body == []


def test_trouble_is_said_without_a_traceback(redis_url: str) -> None:
    away = Shell("postgresql://127.0.0.1:1/none", redis_url).run("keys", "list")

    assert away.status == 2
    assert away.err.startswith("everturn keys: the database failed")
    assert Shell("", redis_url).run("keys", "list").err.startswith("everturn keys: DATABASE_URL")

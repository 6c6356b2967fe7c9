"""Streams are opened with a key, and live no longer than it does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from common.clock import new_id
from common.domain.access import Grants, digest_of, key_text, shown_prefix
from common.domain.ids import (
    DEFAULT_ORGANIZATION,
    GENERIC_HARNESS,
    OPERATOR_PRINCIPAL,
    Kind,
    show_id,
)
from common.live import Live
from common.migrate import upgrade
from common.redis_client import Breaker, make_client
from common.storage import api_keys
from common.storage.api_keys import NewKey
from dev.postgres import Postgres
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import World, make_world
from tests.integration.streaming.reader import Reader
from tests.servers import execute, kill, with_database

BOOTSTRAP = "the operator's own key, long enough"
Headers = dict[str, str]


def shown(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


def make_key(world: World, *scopes: str, **fields: Any) -> tuple[UUID, Headers]:
    key, key_id = key_text(new_id().bytes + new_id().bytes), new_id()
    new = NewKey(
        **{
            "id": key_id,
            "organization_id": DEFAULT_ORGANIZATION,
            "principal_id": OPERATOR_PRINCIPAL,
            "name": "a test",
            "digest": digest_of(key),
            "prefix": shown_prefix(key),
            "grants": Grants(scopes or ("*",)),
            "lasts": None,
            **fields,
        }
    )
    with world.database.transaction() as tx:
        api_keys.insert(tx, new)
    return key_id, shown(key)


def revoke(world: World, key_id: UUID, *, is_telling: bool = False) -> None:
    with world.database.transaction() as tx:
        assert api_keys.revoke(tx, key_id)
    if is_telling:
        redis = make_client(world.redis_url, timeout_seconds=1.0)
        Live(redis, Breaker(), text_ttl_seconds=60).revoke(key_id)
        redis.close()


@pytest.fixture
def author(world: World) -> Author:
    """A session on a server that wants keys."""
    world.serve(AUTH_MODE="admin", AUTH_BOOTSTRAP_KEY=BOOTSTRAP)
    return world.author()


def entered(world: World, mark: str) -> set[tuple[str, int, UUID | None, tuple[str, ...]]]:
    """The refusals that the audit log has of requests with that id."""
    world.servers[0].deps.trail.flush()
    with world.database.reading() as tx:
        rows = tx.execute(
            text(
                "SELECT action, status, organization_id, resources FROM audit_log"
                " WHERE request_id = :mark"
            ),
            {"mark": mark},
        ).all()
    return {(row[0], row[1], row[2], tuple(each["id"] for each in row[3])) for row in rows}


def monitor(world: World, headers: Headers) -> Reader:
    reader = Reader(world.servers[0].port, "/v1/durable/sse", headers)
    world.readers.append(reader)
    return reader


def workflow(world: World, author: Author, headers: Headers) -> Reader:
    if author.turn_id is None:
        author.post("Hi")
    path = f"/v1/durable/workflows/{author.context['turn_id']}/sse"
    reader = Reader(world.servers[0].port, path, headers)
    world.readers.append(reader)
    return reader


def test_without_a_good_key_no_stream_is_opened(world: World, author: Author) -> None:
    mark = new_id().hex
    for shown_key, challenge in (
        ({}, 'Bearer realm="everturn"'),
        (shown("evr_pat_no"), 'Bearer realm="everturn", error="invalid_token"'),
    ):
        headers = {**shown_key, "X-Request-Id": mark}
        for refused in (world.read(author, headers=headers), monitor(world, headers)):
            assert refused.status == 401
            assert refused.error["code"] == "unauthorized"
            assert refused.response.headers["WWW-Authenticate"] == challenge
    assert entered(world, mark) == {
        ("stream_events", 401, None, ()),
        ("stream_health", 401, None, ()),
    }


@pytest.mark.parametrize("form", ["Bearer {}", "ApiKey {}", "{}"])
def test_a_good_key_opens_one(world: World, author: Author, form: str) -> None:
    _, headers = make_key(world)
    key = headers["Authorization"].removeprefix("Bearer ")
    author.post("Hi")

    reader = world.read(author, headers={"Authorization": form.format(key)})

    reader.wait_for("input.message")


def test_the_configured_key_opens_one(world: World, author: Author) -> None:
    assert world.read(author, headers=shown(BOOTSTRAP)).status == 200
    assert monitor(world, shown(BOOTSTRAP)).status == 200


def test_a_stream_needs_its_scope(world: World, author: Author) -> None:
    _, reading = make_key(world, "sessions:read")
    _, operating = make_key(world, "operations:read")
    mark = new_id().hex
    for headers in (reading, operating):
        headers["X-Request-Id"] = mark

    assert world.read(author, headers=reading).status == 200
    assert monitor(world, operating).status == 200
    assert workflow(world, author, operating).status == 200
    for refused, scope in (
        (world.read(author, headers=operating), "sessions:read"),
        (monitor(world, reading), "operations:read"),
        (workflow(world, author, reading), "operations:read"),
    ):
        assert (refused.status, refused.error["code"]) == (403, "insufficient_scope")
        assert f'scope="{scope}"' in refused.response.headers["WWW-Authenticate"]
    assert entered(world, mark) == {
        ("stream_events", 403, DEFAULT_ORGANIZATION, (author.shown_id,)),
        ("stream_health", 403, DEFAULT_ORGANIZATION, ()),
        ("stream_workflow", 403, DEFAULT_ORGANIZATION, (author.context["turn_id"],)),
    }


def test_a_key_of_another_organization_finds_nothing(world: World, author: Author) -> None:
    organization = new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text("INSERT INTO organizations (id, name) VALUES (:id, 'Other')"),
            {"id": organization},
        )
    _, theirs = make_key(world, organization_id=organization)
    asking = {**theirs, "X-Org-Id": show_id(Kind.ORGANIZATION, DEFAULT_ORGANIZATION)}

    assert world.read(author, headers=theirs).status == 404
    assert world.read(author, headers=asking).status == 404
    assert world.read(world.author(organization_id=organization), headers=theirs).status == 200


def test_below_a_channel_a_key_sees_its_principals_sessions_alone(world: World) -> None:
    world.serve(AUTH_MODE="admin")
    author, agent, other = world.author(), new_id(), new_id()
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO agents (id, organization_id, name, slug, system_prompt, harness_id)"
                " VALUES (:id, :o, :name, :name, '', :h)"
            ),
            {"id": agent, "o": DEFAULT_ORGANIZATION, "name": agent.hex, "h": GENERIC_HARNESS},
        )
        tx.execute(
            text("UPDATE sessions SET agent_id = :agent, owner_principal_id = :p WHERE id = :id"),
            {"agent": agent, "p": OPERATOR_PRINCIPAL, "id": author.session_id},
        )
    path = f"/v1/channels/{agent.hex}/sessions/{author.shown_id}/sse"

    def status(headers: Headers) -> int:
        with Reader(world.servers[0].port, path, headers) as reader:
            return reader.status

    assert status(make_key(world, "channels:use")[1]) == 200
    assert status(make_key(world, principal_id=UUID(int=77))[1]) == 404
    assert status(make_key(world, "sessions:*")[1]) == 403
    for_agent = {"agent_id": agent, "principal_id": OPERATOR_PRINCIPAL}
    assert status(make_key(world, "channels:use", **for_agent)[1]) == 200
    with world.database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO agents (id, organization_id, name, slug, system_prompt, harness_id)"
                " VALUES (:id, :o, :name, :name, '', :h)"
            ),
            {"id": other, "o": DEFAULT_ORGANIZATION, "name": other.hex, "h": GENERIC_HARNESS},
        )
    assert status(make_key(world, "channels:use", **{**for_agent, "agent_id": other})[1]) == 404


Opening = Callable[[World, Author, Headers], Reader]


def open_session(world: World, author: Author, headers: Headers) -> Reader:
    return world.read(author, headers=headers)


def open_monitor(world: World, _author: Author, headers: Headers) -> Reader:
    return monitor(world, headers)


@pytest.mark.parametrize("opening", [open_session, open_monitor, workflow])
@pytest.mark.parametrize("is_telling", [True, False], ids=["told", "not told"])
def test_a_stream_ends_when_its_key_is_revoked(
    world: World, author: Author, opening: Opening, *, is_telling: bool
) -> None:
    key_id, headers = make_key(world)
    _, other = make_key(world)
    reader = opening(world, author, headers).wait_open()
    staying = opening(world, author, other).wait_open()

    revoke(world, key_id, is_telling=is_telling)

    last = reader.wait_end().frames[-1]
    assert (last.event, last.body["reason"]) == ("disconnecting", "access_revoked")
    assert opening(world, author, headers).status == 401
    assert not staying.is_ended


def test_nothing_is_sent_with_a_revoked_key(world: World, author: Author) -> None:
    key_id, headers = make_key(world)
    reader = world.read(author, headers=headers).wait_open()
    revoke(world, key_id, is_telling=True)
    reader.wait_end()
    seen = len(reader.events)

    author.post("not for them")

    assert len(reader.events) == seen


def test_a_stream_ends_with_its_key(world: World, author: Author) -> None:
    _, headers = make_key(world, lasts=timedelta(seconds=1))
    reader = world.read(author, headers=headers).wait_open()

    last = reader.wait_end().frames[-1]

    assert last.body["reason"] == "access_revoked"
    assert world.read(author, headers=headers).status == 401


def test_a_stream_ends_with_its_key_also_while_postgresql_is_away(
    own_postgres: Postgres, redis_url: str
) -> None:
    execute(own_postgres.url, "CREATE DATABASE streamed")
    url = with_database(own_postgres.url, "streamed")
    upgrade(url)
    for world in make_world(url, redis_url):
        world.serve(AUTH_MODE="admin")
        _, headers = make_key(world, lasts=timedelta(seconds=3))
        reader = world.read(world.author(), headers=headers).wait_for("session.started")
        kill(own_postgres)

        assert reader.wait_end().frames[-1].body["reason"] == "access_revoked"

"""Tenants are walls (I9) for streams too: every route there is, with things of another."""

from uuid import UUID

import pytest
from sqlalchemy import text

from api.streaming.app import ROUTES, route_of
from common.clock import new_id
from common.domain.ids import (
    GENERIC_HARNESS,
    Kind,
    show_id,
)
from tests.integration.streaming.conftest import World
from tests.integration.streaming.reader import Reader
from tests.integration.streaming.test_access import make_key

# With somebody's session in the path, and without: that one shows counts of the installation.
OF_SESSIONS = (
    "/v1/sessions/{session}/sse",
    "/v1/agents/{agent}/sessions/{session}/sse",
    "/v1/channels/{agent}/sessions/{session}/sse",
    "/v1/durable/workflows/{workflow}/sse",
)
OF_NOBODY = ("/v1/durable/sse",)


class Tenant:
    """An organization with a key, an agent, a session of it and a turn."""

    def __init__(self, world: World, organization_id: UUID) -> None:
        self._world = world
        principal = new_id()
        with world.database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO organizations (id, name) VALUES (:id, 'x') ON CONFLICT DO NOTHING"
                ),
                {"id": organization_id},
            )
        self.organization_id = organization_id
        self.author = world.author(organization_id=organization_id)
        self.author.post("Hi")
        self.agent = new_id()
        _, self.headers = make_key(world, organization_id=organization_id, principal_id=principal)
        with world.database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO agents (id, organization_id, name, slug, system_prompt,"
                    " harness_id) VALUES (:id, :o, 'Mine', 'mine', '', :h)"
                ),
                {"id": self.agent, "o": organization_id, "h": GENERIC_HARNESS},
            )
            tx.execute(
                text("UPDATE sessions SET agent_id = :a, owner_principal_id = :p WHERE id = :id"),
                {"a": self.agent, "p": principal, "id": self.author.session_id},
            )

    def path(self, route: str) -> str:
        agent = show_id(Kind.AGENT, self.agent)
        return route.format(
            session=self.author.shown_id, agent=agent, workflow=self.author.context["turn_id"]
        )

    def status(self, path: str, **headers: str) -> int:
        with Reader(self._world.servers[0].port, path, {**self.headers, **headers}) as reader:
            return reader.status


@pytest.fixture
def tenants(world: World) -> tuple[Tenant, Tenant]:
    """Who owns, and a stranger."""
    world.serve(AUTH_MODE="admin")
    return Tenant(world, new_id()), Tenant(world, new_id())


def test_every_route_is_walked() -> None:
    named = {"session": "x", "agent": "x", "workflow": "x"}
    walked = {route_of(path.format(**named)) for path in (*OF_SESSIONS, *OF_NOBODY)}
    assert {found[0] for found in walked if found} == set(ROUTES)


def test_anothers_session_is_not_found_on_any_route(tenants: tuple[Tenant, Tenant]) -> None:
    owner, stranger = tenants
    claiming = {"X-Org-Id": show_id(Kind.ORGANIZATION, owner.organization_id)}
    for route in OF_SESSIONS:
        for prefix in ("", "/api"):
            path = prefix + owner.path(route)
            assert owner.status(path) == 200, path
            assert stranger.status(path) == 404, path
            assert stranger.status(path, **claiming) == 404, path
    # Of two that are one's own nothing is shown when one of them is another's.
    mixed = f"/v1/agents/{stranger.agent}/sessions/{owner.author.shown_id}/sse"
    assert stranger.status(mixed) == 404


def test_anothers_cursor_opens_nothing(world: World, tenants: tuple[Tenant, Tenant]) -> None:
    owner, stranger = tenants
    theirs = owner.author.post("Not for others")
    stranger.author.post("Hello")
    path = stranger.path(OF_SESSIONS[0])

    assert stranger.status(f"{path}?since_id={theirs.id}") == 400
    headers = {**stranger.headers, "Last-Event-ID": theirs.id}
    reader = world.read(stranger.author, headers=headers).wait_for("input.message")
    assert {event["session_id"] for event in reader.events} == {stranger.author.shown_id}

"""An agent's key is for that agent's sessions and opens nothing else."""

from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from common.clock import new_id
from common.domain.access import Scope
from common.domain.ids import Kind, show_id
from common.storage.engine import Database
from tests.contract.api.client import Api, Json, saying
from tests.contract.api.conftest import Holder
from tests.contract.api.test_scopes import address, needs_of


@pytest.fixture
def owner(holder: Holder) -> Api:
    return holder()


def made(owner: Api, agent: Json, **fields: Any) -> Json:
    reply = owner.post("/v1/auth/api-keys", {"name": "app", "agent_id": agent["id"], **fields})
    assert reply.status == 201, reply.text
    key: Json = reply.body
    return key


def application(owner: Api, agent: Json) -> Api:
    return owner.with_headers(Authorization=f"Bearer {made(owner, agent)['key']}")


def opened(caller: Api, agent: str) -> str:
    reply = caller.post(f"/v1/channels/{agent}/sessions", {})
    assert reply.status == 201, reply.text
    session_id: str = reply.body["id"]
    return session_id


def test_an_agents_key_says_whose_it_is(owner: Api) -> None:
    agent = owner.agent()
    key = made(owner, agent)

    assert key["key"].startswith("evr_ak_")
    assert key["key_prefix"] == key["key"][:15] + "..."
    assert (key["agent_id"], key["scopes"]) == (agent["id"], ["channels:use"])
    app = owner.with_headers(Authorization=f"Bearer {key['key']}")
    me = app.get("/v1/auth/me").body
    assert (me["roles"], me["scopes"]) == (["agent"], ["channels:use"])


def test_it_opens_no_route_but_those_of_its_channel(
    app: APIFlask, owner: Api, organization: UUID
) -> None:
    caller = application(owner, owner.agent())
    for method, rule, need in needs_of(app):
        if isinstance(need, Scope) and need is not Scope.CHANNELS_USE:
            assert caller.send(method, address(rule, organization)).status == 403, (method, rule)
        if need is Scope.CHANNELS_USE:
            assert rule.startswith("/v1/channels/<channel>"), rule


def test_another_agent_is_not_there(owner: Api) -> None:
    agent, other = owner.agent(name="one"), owner.agent(name="two")
    caller = application(owner, agent)
    own = opened(caller, agent["id"])

    for named in (other["id"], "two", "TWO", show_id(Kind.AGENT, new_id())):
        base = f"/v1/channels/{named}"
        assert caller.get(base).status == 404
        assert caller.get(f"{base}/sessions").status == 404
        assert caller.post(f"{base}/sessions", {}).status == 404
        assert caller.get(f"{base}/sessions/{own}").status == 404
        assert caller.post(f"{base}/sessions/{own}/messages", saying("x")).status == 404
        assert caller.get(f"{base}/sessions/{own}/events").status == 404
        assert caller.post(f"{base}/sessions/{own}/cancel").status == 404
    assert caller.get("/v1/channels/one").body["auth"] == [{"type": "agent_key"}]


def test_it_sees_the_sessions_of_its_agents_keys_alone(owner: Api) -> None:
    agent = owner.agent()
    one, replaced = application(owner, agent), application(owner, agent)
    base = f"/v1/channels/{agent['id']}/sessions"
    mine, the_owners = opened(one, agent["id"]), opened(owner, agent["id"])
    alices = opened(one.with_headers(End_User="alice"), agent["id"])

    assert replaced.get(f"{base}/{mine}").status == 200
    assert owner.get(f"{base}/{mine}").status == 404
    assert one.get(f"{base}/{the_owners}").status == 404
    assert one.get(f"{base}/{alices}").status == 404
    assert replaced.get(f"{base}/{alices}", headers={"End-User": "alice"}).status == 200
    assert [each["id"] for each in one.get(base).body["data"]] == [mine]


def test_agents_keys_are_the_organizations(owner: Api, holder: Holder) -> None:
    agent = owner.agent()
    key = made(owner, agent)
    colleague = holder(principal_id=new_id())

    assert key["id"] in [each["id"] for each in colleague.get("/v1/auth/api-keys").body["data"]]
    assert colleague.delete(f"/v1/auth/api-keys/{key['id']}").status == 204
    app = owner.with_headers(Authorization=f"Bearer {key['key']}")
    assert app.get(f"/v1/channels/{agent['id']}").status == 401


def test_it_is_made_by_who_may_use_channels_for_an_agent_there_is(
    owner: Api, holder: Holder, stranger: Api
) -> None:
    agent = owner.agent()
    theirs = stranger.agent()
    body = {"name": "app", "agent_id": agent["id"]}

    assert holder("keys:write").post("/v1/auth/api-keys", body).status == 403
    assert holder("keys:write", "channels:use").post("/v1/auth/api-keys", body).status == 201
    for wrong in (theirs["id"], show_id(Kind.AGENT, new_id())):
        assert owner.post("/v1/auth/api-keys", {**body, "agent_id": wrong}).status == 404
    assert owner.post("/v1/auth/api-keys", {**body, "scopes": ["*"]}).status == 422
    assert application(owner, agent).post("/v1/auth/api-keys", body).status == 403


def test_the_database_keeps_no_agents_key_that_grants_more(owner: Api, database: Database) -> None:
    made(owner, owner.agent())
    with pytest.raises(IntegrityError), database.transaction() as tx:
        tx.execute(text("UPDATE api_keys SET scopes = '[\"*\"]' WHERE agent_id IS NOT NULL"))

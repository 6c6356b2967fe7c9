"""Tenants are walls (I9): what is particular to some routes.  `test_cross_tenant` has them all."""

import pytest
from apiflask import APIFlask

from tests.contract.api.client import Api
from tests.contract.api.test_cross_tenant import routes
from tests.contract.api.uploads import upload


def test_lists_and_look_ups_show_only_ones_own(api: Api, stranger: Api) -> None:
    agent = api.agent(name="Mine")
    api.session(agent_id=agent["id"], title="Mine")

    assert stranger.get("/v1/agents?include_archived=true").body["total"] == 0
    assert stranger.get("/v1/sessions").body["total"] == 0
    assert stranger.get(f"/v1/sessions?agent_id={agent['id']}").body["total"] == 0
    assert stranger.get("/v1/sessions/stats").body["total"] == 0
    upload(api)
    assert stranger.get("/v1/images").body["total"] == 0
    assert stranger.get("/v1/agents/Mine").status == 404
    assert stranger.get("/v1/agents/check-name?name=Mine").body == {"available": True}
    assert stranger.agent(name="Mine")["id"] != agent["id"]


@pytest.mark.parametrize("field", ["agent_id", "workspace_id"])
def test_a_session_cannot_be_made_of_anothers_things(api: Api, stranger: Api, field: str) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])

    assert stranger.post("/v1/sessions", {field: session[field]}).status == 404


def test_anothers_agent_id_cannot_be_taken(api: Api, stranger: Api) -> None:
    agent = api.agent()
    body = {"id": agent["id"], "name": "theirs", "system_prompt": "x"}

    assert stranger.post("/v1/agents", body).status == 404
    assert stranger.put(f"/v1/agents/{agent['id']}", body).status == 404
    assert api.get(f"/v1/agents/{agent['id']}").body == agent


def test_every_session_route_has_its_nested_spelling(app: APIFlask) -> None:
    every = set(routes(app))
    flat = {each for each in every if each[1].startswith("/v1/sessions/<session_id>")}
    assert len(flat) > 20
    for method, rule in flat:
        assert (method, rule.replace("/v1/", "/v1/agents/<agent>/")) in every

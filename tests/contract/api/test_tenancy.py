"""Tenants are walls (I9): another organization's things are 404 on every route."""

import re
from typing import Any

import pytest
from apiflask import APIFlask

from api.blueprints import nested_sessions, sessions
from tests.contract.api.client import Api

_ORGANIZATION_WIDE = {
    "/v1/agents",
    "/v1/agents/check-name",
    "/v1/agents/config",
    "/v1/agents/import",
    "/v1/sessions",
    "/v1/sessions/stats",
}
_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/sessions/<session_id>/messages"): {"message": {"content": "x"}},
    ("POST", "/v1/agents/<agent>/sessions/<session_id>/messages"): {"message": {"content": "x"}},
    # Its own file of the id makes a replacement a look-up of the other's agent.
    ("PUT", "/v1/agents/<agent>"): {"name": "mine", "system_prompt": "x"},
}
# Served by the stream process, which has its own test of this.
_ELSEWHERE = ("/sse",)


def routes(app: APIFlask) -> list[tuple[str, str]]:
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
        and not rule.endpoint.startswith("unbuilt.")
        and not rule.rule.endswith(_ELSEWHERE)
    )


def test_another_organizations_things_are_not_found_on_any_route(
    app: APIFlask, api: Api, stranger: Api
) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    api.message(session["id"])
    before = api.get(f"/v1/sessions/{session['id']}/events").body
    tried = 0

    for method, rule in routes(app):
        if rule in _ORGANIZATION_WIDE:
            continue
        path = rule.replace("<agent>", agent["id"]).replace("<session_id>", session["id"])
        assert re.search("[<>]", path) is None, rule
        reply = stranger.send(method, path, _BODIES.get((method, rule)))
        assert reply.status == 404, (method, rule, reply.text)
        tried += 1

    assert tried > 25
    assert api.get(f"/v1/sessions/{session['id']}/events").body == before
    assert api.get(f"/v1/agents/{agent['id']}").body == agent


def test_lists_and_look_ups_show_only_ones_own(api: Api, stranger: Api) -> None:
    agent = api.agent(name="Mine")
    api.session(agent_id=agent["id"], title="Mine")

    assert stranger.get("/v1/agents?include_archived=true").body["total"] == 0
    assert stranger.get("/v1/sessions").body["total"] == 0
    assert stranger.get(f"/v1/sessions?agent_id={agent['id']}").body["total"] == 0
    assert stranger.get("/v1/sessions/stats").body["total"] == 0
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


def test_every_session_route_has_its_nested_spelling() -> None:
    assert sessions.blueprint.name == "sessions"
    assert len(nested_sessions._FLAT) == 12

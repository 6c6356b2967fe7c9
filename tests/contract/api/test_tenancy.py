"""Tenants are walls (I9): another organization's things are 404 on every route."""

import re
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask

from common.clock import new_id
from common.domain.access import EVERYTHING
from common.domain.ids import ANONYMOUS_PRINCIPAL, Kind, parse_id, show_id
from common.storage import api_keys
from common.storage.api_keys import NewKey
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api
from tests.contract.api.uploads import upload

_ORGANIZATION_WIDE = {
    # One's own keys.
    "/v1/auth/api-keys",
    "/v1/auth/me",
    "/v1/auth/personal-access-tokens",
    "/v1/agents",
    "/v1/agents/analyze",
    "/v1/agents/check-name",
    "/v1/agents/config",
    "/v1/agents/import",
    "/v1/agents/preview",
    # The catalogue is the same for all, but for MCP servers: see test_mcp_servers.
    "/v1/capabilities",
    "/v1/capabilities/guardrails/examples",
    "/v1/durable/circuit-breakers",
    "/v1/durable/config",
    "/v1/durable/dlq",
    "/v1/durable/health",
    "/v1/durable/tasks",
    "/v1/durable/workers",
    # The whole installation's: refused to all but the operator, see test_durable.
    "/v1/durable/workers/<worker_id>/drain",
    "/v1/durable/workers/<worker_id>/resume",
    "/v1/durable/workflows",
    "/v1/harness-examples",
    "/v1/harnesses",
    "/v1/harnesses/check-name",
    "/v1/harnesses/config",
    "/v1/harnesses/import",
    "/v1/harnesses/preview",
    "/v1/images",
    "/v1/llm-models",
    "/v1/llm-models/config",
    "/v1/llm-providers",
    "/v1/llm-providers/config",
    "/v1/models",
    "/v1/models/config",
    "/v1/providers",
    "/v1/providers/config",
    "/v1/mcp-servers",
    "/v1/mcp-servers/config",
    "/v1/sessions",
    "/v1/sessions/chat",
    "/v1/sessions/stats",
    "/v1/workspaces",
}
_RESULTS = {"tool_results": [{"tool_call_id": "c", "result": 1}]}
_DECISIONS = {"decisions": [{"tool_call_id": "c", "decision": "allow"}]}
_BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/sessions/<session_id>/tool-results"): _RESULTS,
    ("POST", "/v1/agents/<agent>/sessions/<session_id>/tool-results"): _RESULTS,
    ("POST", "/v1/sessions/<session_id>/tool-approvals"): _DECISIONS,
    ("POST", "/v1/agents/<agent>/sessions/<session_id>/tool-approvals"): _DECISIONS,
    ("POST", "/v1/channels/<channel>/sessions/<session_id>/tool-approvals"): _DECISIONS,
    ("POST", "/v1/channels/<channel>/sessions/<session_id>/messages"): {
        "message": {"content": "x"}
    },
    ("POST", "/v1/agents/<agent>/versions/default"): {"version_id": None},
    ("POST", "/v1/agents/<agent>/versions/<version_id>/fork"): {"name": "mine"},
    ("POST", "/v1/sessions/<session_id>/messages"): {"message": {"content": "x"}},
    ("POST", "/v1/agents/<agent>/sessions/<session_id>/messages"): {"message": {"content": "x"}},
    # Its own file of the id makes a replacement a look-up of the other's agent.
    ("PUT", "/v1/agents/<agent>"): {"name": "mine", "system_prompt": "x"},
    ("POST", "/v1/providers/<provider_id>/models"): {"model_id": "x"},
    ("POST", "/v1/llm-providers/<provider_id>/models"): {"model_id": "x"},
}
_TRANSFER = {"src_path": "/a", "dst_path": "/b"}
# By method and end of the rule, however the files are addressed.
_FILE_BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/fs/<path:file>"): {"content": "x"},
    ("POST", "/fs/_/stat"): {"path": "/a"},
    ("POST", "/fs/_/move"): _TRANSFER,
    ("POST", "/fs/_/copy"): _TRANSFER,
    ("POST", "/fs/_/grep"): {"pattern": "x"},
    ("PUT", "/storage/secrets"): {"secrets": {}},
}
# Served by the stream process, which has its own test of this.
_ELSEWHERE = ("/sse",)


def body_of(method: str, rule: str) -> Any:
    for (verb, ending), body in _FILE_BODIES.items():
        if verb == method and rule.endswith(ending):
            return body
    return _BODIES.get((method, rule))


def routes(app: APIFlask) -> list[tuple[str, str]]:
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
        and not rule.endpoint.startswith("unbuilt.")
        and not rule.rule.endswith(_ELSEWHERE)
        and rule.rule != "/v1/auth/config"
    )


def keep_key(database: Database, organization_id: str) -> UUID:
    key_id = new_id()
    with database.transaction() as tx:
        api_keys.insert(
            tx,
            NewKey(
                id=key_id,
                organization_id=parse_id(Kind.ORGANIZATION, organization_id),
                principal_id=ANONYMOUS_PRINCIPAL,
                name="theirs",
                digest=key_id.hex,
                prefix="evr_pat_...",
                grants=EVERYTHING,
                lasts=None,
            ),
        )
    return key_id


def test_another_organizations_things_are_not_found_on_any_route(
    app: APIFlask, api: Api, stranger: Api, database: Database
) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    api.message(session["id"])
    dead = worker.seal(database, api.message(api.session()["id"])["session_id"])
    server = api.post("/v1/mcp-servers", {"name": "M", "url": "https://m.example.com/"}).body
    before = api.get(f"/v1/sessions/{session['id']}/events").body
    provider = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"}).body
    model = api.post(f"/v1/providers/{provider['id']}/models", {"model_id": "x"}).body
    version = api.get(f"/v1/agents/{agent['id']}/versions").body[0]
    theirs = {
        "key_id": show_id(Kind.API_KEY, keep_key(database, session["organization_id"])),
        "agent": agent["id"],
        "channel": agent["id"],
        "harness": api.post("/v1/harnesses", {"name": "mine"}).body["id"],
        **dict.fromkeys(("version_id", "from_id", "to_id"), version["id"]),
        "session_id": session["id"],
        "provider_id": provider["id"],
        "model_id": model["id"],
        "server_id": server["id"],
        "capability_id": f"mcp:{server['id']}",
        "workspace_id": api.post("/v1/workspaces", {"name": "Mine"}).body["id"],
        "workflow_id": show_id(Kind.TURN, worker.open_turn_of(database, session["id"])),
        "entry_id": show_id(Kind.DEAD_LETTER, dead),
        "key": provider["id"],
        "image_id": upload(api).body["id"],
        "file": "a",
    }
    tried = 0

    for method, rule in routes(app):
        if rule in _ORGANIZATION_WIDE:
            continue
        path = re.sub("<(?:path:)?([a-z_]+)>", lambda found: theirs.get(found[1], found[0]), rule)
        assert re.search("[<>]", path) is None, rule
        reply = stranger.send(method, path, body_of(method, rule))
        assert reply.status == 404, (method, rule, reply.text)
        tried += 1

    assert tried > 25
    assert api.get(f"/v1/sessions/{session['id']}/events").body == before
    assert api.get(f"/v1/agents/{agent['id']}").body == agent
    assert api.get(f"/v1/models/{model['id']}").body == model


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

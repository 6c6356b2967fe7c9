"""MCP servers as a resource: `/v1/mcp-servers`."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from api.app import create_app
from api.deps import Deps
from common.domain.ids import Kind, parse_id, show_id
from common.domain.mcp_server import headers_purpose, key_purpose
from common.encryption import MasterKey, SecretBox
from common.storage import mcp_servers
from common.storage.engine import Database
from tests.contract.api.client import Api, Document, Json

_KEY = MasterKey("test", bytes(range(32)))
_URL = "https://tools.example.com/mcp"


@pytest.fixture(scope="module")
def sealed_app(deps: Deps) -> APIFlask:
    """The api of a deployment that has a master key."""
    settings = replace(deps.settings, secrets_encryption_key=_KEY)
    return create_app(replace(deps, settings=settings))


@pytest.fixture
def sealed(sealed_app: APIFlask, organization: UUID, document: Document) -> Api:
    return Api(sealed_app, {"X-Org-Id": show_id(Kind.ORGANIZATION, organization)}, document)


def made(api: Api, **fields: Any) -> Json:
    reply = api.post("/v1/mcp-servers", {"name": "Tools", "url": _URL, **fields})
    assert reply.status == 201, reply.text
    server: Json = reply.body
    return server


def test_a_server_is_registered_found_and_listed(api: Api) -> None:
    server = made(api, description="For tests", timeout_seconds=5)

    uuid = parse_id(Kind.MCP_SERVER, server["id"])
    assert {name: server[name] for name in server if not name.endswith("_at")} == {
        "id": f"mcp_{uuid.hex}",
        "name": "Tools",
        "description": "For tests",
        "url": _URL,
        "transport_type": "http",
        "auth_mode": "none",
        "protocol_mode": "auto",
        "timeout_seconds": 5.0,
        "status": "active",
        "api_key_set": False,
        "header_names": [],
        "capability_id": f"mcp:{uuid}",
        "tools": None,
    }
    for spelling in (server["id"], f"mcp_{uuid}", str(uuid), uuid.hex.upper()):
        assert api.get(f"/v1/mcp-servers/{spelling}").body == server
    assert api.get("/v1/mcp-servers").body == {
        "data": [server],
        "total": 1,
        "offset": 0,
        "limit": 20,
    }
    assert api.get("/v1/mcp-servers?search=nothing").body["total"] == 0
    assert api.get("/v1/mcp-servers?search=FOR%20tools").body["total"] == 1
    policies = api.get("/v1/mcp-servers/config").body["policies"]
    assert policies == {"create": True, "update": True, "delete": True}


def test_secrets_are_sealed_and_never_shown(sealed: Api, database: Database) -> None:
    reply = sealed.post(
        "/v1/mcp-servers",
        {"name": "T", "url": _URL, "api_key": "sk-secret", "headers": {"X-Team": "red-team"}},
    )

    assert reply.status == 201
    server = reply.body
    assert (server["auth_mode"], server["api_key_set"]) == ("api_key", True)
    assert server["header_names"] == ["X-Team"]
    shown = [reply.text, sealed.get("/v1/mcp-servers").text]
    server_id = parse_id(Kind.MCP_SERVER, server["id"])
    with database.reading() as tx:
        row = tx.execute(text("SELECT * FROM mcp_servers WHERE id = :id"), {"id": server_id}).one()
    for stored in (*shown, str(row)):
        assert "sk-secret" not in stored
        assert "red-team" not in stored
    box = SecretBox(_KEY)
    assert box.decrypt(row.api_key, purpose=key_purpose(server_id)) == "sk-secret"
    assert box.decrypt(row.headers, purpose=headers_purpose(server_id)) == '{"X-Team":"red-team"}'


@pytest.mark.parametrize("secret", [{"api_key": "x"}, {"headers": {"X-A": "b"}}])
def test_without_a_master_key_no_secret_is_stored(api: Api, secret: Json) -> None:
    refused = api.post("/v1/mcp-servers", {"name": "T", "url": _URL, **secret})
    server = made(api)
    changed = api.patch(f"/v1/mcp-servers/{server['id']}", secret)

    for reply in (refused, changed):
        assert (reply.status, reply.body["code"]) == (503, "encryption_unavailable")
    assert api.get("/v1/mcp-servers").body["data"] == [server]


def test_a_patch_changes_what_it_names(sealed: Api) -> None:
    server = made(sealed, api_key="one", headers={"X-A": "b"}, description="d")
    path = f"/v1/mcp-servers/{server['id']}"

    renamed = sealed.patch(path, {"name": "Other", "timeout_seconds": 3}).body
    assert (renamed["name"], renamed["timeout_seconds"]) == ("Other", 3.0)
    assert (renamed["api_key_set"], renamed["header_names"]) == (True, ["X-A"])
    cleared = sealed.patch(
        path, {"description": None, "timeout_seconds": None, "headers": None, "auth_mode": None}
    ).body
    assert (cleared["description"], cleared["timeout_seconds"]) == (None, 60.0)
    assert (cleared["header_names"], cleared["auth_mode"]) == ([], "none")
    without = sealed.patch(path, {"api_key": None}).body
    assert without["api_key_set"] is False
    archived = sealed.patch(path, {"status": "archived"}).body
    assert (archived["status"], archived["archived_at"] is None) == ("archived", False)
    assert sealed.get("/v1/mcp-servers").body["total"] == 0
    assert sealed.get("/v1/mcp-servers?include_archived=true").body["total"] == 1
    again = sealed.patch(path, {"status": "active"}).body
    assert (again["status"], again["archived_at"]) == ("active", None)


OTHER_URL = "https://elsewhere.example.com/mcp"


@pytest.mark.parametrize(
    ("stored", "given", "missing"),
    [
        ({"api_key": "one"}, {}, ["api_key"]),
        ({"headers": {"X-A": "b"}}, {}, ["headers"]),
        ({"api_key": "one", "headers": {"X-A": "b"}}, {}, ["api_key", "headers"]),
        ({"api_key": "one", "headers": {"X-A": "b"}}, {"api_key": "two"}, ["headers"]),
        # Also while it is not sent.
        ({"api_key": "one", "auth_mode": "none"}, {}, ["api_key"]),
    ],
)
def test_stored_secrets_do_not_go_to_a_new_address(
    sealed: Api, stored: Json, given: Json, missing: list[str]
) -> None:
    server = made(sealed, **stored)
    path = f"/v1/mcp-servers/{server['id']}"

    refused = sealed.patch(path, {"url": OTHER_URL, **given})

    assert refused.status == 422
    assert [problem["field"] for problem in refused.body["errors"]] == missing
    assert sealed.get(path).body == server
    # The same address, whoever writes it, is no change.
    assert sealed.patch(path, {"url": _URL.replace("tools", "TOOLS")}).status == 200


@pytest.mark.parametrize(
    ("secrets", "is_set"),
    [
        ({"api_key": None, "headers": None}, (False, [], "none")),
        ({"api_key": None, "headers": {}}, (False, [], "none")),
        ({"api_key": "two", "headers": {"X-B": "c"}}, (True, ["X-B"], "api_key")),
    ],
)
def test_a_new_address_gets_the_secrets_that_are_given_with_it(
    sealed: Api, secrets: Json, is_set: object
) -> None:
    server = made(sealed, api_key="one", headers={"X-A": "b"})

    moved = sealed.patch(f"/v1/mcp-servers/{server['id']}", {"url": OTHER_URL, **secrets})

    assert moved.status == 200
    shown = moved.body
    assert (shown["api_key_set"], shown["header_names"], shown["auth_mode"]) == is_set
    assert shown["url"] == OTHER_URL


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"name": None}, 400, "name"),
        ({"name": " "}, 400, "name"),
        ({"name": 5}, 400, "name"),
        ({"name": "x" * 65}, 400, "name"),
        ({"url": None}, 400, "url"),
        ({"url": 5}, 400, "url"),
        ({"url": ""}, 400, "url"),
        ({"url": "tools.example.com"}, 422, "url"),
        ({"url": "ftp://tools.example.com/"}, 422, "url"),
        ({"url": "http://user:pw@tools.example.com/"}, 422, "url"),
        ({"url": "http://127.0.0.1:8000/mcp"}, 422, "url"),
        ({"url": "http://localhost/mcp"}, 422, "url"),
        ({"url": "http://169.254.169.254/"}, 422, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, 422, "url"),
        ({"url": "https://tools.example.com:22/"}, 422, "url"),
        ({"transport_type": "stdio"}, 422, "transport_type"),
        ({"transport_type": "pigeon"}, 400, "transport_type"),
        ({"auth_mode": "o_auth"}, 422, "auth_mode"),
        ({"auth_mode": "basic"}, 400, "auth_mode"),
        ({"auth_mode": "api_key"}, 422, "api_key"),
        ({"protocol_mode": "newest"}, 400, "protocol_mode"),
        ({"timeout_seconds": 0}, 400, "timeout_seconds"),
        ({"timeout_seconds": 601}, 400, "timeout_seconds"),
        ({"timeout_seconds": "5"}, 400, "timeout_seconds"),
        ({"api_key": ""}, 400, "api_key"),
        ({"api_key": "a b"}, 400, "api_key"),
        ({"api_key": "x\r\nHost: y"}, 400, "api_key"),
        ({"headers": []}, 400, "headers"),
        ({"headers": {"X-A": 5}}, 400, "headers.X-A"),
        ({"headers": {"X-A": "b\r\nc"}}, 400, "headers.X-A"),
        ({"headers": {"Host": "other"}}, 400, "headers.Host"),
        ({"headers": {"content-length": "5"}}, 400, "headers.content-length"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, 400, "headers"),
        ({"headers": {f"X-{n}": "1" for n in range(33)}}, 400, "headers"),
    ],
)
def test_what_a_server_cannot_be(sealed: Api, fields: Json, status: int, field: str) -> None:
    refused = sealed.post("/v1/mcp-servers", {"name": "T", "url": _URL, **fields})

    assert (refused.status, refused.body["errors"][0]["field"]) == (status, field), refused.text
    assert sealed.get("/v1/mcp-servers").body["total"] == 0


@pytest.mark.parametrize("fields", [{"status": "deleted"}, {"status": "off"}, {"status": None}])
def test_a_status_that_is_none(api: Api, fields: Json) -> None:
    server = made(api)

    assert api.patch(f"/v1/mcp-servers/{server['id']}", fields).status == 400


def test_names_are_unique_until_deleted(api: Api) -> None:
    server = made(api, name="My tools")
    other = made(api, name="Others")

    assert api.post("/v1/mcp-servers", {"name": "my TOOLS", "url": _URL}).status == 409
    assert api.patch(f"/v1/mcp-servers/{other['id']}", {"name": "My tools"}).status == 409
    assert api.patch(f"/v1/mcp-servers/{server['id']}", {"name": "My Tools"}).status == 200
    assert api.delete(f"/v1/mcp-servers/{server['id']}").status == 204
    assert made(api, name="My tools")["id"] != server["id"]


def test_a_deleted_server_is_gone_with_its_secrets(sealed: Api, database: Database) -> None:
    server = made(sealed, api_key="sk", headers={"X-A": "b"})
    path = f"/v1/mcp-servers/{server['id']}"

    assert sealed.delete(path).status == 204
    for method, body in (
        ("GET", None),
        ("PATCH", {"name": "x"}),
        ("DELETE", None),
    ):
        assert sealed.send(method, path, body).status == 404
    assert sealed.post(f"{path}/refresh").status == 404
    with database.reading() as tx:
        row = tx.execute(
            text("SELECT api_key, headers, status FROM mcp_servers WHERE id = :id"),
            {"id": parse_id(Kind.MCP_SERVER, server["id"])},
        ).one()
    assert tuple(row) == (None, None, "deleted")


def test_a_repeat_with_the_same_key_registers_once(api: Api) -> None:
    body = {"name": "Once", "url": _URL}
    headers = {"Idempotency-Key": "k1"}

    first = api.post("/v1/mcp-servers", body, headers=headers)
    again = api.post("/v1/mcp-servers", body, headers=headers)
    other = api.post("/v1/mcp-servers", {**body, "name": "Twice"}, headers=headers)

    assert (first.status, again.status, other.status) == (201, 201, 422)
    assert again.body == first.body
    assert api.get("/v1/mcp-servers").body["total"] == 1


def keep_tools(database: Database, server: Json, organization: UUID) -> None:
    with database.transaction() as tx:
        found = mcp_servers.find(tx, organization, parse_id(Kind.MCP_SERVER, server["id"]))
        assert found is not None
        mcp_servers.keep_tools(
            tx,
            found,
            [
                {
                    "name": "add",
                    "title": "Add",
                    "description": "Adds.",
                    "parameters": {"type": "object"},
                    "side_effect": "pure",
                }
            ],
        )


def test_the_list_of_tools_is_shown_and_forgotten(
    api: Api, database: Database, organization: UUID
) -> None:
    server = made(api)
    path = f"/v1/mcp-servers/{server['id']}"
    for method, rest, body in (
        ("POST", "/refresh", None),
        ("PATCH", "", {"url": "https://other.example.com/mcp"}),
    ):
        keep_tools(database, server, organization)
        shown = api.get(path).body
        assert shown["tools"] == [{"name": "add", "description": "Adds."}]
        assert shown["tools_fetched_at"] is not None
        assert api.send(method, path + rest, body).body["tools"] is None
        assert api.get(path).body["tools_fetched_at"] is None


def test_a_server_is_listed_as_a_capability(
    api: Api, stranger: Api, database: Database, organization: UUID
) -> None:
    server = made(api, description="Adds things")
    keep_tools(database, server, organization)
    path = f"/v1/capabilities/{server['capability_id']}"

    entry = api.get(path).body

    assert (entry["id"], entry["name"], entry["is_mcp"]) == (
        server["capability_id"],
        "Tools",
        True,
    )
    assert [tool["name"] for tool in entry["tool_definitions"]] == ["mcp_tools__add"]
    listed = api.get("/v1/capabilities?search=Adds%20things").body["data"]
    assert [each["id"] for each in listed] == [server["capability_id"]]
    assert stranger.get(path).status == 404
    assert stranger.get("/v1/capabilities?search=Adds%20things").body["total"] == 0
    api.patch(f"/v1/mcp-servers/{server['id']}", {"status": "disabled"})
    assert api.get("/v1/capabilities?search=Adds%20things").body["total"] == 0


def test_agents_and_sessions_are_granted_only_ones_own_servers(api: Api, stranger: Api) -> None:
    server = made(api)
    granted = [server["capability_id"]]
    agent = api.agent(capabilities=granted)
    session = api.session(capabilities=granted)
    assert agent["capabilities"] == [{"ref": granted[0], "config": {}}]
    assert session["capabilities"] == [{"ref": granted[0], "config": {}}]

    unknown = f"mcp:{UUID(int=7)}"
    mine = stranger.agent()
    for caller, ref in ((stranger, granted[0]), (api, unknown)):
        body = {"name": "New", "system_prompt": "x", "capabilities": ["noop", ref]}
        refused = caller.post("/v1/agents", body)
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, "capabilities[1]")
        assert caller.post("/v1/sessions", {"capabilities": [ref]}).status == 400
    assert stranger.patch(f"/v1/agents/{mine['id']}", {"capabilities": granted}).status == 400
    assert stranger.put(f"/v1/agents/{mine['id']}", {**body, "capabilities": granted}).status == 400
    for malformed in ("mcp:", "mcp:x", f"mcp:{server['id']}", "mcp"):
        assert api.post("/v1/sessions", {"capabilities": [malformed]}).status == 400


def test_an_agent_of_a_deleted_server_can_still_be_changed(api: Api) -> None:
    server = made(api)
    agent = api.agent(capabilities=[server["capability_id"]])
    api.delete(f"/v1/mcp-servers/{server['id']}")

    changed = api.patch(f"/v1/agents/{agent['id']}", {"display_name": "New"})

    assert (changed.status, changed.body["display_name"]) == (200, "New")


def test_anothers_server_is_not_found(api: Api, stranger: Api) -> None:
    server = made(api)
    path = f"/v1/mcp-servers/{server['id']}"

    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/refresh", {}),
    ):
        assert stranger.send(method, path + rest, body).status == 404
    assert stranger.get("/v1/mcp-servers").body["total"] == 0
    assert made(stranger, name="Tools")["id"] != server["id"]
    assert api.get(path).body == server


@pytest.mark.parametrize("bad", ["x", "agent_" + "0" * 32, "mcp_123", "mcp_" + "0" * 31])
def test_a_malformed_id(api: Api, bad: str) -> None:
    assert api.get(f"/v1/mcp-servers/{bad}").status == 400

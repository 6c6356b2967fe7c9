"""Agents: create, find, change, archive, copy."""

import secrets
from typing import Any

import pytest

from common.domain.agent import NAME_CHARACTERS
from common.domain.ids import GENERIC_HARNESS, Kind, show_id
from tests.contract.api.client import Api

PROMPT = "You answer briefly."


def chosen_id() -> str:
    """An id as clients make them up: random, no UUIDv7."""
    return f"agent_{secrets.token_hex(16)}"


def test_the_seeds_assistant_can_be_created_twice(api: Api) -> None:
    body = {"name": "Assistant", "system_prompt": PROMPT}

    first = api.post("/v1/agents", body)
    again = api.post("/v1/agents", body)

    assert (first.status, again.status) == (201, 200)
    assert first.body["id"] == again.body["id"]
    assert first.body["name"] == "Assistant"
    assert first.body["harness_id"] == show_id(Kind.HARNESS, GENERIC_HARNESS)
    assert first.body["status"] == "active"
    assert first.body["id"].startswith("agent_")


def test_every_field_comes_back(api: Api) -> None:
    tool = {"name": "lookup", "description": "d", "parameters": {"type": "object"}}
    given = {
        "name": "support",
        "system_prompt": PROMPT,
        "display_name": "Support",
        "description": "Helps",
        "default_model_id": "gpt-x",
        "tags": ["a", "b"],
        "capabilities": ["current_time", {"ref": "test_math", "config": {"digits": 3}}],
        "tools": [tool],
        "initial_files": [{"path": "/a.txt", "content": "x"}],
        "mcpServers": {"one": {"url": "https://example.org"}},
        "network_access": {"allowed": ["example.org"], "blocked": []},
        "max_iterations": 7,
        "parallel_tool_calls": False,
    }

    agent = api.post("/v1/agents", given).body

    shown = api.get(f"/v1/agents/{agent['id']}").body
    assert shown == agent
    assert agent["capabilities"] == [
        {"ref": "current_time", "config": {}},
        {"ref": "test_math", "config": {"digits": 3}},
    ]
    assert agent["tools"] == [{**tool, "type": "client_side"}]
    files = [{"path": "/a.txt", "content": "x", "encoding": "text", "is_readonly": False}]
    assert agent["initial_files"] == files
    for name in ("display_name", "description", "default_model_id", "tags", "mcpServers"):
        assert agent[name] == given[name]
    for name in ("network_access", "max_iterations", "parallel_tool_calls"):
        assert agent[name] == given[name]


def test_apply_by_id_creates_then_replaces(api: Api) -> None:
    applied = chosen_id()
    body = {"id": applied, "name": "applied", "system_prompt": "one", "tags": ["x"]}

    made = api.post("/v1/agents", body)
    again = api.post("/v1/agents", {"id": applied, "name": "renamed", "system_prompt": "two"})

    assert (made.status, again.status) == (201, 200)
    assert again.body["id"] == made.body["id"] == applied
    assert (again.body["name"], again.body["system_prompt"]) == ("renamed", "two")
    assert again.body["tags"] == []


def test_an_id_cannot_take_another_agents_name(api: Api) -> None:
    api.agent(name="Taken")

    made = api.post("/v1/agents", {"id": chosen_id(), "name": "taken", "system_prompt": ""})

    assert made.status == 409


def test_ids_and_names_are_taken_in_every_form(api: Api) -> None:
    agent = api.agent(name="Ünïcode Helper & Co")
    hexadecimal = agent["id"].removeprefix("agent_")
    dashed = "-".join(hexadecimal[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))

    for form in (
        agent["id"],
        agent["id"].upper(),
        hexadecimal,
        dashed,
        f"agent_{dashed}",
        "Ünïcode Helper & Co",
        "ünïcode-helper-co",
        "ÜNÏCODE HELPER & CO",
    ):
        assert api.get(f"/v1/agents/{form}").body["id"] == agent["id"], form


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * (NAME_CHARACTERS + 1)}, "name"),
        ({"system_prompt": None}, "system_prompt"),
        ({"system_prompt": ["x"]}, "system_prompt"),
        ({"system_prompt": "x" * 1_100_000}, "system_prompt"),
        ({"description": "x" * 11_000}, "description"),
        ({"tags": "x"}, "tags"),
        ({"tags": [1]}, "tags[0]"),
        ({"capabilities": ["nope"]}, "capabilities[0]"),
        ({"capabilities": ["noop", {"ref": "nope"}]}, "capabilities[1]"),
        ({"capabilities": [{"ref": "noop", "config": 1}]}, "capabilities[0].config"),
        ({"capabilities": ["noop"] * 251}, "capabilities"),
        ({"tools": [{"description": "no name"}]}, "tools[0].name"),
        ({"tools": [{"name": "a b"}]}, "tools[0].name"),
        ({"tools": [{"name": "a", "parameters": []}]}, "tools[0].parameters"),
        ({"tools": [{"name": "a"}, {"name": "a"}]}, "tools"),
        ({"tools": [{"name": f"t{n}"} for n in range(51)]}, "tools"),
        ({"tools": [{"name": "a", "parameters": {"x": "y" * 11_000}}]}, "tools[0].parameters"),
        ({"tools": [{"name": "a", "type": "other"}]}, "tools[0].type"),
        ({"initial_files": [{"path": "a", "content": ""}]}, "initial_files[0].path"),
        ({"initial_files": [{"path": "/../a", "content": ""}]}, "initial_files[0].path"),
        ({"mcpServers": []}, "mcpServers"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"max_iterations": "5"}, "max_iterations"),
        ({"max_iterations": True}, "max_iterations"),
        ({"parallel_tool_calls": "yes"}, "parallel_tool_calls"),
        ({"harness_id": "harness_x"}, "harness_id"),
        ({"harness_id": "agent_" + "0" * 32}, "harness_id"),
        (
            {"harness_id": show_id(Kind.HARNESS, GENERIC_HARNESS), "harness_name": "b"},
            "harness_name",
        ),
        ({"id": "session_" + "0" * 32}, "id"),
    ],
)
def test_what_is_wrong_is_named_and_stores_nothing(
    api: Api, change: dict[str, Any], field: str
) -> None:
    refused = api.post("/v1/agents", {"name": "a", "system_prompt": "b"} | change)

    assert refused.status == 400
    assert [problem["field"] for problem in refused.body["errors"]] == [field]
    assert api.get("/v1/agents").body["total"] == 0


def test_unknown_keys_are_no_fault(api: Api) -> None:
    assert api.agent(root=True, nested={"a": [1]})["name"] == "Assistant"


def test_builtin_tools_are_the_servers_and_dropped(api: Api) -> None:
    tools = [{"type": "builtin", "name": "a"}, {"type": "client", "name": "b"}]

    assert [tool["name"] for tool in api.agent(tools=tools)["tools"]] == ["b"]


def test_harnesses_are_taken_by_id_and_by_name(api: Api) -> None:
    assert api.agent(harness_name="Base")["harness_id"].endswith("0300")
    assert api.agent(harness_id="01933b5a-0000-7000-8000-000000000300")["harness_id"].endswith(
        "0300"
    )
    unknown = api.post("/v1/agents", {"name": "x", "system_prompt": "", "harness_name": "nope"})
    assert unknown.status == 404


def test_the_list_is_paged_and_searched(api: Api) -> None:
    for number in range(5):
        api.agent(name=f"agent {number}", description="100% sure_thing" if number == 3 else None)

    page = api.get("/v1/agents?offset=1&limit=2").body

    assert [agent["name"] for agent in page["data"]] == ["agent 3", "agent 2"]
    assert (page["total"], page["offset"], page["limit"]) == (5, 1, 2)
    found = {
        search: [
            agent["name"]
            for agent in api.get("/v1/agents", query_string={"search": search}).body["data"]
        ]
        for search in ("AGENT 3", "0% sure_", "3 agent", "_", "\\", "agent nope")
    }
    assert found == {
        "AGENT 3": ["agent 3"],
        "0% sure_": ["agent 3"],
        "3 agent": ["agent 3"],
        "_": ["agent 3"],
        "\\": [],
        "agent nope": [],
    }


@pytest.mark.parametrize(
    "query", ["offset=-1", "limit=0", "limit=x", "offset=1.5", "include_archived=2"]
)
def test_a_bad_page_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/v1/agents?{query}").status == 400


def test_a_limit_beyond_the_largest_page_is_that_page(api: Api) -> None:
    assert api.get("/v1/agents?limit=5000").body["limit"] == 100


def test_patch_changes_only_what_is_given(api: Api) -> None:
    agent = api.agent(name="One", description="d", tags=["x"], harness_name="base")

    changed = api.patch(f"/v1/agents/{agent['id']}", {"name": "Two", "description": None}).body

    assert (changed["name"], changed["description"], changed["tags"]) == ("Two", None, ["x"])
    assert changed["harness_id"] == agent["harness_id"]
    assert changed["system_prompt"] == agent["system_prompt"]
    assert changed["updated_at"] >= agent["updated_at"]
    assert api.get("/v1/agents/one").status == 404
    generic = api.patch("/v1/agents/two", {"harness_name": "generic"}).body
    assert generic["harness_id"].endswith("0301")


def test_patch_cannot_take_a_name_or_blank_one(api: Api) -> None:
    api.agent(name="One")
    two = api.agent(name="Two")

    assert api.patch(f"/v1/agents/{two['id']}", {"name": "ONE"}).status == 409
    assert api.patch(f"/v1/agents/{two['id']}", {"name": None}).status == 400
    assert api.patch("/v1/agents/nobody", {}).status == 404


def test_put_replaces_or_creates(api: Api) -> None:
    applied, body = chosen_id(), {"name": "Put", "system_prompt": "one"}

    made = api.put(f"/v1/agents/{applied}", body)
    replaced = api.put("/v1/agents/put", {"name": "Put", "system_prompt": "two"})
    by_name = api.put("/v1/agents/other", {"name": "Other", "system_prompt": "x"})

    assert (made.status, replaced.status, by_name.status) == (201, 200, 201)
    assert made.body["id"] == replaced.body["id"] == applied
    assert replaced.body["system_prompt"] == "two"
    other_id = {"id": chosen_id(), "name": "Put", "system_prompt": ""}
    assert api.put(f"/v1/agents/{made.body['id']}", other_id).status == 400


def test_an_archived_agent_is_kept_until_it_is_deleted(api: Api) -> None:
    agent = api.agent()
    path = f"/v1/agents/{agent['id']}"

    assert api.post(f"{path}/delete").status == 409
    assert api.delete(path).status == 204
    assert api.delete(path).status == 204
    archived = api.get(path).body
    assert archived["status"] == "archived"
    assert archived["archived_at"] is not None
    assert api.get("/v1/agents").body["total"] == 0
    assert api.get("/v1/agents?include_archived=true").body["total"] == 1
    assert api.post(f"{path}/delete").status == 204
    assert api.get(path).status == 404
    assert api.post(f"{path}/delete").status == 404
    assert api.get("/v1/agents?include_archived=true").body["total"] == 0
    assert api.agent()["id"] != agent["id"]


def test_saving_an_archived_agent_brings_it_back(api: Api) -> None:
    agent = api.agent()
    api.delete(f"/v1/agents/{agent['id']}")

    again = api.post("/v1/agents", {"name": "assistant", "system_prompt": "new"})

    assert again.status == 200
    assert (again.body["status"], again.body["archived_at"]) == ("active", None)


def test_copies_get_free_names(api: Api) -> None:
    agent = api.agent(name="x" * NAME_CHARACTERS, tags=["a"])

    first = api.post(f"/v1/agents/{agent['id']}/copy", {})
    second = api.post(f"/v1/agents/{agent['id']}/copy")

    assert (first.status, second.status) == (201, 201)
    assert first.body["name"].endswith(" (copy)")
    assert second.body["name"].endswith(" (copy 2)")
    assert len(second.body["name"]) == NAME_CHARACTERS
    assert first.body["tags"] == ["a"]
    assert first.body["forked_from_agent_id"] == agent["id"]
    nested = api.post(f"/v1/agents/{first.body['id']}/copy").body
    assert nested["root_agent_id"] == agent["id"]


def test_names_can_be_checked(api: Api) -> None:
    agent = api.agent(name="One")

    assert api.get("/v1/agents/check-name?name=two").body == {"available": True}
    assert api.get("/v1/agents/check-name?name=ONE").body == {"available": False}
    mine = f"/v1/agents/check-name?name=one&exclude_id={agent['id']}"
    assert api.get(mine).body == {"available": True}
    assert api.get("/v1/agents/check-name").status == 400


def test_the_policies_are_told(api: Api) -> None:
    assert api.get("/v1/agents/config").body["policies"]["create"] is True


@pytest.mark.parametrize("name", ["...", "日本語", "a--b", "Straße", "x" * 64, "🦊"])
def test_names_of_every_kind_find_their_agent(api: Api, name: str) -> None:
    agent = api.agent(name=name)

    assert agent["name"] == name
    assert api.get("/v1/agents/" + name).body["id"] == agent["id"]
    assert api.post("/v1/agents", {"name": name, "system_prompt": "x"}).status == 200

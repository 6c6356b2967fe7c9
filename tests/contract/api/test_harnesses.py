"""Harnesses: names, built-in ones, inheritance, archiving."""

from typing import Any

import pytest

from tests.contract.api.client import Api

GENERIC = "harness_01933b5a000070008000000000000301"


def make(api: Api, name: str, **fields: Any) -> dict[str, Any]:
    made = api.post("/v1/harnesses", {"name": name, **fields})
    assert made.status == 201, made.text
    body: dict[str, Any] = made.body
    return body


def test_created_read_by_id_and_by_name_and_changed(api: Api) -> None:
    made = make(
        api,
        "Support Desk",
        system_prompt="Be kind.",
        capabilities=["current_time"],
        tags=["desk"],
        network_access={"allowed": ["example.com"]},
        embedder_metadata={"team": "north"},
    )

    assert api.get(f"/v1/harnesses/{made['id']}").body == made
    assert api.get("/v1/harnesses/support-desk").body == made
    changed = api.patch("/v1/harnesses/SUPPORT DESK", {"description": "d", "tags": None}).body
    assert (changed["description"], changed["tags"]) == ("d", [])
    assert changed["capabilities"] == [{"ref": "current_time", "config": {}}]
    assert changed["network_access"] == {"allowed": ["example.com"], "blocked": []}
    assert changed["embedder_metadata"] == {"team": "north"}


def test_built_in_ones_are_listed_first_and_read_only(api: Api) -> None:
    own = make(api, "own")

    listed = api.get("/v1/harnesses").body

    assert [each["name"] for each in listed["data"]][-1] == "own"
    assert {"base", "generic"} <= {each["name"] for each in listed["data"][:-1]}
    assert listed["total"] == len(listed["data"])
    assert api.patch(f"/v1/harnesses/{GENERIC}", {"description": "mine"}).status == 403
    assert api.delete("/v1/harnesses/base").status == 403
    assert api.patch("/v1/harnesses/base", {}).body["code"] == "forbidden"
    copied = api.post("/v1/harnesses/generic/copy")
    assert copied.status == 201
    assert (copied.body["name"], copied.body["is_built_in"]) == ("generic (copy)", False)
    assert api.patch(f"/v1/harnesses/{copied.body['id']}", {"system_prompt": "x"}).status == 200
    assert own["is_built_in"] is False


def test_what_the_built_in_harnesses_grant(api: Api) -> None:
    granted = {
        name: [each["ref"] for each in api.get(f"/v1/harnesses/{name}").body["capabilities"]]
        for name in ("base", "generic")
    }
    assert granted == {"base": [], "generic": ["current_time", "session_file_system"]}
    assert api.session()["features"] == ["file_system"]
    tools = api.post("/v1/agents/preview", {"system_prompt": "p"}).body["tools"]
    assert {"get_current_time", "read_file", "write_file"} <= {each["name"] for each in tools}


def test_a_name_is_taken_once_also_by_a_built_in_one(api: Api, stranger: Api) -> None:
    made = make(api, "desk")

    assert api.post("/v1/harnesses", {"name": "Desk"}).status == 409
    assert api.post("/v1/harnesses", {"name": "Generic"}).status == 409
    other = make(api, "other")
    assert api.patch(f"/v1/harnesses/{other['id']}", {"name": "desk"}).status == 409
    assert api.get("/v1/harnesses/check-name?name=DESK").body == {"available": False}
    kept = api.get(f"/v1/harnesses/check-name?name=desk&exclude_id={made['id']}")
    assert kept.body == {"available": True}
    make(stranger, "desk")


def test_a_harness_cannot_stand_on_itself_or_on_too_many(api: Api) -> None:
    line = [make(api, "h0")]
    for number in range(1, 9):
        line.append(make(api, f"h{number}", parent_harness_id=line[-1]["id"]))

    ninth = api.post("/v1/harnesses", {"name": "h9", "parent_harness_id": line[-1]["id"]})
    cycle = api.patch(f"/v1/harnesses/{line[0]['id']}", {"parent_harness_id": line[3]["id"]})
    itself = api.patch(f"/v1/harnesses/{line[0]['id']}", {"parent_harness_id": line[0]["id"]})

    assert (ninth.status, cycle.status, itself.status) == (422, 422, 422)
    assert cycle.body["errors"][0]["field"] == "parent_harness_id"
    # A whole line cannot be put below another one either.
    root = make(api, "root")
    too_deep = api.patch(f"/v1/harnesses/{line[0]['id']}", {"parent_harness_id": root["id"]})
    assert too_deep.status == 422
    assert api.get(f"/v1/harnesses/{line[0]['id']}").body["parent_harness_id"] is None


def test_a_parent_must_be_there_for_the_organization(api: Api, stranger: Api) -> None:
    theirs = make(stranger, "theirs")

    refused = api.post("/v1/harnesses", {"name": "mine", "parent_harness_id": theirs["id"]})

    assert refused.status == 404
    assert api.get("/v1/harnesses/mine").status == 404


def test_an_archived_harness_goes_on_where_it_is_and_nowhere_else(api: Api) -> None:
    made = make(api, "old")
    agent = api.agent(harness_name="old")
    session = api.session(harness_id=made["id"])

    assert api.delete("/v1/harnesses/old").status == 204
    assert api.delete("/v1/harnesses/old").status == 204

    assert api.get(f"/v1/harnesses/{made['id']}").body["status"] == "archived"
    assert api.get("/v1/harnesses?search=old").body["total"] == 0
    assert api.get("/v1/harnesses?search=old&include_archived=true").body["total"] == 1
    assert api.get(f"/v1/sessions/{session['id']}").body["harness_id"] == made["id"]
    changed = api.patch(f"/v1/agents/{agent['id']}", {"description": "still changes"})
    assert (changed.status, changed.body["harness_id"]) == (200, made["id"])
    assert api.post("/v1/sessions", {"agent_id": agent["id"]}).body["harness_id"] == made["id"]
    assert api.post("/v1/sessions", {"harness_id": made["id"]}).status == 404
    assert api.post("/v1/harnesses", {"name": "x", "parent_harness_id": made["id"]}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 1},
        {"name": "a", "parent_harness_id": "agent_" + "0" * 32},
        {"name": "a", "capabilities": ["no_such_thing"]},
        {"name": "a", "embedder_metadata": {"a": 1}},
        {"name": "x" * 65},
    ],
)
def test_a_malformed_harness_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.post("/v1/harnesses", body).status == 400


def test_both_ways_of_naming_a_harness_are_one_too_many(api: Api) -> None:
    both = {"harness_id": GENERIC, "harness_name": "generic"}

    assert api.post("/v1/agents", {"name": "a", "system_prompt": "p", **both}).status == 400
    assert api.post("/v1/agents/preview", both).status == 400


def test_an_example_becomes_a_harness_of_ones_own(api: Api) -> None:
    examples = api.get("/v1/harness-examples").body
    assert "deep-research" in [each["name"] for each in examples]

    made = api.post("/v1/harnesses/import?from-example=deep-research")

    assert made.status == 201
    assert made.body["parent_harness_id"] == GENERIC
    assert api.post("/v1/harnesses/import?from-example=deep-research").status == 409
    assert api.post("/v1/harnesses/import?from-example=none").status == 404
    assert api.post("/v1/harnesses/import").status == 400


def test_a_repeat_with_the_same_key_makes_one_harness(api: Api) -> None:
    keyed = api.with_headers(Idempotency_Key="k1")

    first = keyed.post("/v1/harnesses", {"name": "once"})
    again = keyed.post("/v1/harnesses", {"name": "once"})
    copies = [keyed.post(f"/v1/harnesses/{ref}/copy") for ref in (first.body["id"], "ONCE")]

    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert copies[0].body == copies[1].body


def test_a_preview_has_what_parents_add(api: Api) -> None:
    parent = make(api, "parent", system_prompt="From the parent.", capabilities=["current_time"])

    shown = api.post(
        "/v1/harnesses/preview",
        {"parent_harness_id": parent["id"], "capabilities": ["test_math"]},
    ).body

    assert shown["system_prompt"].endswith("From the parent.")
    names = [tool["name"] for tool in shown["tools"]]
    assert names[0] == "get_current_time"
    assert {"add", "divide"} <= set(names)

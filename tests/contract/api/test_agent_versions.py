"""Versions of agents: made by changes, compared, gone back to, forked."""

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from common.domain.ids import Kind, parse_id
from common.storage.engine import Database
from tests.contract.api.client import Api

Json = dict[str, Any]


def versions_of(api: Api, agent_id: str) -> list[Json]:
    found: list[Json] = api.get(f"/v1/agents/{agent_id}/versions").body
    return found


def numbers(found: list[Json]) -> list[tuple[int, str, str]]:
    return [(each["version_number"], each["version"], each["change_kind"]) for each in found]


def test_each_change_of_the_configuration_is_a_version_and_nothing_else_is(api: Api) -> None:
    agent = api.agent(system_prompt="one")
    path = f"/v1/agents/{agent['id']}"

    api.agent(system_prompt="one")
    api.patch(path, {"system_prompt": "one"})
    api.patch(path, {"name": "Renamed"})
    api.patch(path, {"system_prompt": "two"})
    api.put(path, {"name": "Renamed", "system_prompt": "three"})
    api.delete(path)

    found = versions_of(api, agent["id"])
    assert numbers(found) == [(3, "1.0.2", "auto"), (2, "1.0.1", "auto"), (1, "1.0.0", "auto")]
    prompts = [each["authored_config"]["system_prompt"] for each in found]
    assert prompts == ["three", "two", "one"]
    assert found[0]["resolved_config"]["system_prompt"].endswith("\n\nthree")
    assert len({each["config_hash"] for each in found}) == 3


def test_an_import_and_a_copy_say_so(api: Api) -> None:
    made = api.post(
        "/v1/agents/import", b"---\nname: clerk\n---\n\nFile.", content_type="text/plain"
    )
    copied = api.post(f"/v1/agents/{made.body['id']}/copy").body

    assert numbers(versions_of(api, made.body["id"])) == [(1, "1.0.0", "import")]
    assert numbers(versions_of(api, copied["id"])) == [(1, "1.0.0", "fork")]


def test_a_version_that_is_asked_for_counts_as_it_says(api: Api) -> None:
    agent = api.agent()
    path = f"/v1/agents/{agent['id']}/versions"

    made = [
        api.post(path, body) for body in (None, {"change_kind": "minor"}, {"change_kind": "patch"})
    ]
    major = api.post(path, {"change_kind": "major", "summary": "Ready"})

    assert [reply.status for reply in made] == [201] * 3
    assert [reply.body["version"] for reply in made] == ["1.0.1", "1.1.0", "1.1.1"]
    assert (major.body["version"], major.body["summary"]) == ("2.0.0", "Ready")
    assert api.post(path, {"change_kind": "fork"}).status == 422
    assert api.post(path, {"change_kind": 1}).status == 400


def test_the_differences_are_named_by_their_place(api: Api) -> None:
    agent = api.agent(system_prompt="one", capabilities=["test_math"], tags=["a"])
    path = f"/v1/agents/{agent['id']}"
    api.patch(path, {"system_prompt": "two", "capabilities": ["test_math", "test_weather"]})
    newest, oldest = versions_of(api, agent["id"])

    diff = api.get(f"{path}/versions/{oldest['id']}/diff/{newest['id']}").body

    assert (diff["from_version_id"], diff["to_version_id"]) == (oldest["id"], newest["id"])
    assert diff["authored_diff"] == [
        {"path": "capabilities[1]", "from": None, "to": {"ref": "test_weather", "config": {}}},
        {"path": "system_prompt", "from": "one", "to": "two"},
    ]
    # After those of the harness.
    assert [each["path"] for each in diff["resolved_diff"]] == ["capabilities[3]", "system_prompt"]
    same = api.get(f"{path}/versions/{newest['id']}/diff/{newest['id']}").body
    assert (same["authored_diff"], same["resolved_diff"]) == ([], [])


def test_going_back_is_a_new_version_under_the_name_of_now(api: Api) -> None:
    agent = api.agent(system_prompt="one", tags=["a"], network_access={"allowed": ["a.example"]})
    path = f"/v1/agents/{agent['id']}"
    api.patch(path, {"system_prompt": "two", "tags": [], "name": "Later", "network_access": None})
    first = versions_of(api, agent["id"])[-1]

    back = api.post(f"{path}/versions/{first['id']}/rollback", {"summary": "It was better"})

    assert back.status == 200
    assert (back.body["name"], back.body["system_prompt"], back.body["tags"]) == (
        "Later",
        "one",
        ["a"],
    )
    assert back.body["network_access"] == agent["network_access"]
    found = versions_of(api, agent["id"])
    assert numbers(found)[0] == (3, "1.0.2", "rollback")
    assert (found[0]["summary"], found[0]["source_version_id"]) == ("It was better", first["id"])
    assert found[0]["config_hash"] == first["config_hash"]
    saved = api.post(f"{path}/versions/{first['id']}/rollback", {"save_version": True})
    assert saved.status == 200
    assert [each[2] for each in numbers(versions_of(api, agent["id"]))[:2]] == [
        "rollback",
        "manual",
    ]


def test_a_repeat_with_the_same_key_goes_back_once(api: Api) -> None:
    agent = api.agent(system_prompt="one")
    api.patch(f"/v1/agents/{agent['id']}", {"system_prompt": "two"})
    first = versions_of(api, agent["id"])[-1]
    keyed = api.with_headers(Idempotency_Key="r")

    for ref in (agent["id"], "ASSISTANT"):
        back = keyed.post(f"/v1/agents/{ref}/versions/{first['id']}/rollback")
        assert (back.status, back.body["system_prompt"]) == (200, "one")

    assert len(versions_of(api, agent["id"])) == 3
    other = keyed.post(
        f"/v1/agents/{agent['id']}/versions/{first['id']}/rollback", {"summary": "x"}
    )
    assert other.status == 422


def test_a_fork_is_a_new_agent_that_knows_where_it_comes_from(api: Api) -> None:
    agent = api.agent(system_prompt="one", description="old")
    path = f"/v1/agents/{agent['id']}"
    api.patch(path, {"system_prompt": "two"})
    first = versions_of(api, agent["id"])[-1]
    keyed = api.with_headers(Idempotency_Key="f")

    made = keyed.post(f"{path}/versions/{first['id']}/fork", {"name": "branch"})
    again = keyed.post("/v1/agents/ASSISTANT/versions/" + first["id"] + "/fork", {"name": "branch"})

    assert made.status == again.status == 201
    assert made.body["id"] == again.body["id"]
    assert (made.body["system_prompt"], made.body["description"]) == ("one", "old")
    assert made.body["forked_from_agent_id"] == made.body["root_agent_id"] == agent["id"]
    assert made.body["forked_from_version_id"] == first["id"]
    assert numbers(versions_of(api, made.body["id"])) == [(1, "1.0.0", "fork")]
    assert api.post(f"{path}/versions/{first['id']}/fork", {"name": "branch"}).status == 409
    assert api.post(f"{path}/versions/{first['id']}/fork", {}).status == 400


def test_the_default_version_is_chosen_and_let_go(api: Api) -> None:
    agent = api.agent()
    path = f"/v1/agents/{agent['id']}/versions"
    first = versions_of(api, agent["id"])[0]

    chosen = api.post(f"{path}/default", {"version_id": first["id"]})

    assert chosen.body["default_version_id"] == first["id"]
    assert api.get(f"/v1/agents/{agent['id']}").body["default_version_id"] == first["id"]
    assert api.post(f"{path}/default", {"version_id": None}).body["default_version_id"] is None
    assert api.post(f"{path}/default", {}).status == 400
    assert api.post(f"{path}/default", {"version_id": agent["id"]}).status == 400


def test_a_version_of_another_agent_is_not_found(api: Api) -> None:
    one, other = api.agent(), api.agent(name="Other")
    theirs = versions_of(api, other["id"])[0]["id"]
    path = f"/v1/agents/{one['id']}/versions"
    own = versions_of(api, one["id"])[0]["id"]

    replies = [
        api.post(f"{path}/default", {"version_id": theirs}),
        api.post(f"{path}/{theirs}/rollback"),
        api.post(f"{path}/{theirs}/fork", {"name": "x"}),
        api.get(f"{path}/{own}/diff/{theirs}"),
    ]

    assert [reply.status for reply in replies] == [404] * 4


def test_an_agent_older_than_versions_keeps_what_it_was(api: Api, database: Database) -> None:
    agent = api.agent(system_prompt="ancient")
    with database.transaction() as tx:
        named = {"id": parse_id(Kind.AGENT, agent["id"])}
        tx.execute(text("DELETE FROM agent_versions WHERE agent_id = :id"), named)
        tx.execute(text("UPDATE agents SET version = 7 WHERE id = :id"), named)

    assert versions_of(api, agent["id"]) == []
    api.patch(f"/v1/agents/{agent['id']}", {"system_prompt": "modern"})

    found = versions_of(api, agent["id"])
    assert [each["version_number"] for each in found] == [8, 7]
    assert [each["authored_config"]["system_prompt"] for each in found] == ["modern", "ancient"]


def test_many_versions_are_listed_as_a_whole(api: Api) -> None:
    agent = api.agent(system_prompt="0")
    for number in range(1, 45):
        api.patch(f"/v1/agents/{agent['id']}", {"system_prompt": str(number)})

    found = versions_of(api, agent["id"])

    assert [each["version_number"] for each in found] == list(range(45, 0, -1))


def test_the_reason_of_a_change_is_its_summary(api: Api) -> None:
    reason = " Größer,\nbesser "
    told = api.with_headers(Everruns_Change_Reason=quote(reason, safe=""))

    agent = told.agent()

    assert versions_of(api, agent["id"])[0]["summary"] == reason.strip()


@pytest.mark.parametrize(
    "given",
    ["%ff", "a" * 1001, "a%00b", "a%1bb", "my key is sk-abcdefghijklmnopqrstuvwx"],
)
def test_a_reason_that_cannot_be_kept_changes_nothing(api: Api, given: str) -> None:
    refused = api.with_headers(Everruns_Change_Reason=given).post(
        "/v1/agents", {"name": "never", "system_prompt": "p"}
    )

    assert (refused.status, refused.body["code"]) == (400, "invalid_change_reason")
    assert api.get("/v1/agents/never").status == 404

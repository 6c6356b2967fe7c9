"""What a session's workspace begins with, and what a session says it can do."""

import base64

import pytest
from sqlalchemy import text

from common.domain.ids import Kind, parse_id
from common.storage.engine import Database
from tests.contract.api.client import Api, Json, paths


def file(path: str, content: str, **fields: object) -> Json:
    return {"path": path, "content": content, **fields}


def content(api: Api, session: Json, path: str) -> Json:
    found: Json = api.get(f"/v1/sessions/{session['id']}/fs{path}").body
    return found


def test_files_of_the_session_win_over_the_agent_s(api: Api) -> None:
    agent = api.agent(
        initial_files=[
            file("/both.txt", "agent"),
            file("/docs/agent.txt", "agent", is_readonly=True),
        ]
    )
    raw = base64.b64encode(b"\0\1").decode()
    session = api.session(
        agent_id=agent["id"],
        initial_files=[file("/both.txt", "session"), file("/b.bin", raw, encoding="base64")],
    )
    assert content(api, session, "/both.txt")["content"] == "session"
    kept = content(api, session, "/docs/agent.txt")
    assert (kept["content"], kept["is_readonly"]) == ("agent", True)
    assert content(api, session, "/b.bin")["encoding"] == "base64"
    events = api.get(f"/v1/sessions/{session['id']}/events").body["data"]
    assert [event["type"] for event in events] == ["session.started"]


def test_the_harness_s_files_come_first(api: Api, database: Database) -> None:
    agent = api.agent(initial_files=[file("/agent.txt", "agent")])
    with database.transaction() as tx:
        harness = tx.execute(
            text(
                "INSERT INTO harnesses (id, organization_id, name, initial_files)"
                " SELECT gen_random_uuid(), organization_id, 'files', CAST(:files AS jsonb)"
                " FROM agents WHERE id = :agent RETURNING id"
            ),
            {
                "agent": parse_id(Kind.AGENT, agent["id"]),
                "files": '[{"path": "/agent.txt", "content": "harness"},'
                ' {"path": "/harness.txt", "content": "harness"}]',
            },
        ).scalar_one()
    session = api.session(agent_id=agent["id"], harness_id=str(harness))
    assert content(api, session, "/agent.txt")["content"] == "agent"
    assert content(api, session, "/harness.txt")["content"] == "harness"


def test_what_a_shared_workspace_has_stays(api: Api) -> None:
    workspace = api.post("/v1/workspaces", {"name": "Shared"}).body
    given = {"workspace_id": workspace["id"]}
    api.put(f"/v1/workspaces/{workspace['id']}/fs/a", {"content": "old"})
    session = api.session(**given, initial_files=[file("/a", "new"), file("/b", "new")])
    assert content(api, session, "/a")["content"] == "old"
    assert content(api, session, "/b")["content"] == "new"


@pytest.mark.parametrize(
    "given",
    [
        file("a", "x"),
        file("/", "x"),
        file("/_a", "x"),
        file("/a/../b", "x"),
        file("/a//b", "x"),
        file("/a", "no base64!", encoding="base64"),
        file("/a", "x", encoding="hex"),
        {"path": "/a"},
        {"content": "x"},
    ],
)
def test_bad_files_are_refused(api: Api, given: Json) -> None:
    for path in ("/v1/sessions", "/v1/agents"):
        body = {"name": "A", "system_prompt": "", "initial_files": [given]}
        refused = api.post(path, body)
        assert refused.status == 400
        assert refused.body["errors"][0]["field"].startswith("initial_files[0].")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (("/a", "/a/b"), 1),
        (("/a/b/c", "/x", "/a"), 0),
        (("/a", "/b", "/a"), 2),
        (("/a", "/a/"), 1),
    ],
)
def test_files_that_exclude_each_other_are_refused_when_they_are_saved(
    api: Api, given: tuple[str, ...], wrong: int
) -> None:
    files = {"initial_files": [file(path, "x") for path in given]}
    agent = api.agent()
    harness = api.post("/v1/harnesses", {"name": "H", "system_prompt": ""}).body
    new = {"name": "A", "system_prompt": "", **files}
    for refused in (
        api.post("/v1/sessions", files),
        api.post("/v1/agents", new),
        api.put(f"/v1/agents/{agent['id']}", new),
        api.patch(f"/v1/agents/{agent['id']}", files),
        api.post("/v1/harnesses", new),
        api.patch(f"/v1/harnesses/{harness['id']}", files),
    ):
        assert refused.status == 400
        fields = [problem["field"] for problem in refused.body["errors"]]
        assert fields == [f"initial_files[{wrong}].path"]
    assert api.get("/v1/sessions").body["total"] == 0


def test_names_that_only_look_alike_are_no_contradiction(api: Api) -> None:
    given = [file(path, "x") for path in ("/a", "/ab/c", "/a.b", "/b/a", "/b/c")]
    session = api.session(initial_files=given)
    assert "/ab/c" in paths(api, f"/v1/sessions/{session['id']}/fs?recursive=true")


def test_a_file_in_the_way_of_the_agent_s_makes_no_session(api: Api) -> None:
    agent = api.agent(initial_files=[file("/a", "x")])
    given = {"agent_id": agent["id"], "initial_files": [file("/a/b", "x")]}
    assert api.post("/v1/sessions", given).status == 409
    assert api.get("/v1/sessions").body["total"] == 0


def test_a_session_says_what_it_can_do(api: Api) -> None:
    agent = api.agent(capabilities=["session_file_system"])
    session = api.session(agent_id=agent["id"])
    assert session["features"] == ["file_system"]
    assert api.get(f"/v1/sessions/{session['id']}").body["features"] == ["file_system"]
    assert api.get("/v1/sessions").body["data"][0]["features"] == ["file_system"]
    assert api.session(capabilities=["session_file_system"])["features"] == ["file_system"]
    assert api.session(harness_name="base")["features"] == []
    assert paths(api, f"/v1/sessions/{session['id']}/fs") == []

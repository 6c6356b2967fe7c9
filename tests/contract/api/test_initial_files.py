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


def test_files_that_exclude_each_other_make_no_session(api: Api) -> None:
    body = {"initial_files": [file("/a", "x"), file("/a/b", "x")]}
    assert api.post("/v1/sessions", body).status == 409
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

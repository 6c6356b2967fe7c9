"""Sessions: create, list, change, delete, count, pin."""

import threading
from typing import Any

import pytest
from sqlalchemy import text

from common.domain.errors import LeaseLost
from common.domain.ids import Kind, parse_id
from common.storage import log, sessions
from common.storage.engine import Database
from tests.conditions import wait_until
from tests.contract.api import worker
from tests.contract.api.client import Api
from tests.fakes.live import RecordingLive

EVERY_FIELD = {
    "id",
    "organization_id",
    "harness_id",
    "agent_id",
    "agent_version_id",
    "title",
    "preview",
    "output_preview",
    "locale",
    "model_id",
    "system_prompt",
    "status",
    "tags",
    "capabilities",
    "tools",
    "initial_files",
    "mcpServers",
    "hints",
    "network_access",
    "max_iterations",
    "parallel_tool_calls",
    "workspace_id",
    "parent_session_id",
    "forked_from_session_id",
    "forked_from_sequence",
    "features",
    "is_pinned",
    "active_schedule_count",
    "owner_principal_id",
    "usage",
    "started_at",
    "finished_at",
    "pending_tool_calls",
    "pending_approvals",
    "created_at",
    "updated_at",
}


def test_a_session_needs_nothing(api: Api, live: RecordingLive) -> None:
    made = api.post("/v1/sessions")

    session = made.body
    assert made.status == 201
    assert set(session) == EVERY_FIELD
    assert session["status"] == "started"
    assert session["agent_id"] is None
    assert session["harness_id"].endswith("0301")
    assert session["workspace_id"] == "wsp_" + session["id"].removeprefix("session_")
    assert session["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert session["organization_id"] == api.headers["X-Org-Id"]
    assert api.get(f"/v1/sessions/{session['id']}").body == session
    ((_, (event,)),) = live.published
    assert (event.type, event.sequence, event.context) == ("session.started", 1, {})


def test_null_is_as_good_as_nothing(api: Api) -> None:
    assert api.post("/v1/sessions", b"null").status == 201
    assert (
        api.post("/v1/sessions", dict.fromkeys(("agent_id", "title", "tags", "tools"))).status
        == 201
    )


def test_every_field_comes_back(api: Api) -> None:
    agent = api.agent(harness_name="base")
    given = {
        "title": "A title",
        "locale": "de-CH",
        "model_id": "gpt-x",
        "system_prompt": "More",
        "tags": ["a"],
        "hints": {"a": [1]},
        "mcpServers": {"a": {}},
        "network_access": {"allowed": [], "blocked": ["x"]},
        "max_iterations": 3,
        "parallel_tool_calls": True,
    }

    session = api.session(agent_id=agent["id"], capabilities=["noop"], **given)

    assert session["agent_id"] == agent["id"]
    assert session["harness_id"] == agent["harness_id"]
    assert session["capabilities"] == [{"ref": "noop", "config": {}}]
    assert {name: session[name] for name in given} == given
    events = api.get(f"/v1/sessions/{session['id']}/events").body["data"]
    data = {"harness_id": agent["harness_id"], "agent_id": agent["id"], "model_id": "gpt-x"}
    assert events[0]["data"] == data


def test_agents_are_taken_by_name(api: Api) -> None:
    agent = api.agent(name="Assistant")

    assert api.session(agent_name="ASSISTANT")["agent_id"] == agent["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"agent_id": "agent_" + "0" * 32}, 404),
        ({"agent_name": "nobody"}, 404),
        ({"harness_id": "harness_" + "0" * 32}, 404),
        ({"harness_name": "nothing"}, 404),
        ({"workspace_id": "wsp_" + "0" * 32}, 404),
        ({"agent_id": "agent_" + "0" * 32, "agent_name": "x"}, 400),
        ({"harness_id": "harness_" + "0" * 32, "harness_name": "x"}, 400),
        ({"agent_id": "nope"}, 400),
        ({"agent_id": 5}, 400),
        ({"title": 5}, 400),
        ({"title": "x" * 3000}, 400),
        ({"locale": "??"}, 400),
        ({"tags": {}}, 400),
        ({"hints": []}, 400),
        ({"capabilities": ["nope"]}, 400),
        ([], 400),
        ("text", 400),
    ],
)
def test_what_is_wrong_is_refused_and_stores_nothing(api: Api, body: Any, status: int) -> None:
    assert api.post("/v1/sessions", body).status == status
    assert api.get("/v1/sessions").body["total"] == 0


def test_an_archived_agent_is_not_given_out(api: Api) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    api.delete(f"/v1/agents/{agent['id']}")

    assert api.post("/v1/sessions", {"agent_id": agent["id"]}).status == 409
    assert api.message(session["id"])


def test_sessions_can_share_a_workspace(api: Api) -> None:
    first = api.session()

    assert api.session(workspace_id=first["workspace_id"])["workspace_id"] == first["workspace_id"]


def test_the_list_is_paged_filtered_and_searched(api: Api) -> None:
    agent = api.agent()
    titles = ["first talk", "second Talk", "50% off"]
    made = [api.session(title=title, agent_id=agent["id"]) for title in titles]
    api.session()

    def ids(query: str) -> list[str]:
        return [session["id"] for session in api.get(f"/v1/sessions{query}").body["data"]]

    assert len(ids("")) == 4
    assert ids(f"?agent_id={agent['id']}") == [session["id"] for session in reversed(made)]
    assert ids(f"?agent_id={agent['id']}&limit=1&offset=1") == [made[1]["id"]]
    assert ids("?search=TALK") == [made[1]["id"], made[0]["id"]]
    assert ids("?search=talk first") == [made[0]["id"]]
    assert ids("?search=%25") == [made[2]["id"]]
    assert ids("?search=nowhere") == []
    assert api.get("/v1/sessions?search=talk").body["total"] == 2


def test_previews_usage_and_status_follow_the_log(api: Api, database: Database) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"
    api.message(session["id"], "Question " + "x" * 300)
    assert api.get(path).body["status"] == "started"

    worker.start_turn(database, session["id"])
    assert api.get(path).body["status"] == "active"
    worker.write(database, session["id"], worker.answer("Let me see", ("c1", "look_up")))
    worker.write(database, session["id"], worker.tool_result("c1", "42"), worker.answer("It is 42"))
    worker.finish_turn(database, session["id"])

    shown = api.get(path).body
    assert shown["preview"].startswith("Question xxx")
    assert len(shown["preview"]) == 200
    assert shown["output_preview"] == "It is 42"
    assert shown["status"] == "idle"
    assert shown["usage"] == {"input_tokens": 12, "output_tokens": 5}
    assert shown["started_at"] is not None
    assert api.get("/v1/sessions").body["data"][0] == shown


def test_patch_changes_what_is_given_and_tells_of_a_title(api: Api, live: RecordingLive) -> None:
    session = api.session(title="Old", tags=["x"])
    path = f"/v1/sessions/{session['id']}"

    changed = api.patch(path, {"title": "New", "locale": "fr"}).body
    api.patch(path, {"title": "New", "tags": ["y"]})
    cleared = api.patch(path, {"title": None, "tags": None}).body

    assert (changed["title"], changed["locale"], changed["tags"]) == ("New", "fr", ["x"])
    assert (cleared["title"], cleared["locale"], cleared["tags"]) == (None, "fr", [])
    events = api.get(f"{path}/events?types=session.title.updated").body["data"]
    assert [event["data"] for event in events] == [
        {"title": "New", "previous_title": "Old"},
        {"title": None, "previous_title": "New"},
    ]
    assert [found[0].type for _, found in live.published[1:]] == ["session.title.updated"] * 2
    assert api.patch(path, {"title": 3}).status == 400
    assert api.patch("/v1/sessions/" + "0" * 32, {"title": "x"}).status == 404


def test_a_deleted_session_is_gone_everywhere(
    api: Api, live: RecordingLive, database: Database
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"
    api.message(session["id"])
    turn_id = worker.start_turn(database, session["id"])

    assert api.delete(path).status == 204
    assert api.delete(path).status == 404

    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("GET", "/messages", None),
        ("POST", "/messages", {"message": {"content": "x"}}),
        ("GET", "/events", None),
        ("GET", "/events/summary", None),
        ("GET", "/export", None),
        ("POST", "/cancel", {}),
        ("PUT", "/pin", None),
        ("DELETE", "/pin", None),
    ):
        assert api.send(method, path + rest, body).status == 404, (method, rest)
    assert api.get("/v1/sessions").body["total"] == 0
    assert live.gone == [parse_id(Kind.SESSION, session["id"])]
    assert live.cancelled == [turn_id]
    with database.reading() as tx:
        status = tx.execute(text("SELECT status FROM turns WHERE id = :id"), {"id": turn_id})
        assert status.scalar_one() == "cancelled"


def test_nobody_can_write_to_a_session_once_it_is_deleted(api: Api, database: Database) -> None:
    session = api.session()
    head = worker.head_of(database, session["id"])
    api.delete(f"/v1/sessions/{session['id']}")

    with pytest.raises(LeaseLost), database.transaction() as tx:
        log.append(tx, head.session_id, [worker.answer("late")], fence=log.Fence(head.epoch))


def test_a_message_that_waited_for_the_deletion_is_refused(api: Api, database: Database) -> None:
    session = api.session()
    session_id = parse_id(Kind.SESSION, session["id"])
    organization_id = parse_id(Kind.ORGANIZATION, session["organization_id"])
    answers: list[int] = []

    def post() -> None:
        path = f"/v1/sessions/{session['id']}/messages"
        answers.append(api.post(path, {"message": {"content": "late"}}).status)

    thread = threading.Thread(target=post)
    with database.transaction() as tx:
        log.lock(tx, organization_id, session_id)
        sessions.delete(tx, organization_id, session_id)
        thread.start()
        wait_until(lambda: is_waiting(database), description="the message waits for the lock")
    thread.join()

    assert answers == [404]


def is_waiting(database: Database) -> bool:
    with database.reading() as tx:
        waiting = tx.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
        )
        return bool(waiting.scalar_one())


def test_sessions_are_counted_by_status(api: Api, database: Database) -> None:
    api.session()
    active, idle = api.session(), api.session()
    for session in (active, idle):
        api.message(session["id"])
        worker.start_turn(database, session["id"])
    worker.finish_turn(database, idle["id"])

    assert api.get("/v1/sessions/stats").body == {
        "total": 3,
        "started": 1,
        "active": 1,
        "idle": 1,
        "waiting_for_tool_results": 0,
    }


def test_pins_may_be_repeated(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"

    for _ in range(2):
        assert api.put(f"{path}/pin").status == 204
    assert api.get(path).body["is_pinned"] is True
    assert api.get("/v1/sessions").body["data"][0]["is_pinned"] is True
    for _ in range(2):
        assert api.delete(f"{path}/pin").status == 204
    assert api.get(path).body["is_pinned"] is False


def test_ids_are_taken_in_every_form(api: Api) -> None:
    session = api.session()
    bare = session["id"].removeprefix("session_")
    dashed = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"

    for form in (bare, dashed, f"session_{dashed}", session["id"].upper()):
        assert api.get(f"/v1/sessions/{form}").body["id"] == session["id"]


@pytest.mark.parametrize("bad", ["nope", "agent_" + "0" * 32, "0" * 31, "session_", "%00", "%ff"])
def test_a_malformed_id_is_a_bad_request(api: Api, bad: str) -> None:
    assert api.get(f"/v1/sessions/{bad}").status == 400


def test_the_older_nested_routes_lead_to_the_same(api: Api) -> None:
    agent, other = api.agent(name="One"), api.agent(name="Two")
    base = f"/v1/agents/{agent['id']}/sessions"
    made = api.post(base, {"title": "Nested"})
    assert made.status == 201
    session = made.body
    api.session(agent_id=other["id"])
    path = f"{base}/{session['id']}"

    assert session["agent_id"] == agent["id"]
    assert [one["id"] for one in api.get(base).body["data"]] == [session["id"]]
    assert api.get(path).body == session
    assert api.post(f"{path}/messages", {"message": {"content": "Hi"}}).status == 201
    assert api.get(f"{path}/messages").body["total"] == 1
    assert len(api.get(f"{path}/events").body["data"]) == 2
    assert api.post(f"{path}/cancel", {}).body["status"] == "cancelled"
    assert api.put(f"{path}/pin").status == 204
    assert api.get(f"/v1/agents/two/sessions/{session['id']}").status == 404
    assert api.get(f"/v1/agents/nobody/sessions/{session['id']}").status == 404
    assert api.delete(path).status == 204
    assert api.get(path).status == 404

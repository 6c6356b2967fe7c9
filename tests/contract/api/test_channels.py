"""The Agent Execution API: one agent, and the caller's own sessions with it."""

from typing import Any

import pytest

from common.storage.engine import Database
from tests.contract.api.client import Api, saying
from tests.contract.api.worker import finish_turn, open_turn_of, start_turn

Json = dict[str, Any]


@pytest.fixture
def agent(api: Api) -> Json:
    return api.agent(description="Helps")


def opened(api: Api, agent: Json, **body: Any) -> Json:
    made = api.post(f"/v1/channels/{agent['id']}/sessions", body)
    assert made.status == 201, made.text
    session: Json = made.body
    return session


def test_the_card_is_found_by_id_and_by_name(api: Api, agent: Json) -> None:
    by_id = api.get(f"/v1/channels/{agent['id']}")
    by_name = api.get("/api/v1/channels/assistant")

    assert (by_id.body["name"], by_id.body["description"]) == ("Assistant", "Helps")
    assert by_id.body["streaming"] is True
    assert by_id.body["links"]["sessions"] == f"/v1/channels/{agent['id']}/sessions"
    assert by_name.status == 200
    assert api.get("/v1/channels/nobody").status == 404


def test_a_message_says_which_turn_it_opens_or_steers(
    api: Api, agent: Json, database: Database
) -> None:
    session = opened(api, agent, title="t")
    path = f"/v1/channels/{agent['id']}/sessions/{session['id']}"

    first = api.post(f"{path}/messages", saying("one")).body
    turn = open_turn_of(database, session["id"])
    start_turn(database, session["id"])
    second = api.post(f"{path}/messages", saying("two")).body
    finish_turn(database, session["id"])
    third = api.post(f"{path}/messages", saying("three")).body

    assert first["turn_id"] == second["turn_id"] == f"turn_{turn.hex}"
    assert third["turn_id"] not in (None, first["turn_id"])
    got = api.get(path).body
    assert (got["title"], got["pending_questions"], got["pending_approvals"]) == ("t", [], [])
    events = api.get(f"{path}/events?after_sequence=1&limit=1").body["data"]
    assert [event["type"] for event in events] == ["input.message"]
    assert api.post(f"{path}/cancel").body["status"] == "cancelled"


def test_sessions_of_another_agent_or_end_user_are_not_there(api: Api, agent: Json) -> None:
    other = api.agent(name="Other")
    alice = api.with_headers(End_User="alice")
    session, hers = opened(api, agent), opened(alice, agent)
    flat = api.session(agent_id=other["id"])

    def status(caller: Api, one: Json, session_id: str) -> set[int]:
        path = f"/v1/channels/{one['id']}/sessions/{session_id}"
        return {
            caller.get(path).status,
            caller.get(f"{path}/events").status,
            caller.post(f"{path}/messages", saying("x")).status,
            caller.post(f"{path}/cancel").status,
            caller.post(f"{path}/question-answers", {}).status,
            caller.post(
                f"{path}/tool-approvals",
                {"decisions": [{"tool_call_id": "c", "decision": "allow"}]},
            ).status,
        }

    assert status(api, other, session["id"]) == {404}
    assert status(api, agent, flat["id"]) == {404}
    assert status(api, agent, hers["id"]) == {404}
    assert status(alice, agent, session["id"]) == {404}
    bob = api.with_headers(End_User="bob")
    assert status(bob, agent, hers["id"]) == {404}
    assert 404 not in status(alice, agent, hers["id"])
    listed = [each["id"] for each in alice.get(f"/v1/channels/{agent['id']}/sessions").body["data"]]
    assert listed == [hers["id"]]
    assert api.get(f"/v1/channels/{agent['id']}", headers={"End-User": " "}).status == 200
    assert api.get(f"/v1/channels/{agent['id']}/sessions", headers={"End-User": " "}).status == 400


def test_the_list_goes_from_the_most_recently_active_on(api: Api, agent: Json) -> None:
    made = [opened(api, agent) for _ in range(5)]
    path = f"/v1/channels/{agent['id']}/sessions"
    api.post(f"{path}/{made[0]['id']}/messages", saying("awake"))
    expected = [made[0]["id"], *(each["id"] for each in reversed(made[1:]))]

    seen: list[str] = []
    token = ""
    for _ in range(3):
        page = api.get(f"{path}?limit=2&page_token={token}").body
        seen += [each["id"] for each in page["data"]]
        token = page["next_page_token"] or ""

    assert (seen, token) == (expected, "")
    assert api.get(f"{path}?page_token=nonsense").status == 400
    assert api.get(f"{path}?limit=0").status == 400


def test_a_repeat_with_the_same_key_makes_one_session_for_each_end_user(
    api: Api, agent: Json
) -> None:
    keyed = api.with_headers(Idempotency_Key="k")
    by_name = keyed.post("/v1/channels/assistant/sessions", {})

    assert opened(keyed, agent)["id"] == by_name.body["id"]
    assert opened(keyed.with_headers(End_User="alice"), agent)["id"] != by_name.body["id"]


def test_what_is_not_built_says_so(api: Api, agent: Json) -> None:
    session = opened(api, agent)
    path = f"/v1/channels/{agent['id']}"

    answers = api.post(f"{path}/sessions/{session['id']}/question-answers", {"answers": []})
    approvals = api.post(
        f"{path}/sessions/{session['id']}/tool-approvals",
        {"decisions": [{"tool_call_id": "c", "decision": "allow"}]},
    )
    token = api.post(f"{path}/runtime-auth")

    assert (answers.status, approvals.status, token.status) == (409, 409, 501)
    assert "asked no questions" in answers.body["error"]

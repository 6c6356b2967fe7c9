"""Answers to a waiting turn over HTTP: what is taken, what is refused, and that it is durable."""

from typing import Any

import pytest

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.domain.waiting import RESULT_LIMIT_BYTES
from common.storage import log
from common.storage.engine import Database
from common.storage.log import Fence
from tests.contract.api import worker
from tests.contract.api.client import Api, Json, Reply
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue

APPROVAL = EventType.TOOL_APPROVAL_REQUESTED


def waiting(
    api: Api,
    database: Database,
    *calls: str,
    kind: EventType = EventType.TOOL_CALL_REQUESTED,
) -> Json:
    """A session that waits for these calls."""
    session = api.session()
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    worker.let_wait(database, session["id"], *((each, "look_up") for each in calls), kind=kind)
    return session


def send(api: Api, session: Json, *results: Json, **options: Any) -> Reply:
    body = {"tool_results": list(results)}
    return api.post(f"/v1/sessions/{session['id']}/tool-results", body, **options)


def decide(api: Api, session: Json, *decisions: Json, **options: Any) -> Reply:
    body = {"decisions": list(decisions)}
    return api.post(f"/v1/sessions/{session['id']}/tool-approvals", body, **options)


def shown(api: Api, session: Json) -> Json:
    body: Json = api.get(f"/v1/sessions/{session['id']}").body
    return body


def new_events(api: Api, session: Json, after: EventType) -> list[Json]:
    """Events after the last of a type."""
    found: list[Json] = api.get(f"/v1/sessions/{session['id']}/events").body["data"]
    place = max(number for number, event in enumerate(found) if event["type"] == after)
    return found[place + 1 :]


def test_the_last_result_sets_the_turn_going(
    api: Api, database: Database, live: RecordingLive, queue: RecordingQueue
) -> None:
    session = waiting(api, database, "c1", "c2", "c3")
    turn_id = worker.open_turn_of(database, session["id"])
    queue.forget()
    live.forget()
    before = worker.head_of(database, session["id"]).epoch

    reply = send(api, session, {"tool_call_id": "c2", "result": {"t": [1, None]}})
    assert (reply.status, reply.body) == (
        200,
        {"accepted": 1, "status": "waitingfortoolresults"},
    )
    assert queue.sent == []
    assert worker.head_of(database, session["id"]).epoch == before
    reply = send(
        api,
        session,
        {"tool_call_id": "c1", "result": "plain"},
        {"tool_call_id": "c3", "error": "no", "result": None},
    )
    assert reply.body == {"accepted": 2, "status": "active"}
    assert queue.sent == [turn_id]
    assert worker.head_of(database, session["id"]).epoch == before + 1

    two, one, three = new_events(api, session, EventType.TOOL_CALL_REQUESTED)
    assert two["data"] == {
        "tool_call_id": "c2",
        "tool_name": "look_up",
        "success": True,
        "status": "success",
        "result": [{"type": "text", "text": '{"t":[1,null]}'}],
    }
    assert one["data"]["result"] == [{"type": "text", "text": "plain"}]
    assert (three["data"]["success"], three["data"]["status"], three["data"]["error"]) == (
        False,
        "error",
        "no",
    )
    assert one["context"]["turn_id"] == show_id(Kind.TURN, turn_id)
    assert one["context"]["exec_id"] == "exec_1"
    assert [len(events) for _, events in live.published] == [1, 2]
    messages = api.get(f"/v1/sessions/{session['id']}/messages").body["data"]
    assert [part["tool_call_id"] for part in (m["content"][0] for m in messages[2:])] == [
        "c1",
        "c2",
        "c3",
    ]
    assert messages[3]["content"][0]["result"] == {"t": [1, None]}


def test_null_is_a_result(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1")
    assert send(api, session, {"tool_call_id": "c1", "result": None}).status == 200
    (event,) = new_events(api, session, EventType.TOOL_CALL_REQUESTED)
    assert event["data"]["result"] == [{"type": "text", "text": "null"}]


def test_whoever_held_the_turn_can_write_no_more(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1")
    head = worker.head_of(database, session["id"])
    send(api, session, {"tool_call_id": "c1", "result": 1})
    with pytest.raises(LeaseLost), database.transaction() as tx:
        log.append(
            tx,
            head.session_id,
            [EventDraft(EventType.ACT_COMPLETED, {})],
            fence=Fence(head.epoch),
        )


@pytest.mark.parametrize(
    ("results", "status", "field"),
    [
        ([], 400, "tool_results"),
        (None, 400, "tool_results"),
        ("c1", 400, "tool_results"),
        ([1], 400, "tool_results[0]"),
        ([{"result": 1}], 400, "tool_results[0].tool_call_id"),
        ([{"tool_call_id": "", "result": 1}], 400, "tool_results[0].tool_call_id"),
        ([{"tool_call_id": 1, "result": 1}], 400, "tool_results[0].tool_call_id"),
        ([{"tool_call_id": "c1"}], 400, "tool_results[0].result"),
        ([{"tool_call_id": "c1", "error": None}], 400, "tool_results[0].result"),
        ([{"tool_call_id": "c1", "result": 1, "error": "x"}], 400, "tool_results[0].error"),
        ([{"tool_call_id": "c1", "error": {"a": 1}}], 400, "tool_results[0].error"),
        (
            [{"tool_call_id": "c1", "result": 1}, {"tool_call_id": "c1", "result": 2}],
            400,
            "tool_results[1].tool_call_id",
        ),
        (
            [{"tool_call_id": "c1", "result": 1}, {"tool_call_id": "zz", "result": 2}],
            400,
            "tool_results[1].tool_call_id",
        ),
        (
            [{"tool_call_id": "c1", "result": "x" * RESULT_LIMIT_BYTES}],
            422,
            "tool_results[0].result",
        ),
        (
            [{"tool_call_id": "c1", "error": "x" * RESULT_LIMIT_BYTES}],
            422,
            "tool_results[0].error",
        ),
    ],
)
def test_of_a_request_with_a_fault_nothing_is_stored(
    api: Api, database: Database, results: Any, status: int, field: str
) -> None:
    session = waiting(api, database, "c1", "c2")
    reply = api.post(f"/v1/sessions/{session['id']}/tool-results", {"tool_results": results})
    assert reply.status == status, reply.text
    assert field in [problem["field"] for problem in reply.body["errors"]]
    assert new_events(api, session, EventType.TOOL_CALL_REQUESTED) == []
    assert shown(api, session)["status"] == "waitingfortoolresults"


def test_a_result_of_just_the_limit_is_taken(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1")
    result = "x" * (RESULT_LIMIT_BYTES - 2)
    assert send(api, session, {"tool_call_id": "c1", "result": result}).status == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"{}", b'{"tool_results": "\\u0000"}'])
def test_a_body_that_is_none_is_refused(api: Api, database: Database, body: bytes) -> None:
    session = waiting(api, database, "c1")
    assert api.post(f"/v1/sessions/{session['id']}/tool-results", body).status == 400
    assert api.post(f"/v1/sessions/{session['id']}/tool-approvals", body).status == 400


def test_a_text_that_cannot_be_stored_is_refused(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1")
    body = b'{"tool_results": [{"tool_call_id": "c1", "result": {"a": "\\u0000"}}]}'
    assert api.post(f"/v1/sessions/{session['id']}/tool-results", body).status == 400


def test_a_call_has_one_result(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1", "c2")
    send(api, session, {"tool_call_id": "c1", "result": 1})
    again = send(api, session, {"tool_call_id": "c1", "result": 2})
    assert again.status == 400
    assert "answered already" in again.body["error"]
    send(api, session, {"tool_call_id": "c2", "result": 2})
    late = send(api, session, {"tool_call_id": "c2", "result": 3})
    assert late.status == 409
    assert len(new_events(api, session, EventType.TOOL_CALL_REQUESTED)) == 2


def test_a_session_that_does_not_wait_says_so(api: Api, database: Database) -> None:
    """The official client looks for these words, and tries again."""
    session = api.session()
    result = {"tool_call_id": "c1", "result": 1}
    said = {}
    said["started"] = send(api, session, result)
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    said["active"] = send(api, session, result)
    worker.finish_turn(database, session["id"])
    said["idle"] = send(api, session, result)
    for status, reply in said.items():
        assert reply.status == 409
        assert reply.body["code"] == "conflict"
        assert "not waiting for tool results" in reply.body["error"]
        assert status in reply.body["error"]
    reply = decide(api, session, {"tool_call_id": "c1", "decision": "allow"})
    assert reply.status == 409
    assert "not waiting for tool approvals; its status is idle" in reply.body["error"]


def test_what_is_waited_for_is_on_the_session(api: Api, database: Database) -> None:
    asked = waiting(api, database, "c1", "c2")
    guarded = waiting(api, database, "c3", kind=APPROVAL)
    idle = api.session()
    send(api, asked, {"tool_call_id": "c1", "result": 1})

    (pending,) = shown(api, asked)["pending_tool_calls"]
    assert set(pending) == {"tool_call_id", "name", "arguments", "requested_at", "deadline"}
    assert (pending["tool_call_id"], pending["name"]) == ("c2", "look_up")
    assert pending["arguments"] == {"q": "c2"}
    assert pending["requested_at"] < pending["deadline"]
    assert shown(api, asked)["pending_approvals"] == []
    assert [each["tool_call_id"] for each in shown(api, guarded)["pending_approvals"]] == ["c3"]
    listed = {each["id"]: each for each in api.get("/v1/sessions").body["data"]}
    for session in (asked, guarded, idle):
        assert listed[session["id"]] == shown(api, session)
    assert shown(api, idle)["pending_approvals"] == shown(api, idle)["pending_tool_calls"] == []
    assert api.get("/v1/sessions/stats").body["waiting_for_tool_results"] == 2


def test_the_same_request_twice_is_answered_twice_and_done_once(
    api: Api, database: Database, queue: RecordingQueue
) -> None:
    session = waiting(api, database, "c1", "c2")
    queue.forget()
    key = {"headers": {"Idempotency-Key": "k1"}}
    result = {"tool_call_id": "c1", "result": 1}
    first = send(api, session, result, **key)
    send(api, session, {"tool_call_id": "c2", "result": 1})
    assert send(api, session, result, **key).body == first.body
    assert first.body["status"] == "waitingfortoolresults"
    assert len(queue.sent) == 1
    other = send(api, session, {"tool_call_id": "c2", "result": 1}, **key)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")
    unused = {"headers": {"Idempotency-Key": "k2"}}
    assert send(api, session, result, **unused).status == 409
    assert send(api, session, result, **unused).status == 409, "a failure stores no key"


def test_a_newer_message_takes_the_place_of_results(
    api: Api, database: Database, live: RecordingLive, queue: RecordingQueue
) -> None:
    session = waiting(api, database, "c1", "c2")
    turn_id = worker.open_turn_of(database, session["id"])
    send(api, session, {"tool_call_id": "c1", "result": 1})
    queue.forget()
    live.forget()

    message = api.message(session["id"], "Never mind")

    said, overtaken = new_events(api, session, EventType.TOOL_CALL_REQUESTED)[1:]
    assert said["data"]["message"]["id"] == message["id"]
    assert overtaken["data"]["tool_call_id"] == "c2"
    assert overtaken["data"]["status"] == "cancelled"
    assert "newer user message" in overtaken["data"]["error"]
    assert queue.sent == [turn_id]
    assert len(live.published) == 1
    assert shown(api, session)["status"] == "active"
    assert send(api, session, {"tool_call_id": "c2", "result": 1}).status == 409


def test_cancel_gives_pending_calls_their_result(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1", "c2")
    send(api, session, {"tool_call_id": "c2", "result": 1})
    assert api.post(f"/v1/sessions/{session['id']}/cancel").body["status"] == "cancelled"
    found = new_events(api, session, EventType.TOOL_CALL_REQUESTED)
    assert [event["type"] for event in found] == [
        "tool.completed",
        "tool.completed",
        "turn.cancelled",
        "output.message.completed",
        "session.idled",
    ]
    assert (found[1]["data"]["tool_call_id"], found[1]["data"]["status"]) == ("c1", "cancelled")
    assert shown(api, session)["pending_tool_calls"] == []


def test_a_session_that_waits_can_be_deleted(api: Api, database: Database) -> None:
    session = waiting(api, database, "c1")
    assert api.delete(f"/v1/sessions/{session['id']}").status == 204
    assert send(api, session, {"tool_call_id": "c1", "result": 1}).status == 404


def test_decisions_are_kept_and_set_the_turn_going(
    api: Api, database: Database, queue: RecordingQueue
) -> None:
    session = waiting(api, database, "c1", "c2", kind=APPROVAL)
    turn_id = worker.open_turn_of(database, session["id"])
    queue.forget()
    reply = decide(api, session, {"tool_call_id": "c1", "decision": "reject", "reason": "no!"})
    assert reply.body == {"resolved": ["c1"], "status": "waitingfortoolresults"}
    assert [each["tool_call_id"] for each in shown(api, session)["pending_approvals"]] == ["c2"]
    reply = decide(api, session, {"tool_call_id": "c2", "decision": "allow_always"})
    assert reply.body == {"resolved": ["c2"], "status": "active"}
    assert queue.sent == [turn_id]

    rejected, result, allowed = new_events(api, session, APPROVAL)
    assert rejected["type"] == allowed["type"] == "tool.approval_resolved"
    assert rejected["data"]["decision"] == "reject"
    assert rejected["data"]["reason"] == "no!"
    assert rejected["data"]["by"]
    assert result["type"] == "tool.completed"
    assert (result["data"]["success"], result["data"]["status"]) == (False, "error")
    assert "no!" in result["data"]["error"]
    assert allowed["data"]["decision"] == "allow_always"
    assert "reason" not in allowed["data"]


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        None,
        [{"tool_call_id": "c1"}],
        [{"decision": "allow"}],
        [{"tool_call_id": "c1", "decision": "perhaps"}],
        [{"tool_call_id": "c1", "decision": 1}],
        [{"tool_call_id": "c1", "decision": "allow", "reason": "x" * 3000}],
        [{"tool_call_id": "c1", "decision": "allow"}] * 2,
        [{"tool_call_id": "c1", "decision": "allow"}, {"tool_call_id": "z", "decision": "allow"}],
    ],
)
def test_decisions_with_a_fault_are_refused_whole(
    api: Api, database: Database, decisions: Any
) -> None:
    session = waiting(api, database, "c1", kind=APPROVAL)
    reply = api.post(f"/v1/sessions/{session['id']}/tool-approvals", {"decisions": decisions})
    assert reply.status == 400, reply.text
    assert new_events(api, session, APPROVAL) == []


def test_results_are_no_decisions(api: Api, database: Database) -> None:
    asked = waiting(api, database, "c1")
    guarded = waiting(api, database, "c1", kind=APPROVAL)
    assert decide(api, asked, {"tool_call_id": "c1", "decision": "allow"}).status == 409
    reply = send(api, guarded, {"tool_call_id": "c1", "result": 1})
    assert reply.status == 409
    assert "not waiting for tool results" in reply.body["error"]
    assert shown(api, guarded)["pending_approvals"]


def test_waiting_sessions_are_their_organization_s(
    api: Api, stranger: Api, database: Database
) -> None:
    asked = waiting(api, database, "c1")
    guarded = waiting(api, database, "c1", kind=APPROVAL)
    assert send(stranger, asked, {"tool_call_id": "c1", "result": 1}).status == 404
    assert decide(stranger, guarded, {"tool_call_id": "c1", "decision": "allow"}).status == 404
    assert api.post("/v1/sessions/nonsense/tool-results", {}).status == 400
    assert new_events(api, asked, EventType.TOOL_CALL_REQUESTED) == []
    assert new_events(api, guarded, APPROVAL) == []


def test_the_agent_s_spelling_of_the_routes_works_too(api: Api, database: Database) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    worker.let_wait(database, session["id"], ("c1", "look_up"))
    path = f"/v1/agents/{agent['id']}/sessions/{session['id']}/tool-results"
    reply = api.post(path, {"tool_results": [{"tool_call_id": "c1", "result": 1}]})
    assert (reply.status, reply.body["status"]) == (200, "active")

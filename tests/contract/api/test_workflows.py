"""Turns as workflows and tasks, and dead letters, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from common.domain.events import EventDraft, EventType
from common.domain.ids import ANONYMOUS_PRINCIPAL, Kind, show_id
from common.domain.turn import SessionStatus, TurnStatus
from common.storage import log, turns
from common.storage.engine import Database
from common.storage.log import HeadChange
from tests.contract.api import worker
from tests.contract.api.client import Api, Json
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue


def posted(api: Api) -> Json:
    session = api.session()
    api.message(session["id"])
    return session


def workflow_of(database: Database, session: Json) -> str:
    return show_id(Kind.TURN, worker.open_turn_of(database, session["id"]))


def dead(api: Api, database: Database) -> tuple[Json, UUID]:
    """A session whose turn was sealed, and that turn."""
    session = posted(api)
    return session, worker.seal(database, session["id"])


def test_turns_are_workflows_newest_first(api: Api, database: Database) -> None:
    first, second = posted(api), posted(api)
    worker.start_turn(database, first["id"])
    found = api.get("/v1/durable/workflows").body
    assert found["total"] == 2
    assert [each["status"] for each in found["data"]] == ["pending", "running"]
    assert found["data"][0]["id"] == workflow_of(database, second)
    assert found["data"][0]["input"] == {"session_id": second["id"], "input_sequence": 2}
    assert found["data"][1]["started_at"] is not None
    one = found["data"][1]
    assert api.get(f"/v1/durable/workflows/{one['id']}").body == one
    assert api.get("/v1/durable/workflows?status=running").body["data"] == [one]
    assert api.get("/v1/durable/workflows?status=running&limit=1").body["total"] == 1
    assert api.get("/v1/durable/workflows?offset=1").body["data"] == [one]
    assert api.get("/v1/durable/workflows?workflow_type=turn").body["total"] == 2
    assert api.get("/v1/durable/workflows?workflow_type=x").body["total"] == 0
    assert api.get("/v1/durable/workflows?status=sealed").status == 400


def test_each_workflow_has_one_task(api: Api, database: Database) -> None:
    session = posted(api)
    turn_id = worker.start_turn(database, session["id"])
    (task,) = api.get("/v1/durable/tasks").body["data"]
    assert task["id"] == show_id(Kind.TASK, turn_id)
    assert task["workflow_id"] == show_id(Kind.TURN, turn_id)
    assert (task["activity_type"], task["status"]) == ("run_turn", "claimed")
    assert (task["attempt"], task["max_attempts"], task["claimed_by"]) == (1, 4, "test")
    query = f"?workflow_id={task['workflow_id']}&status=claimed&activity_type=run_turn"
    assert api.get(f"/v1/durable/tasks{query}").body["total"] == 1
    assert api.get("/v1/durable/tasks?status=dead").body["total"] == 0
    assert api.get("/v1/durable/tasks?activity_type=other").body["data"] == []


def test_a_failed_workflow_says_why(api: Api, database: Database) -> None:
    session = posted(api)
    turn_id = worker.start_turn(database, session["id"])
    failure = {"error_code": "llm_error", "error_fields": {"reason": "provider_unavailable"}}
    worker.write(
        database,
        session["id"],
        EventDraft(EventType.TURN_FAILED, failure),
        change=HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None),
    )
    with database.transaction() as tx:
        turns.end(tx, turn_id, TurnStatus.FAILED)
    found = api.get(f"/v1/durable/workflows/{show_id(Kind.TURN, turn_id)}").body
    assert (found["status"], found["error"]) == ("failed", "provider_unavailable")
    assert found["completed_at"] is not None


def test_a_workflow_s_events_are_its_turn_s(api: Api, database: Database) -> None:
    session = posted(api)
    turn_id = worker.start_turn(database, session["id"])
    worker.write(database, session["id"], *[worker.answer(f"text {n}") for n in range(3)])
    shown = show_id(Kind.TURN, turn_id)
    events = api.get(f"/v1/durable/workflows/{shown}/events").body["data"]
    assert [each["sequence_num"] for each in events] == [3, 4, 5, 6]
    logged = api.get(f"/v1/sessions/{session['id']}/events").body["data"]
    assert [(each["id"], each["event_data"]) for each in events] == [
        (each["id"], each["data"]) for each in logged[2:]
    ]
    assert {each["workflow_id"] for each in events} == {shown}
    rest = api.get(f"/v1/durable/workflows/{shown}/events?after_sequence=4&limit=1").body["data"]
    assert rest == events[2:3]


def test_the_stream_of_a_workflow_is_served_elsewhere(api: Api, database: Database) -> None:
    shown = workflow_of(database, posted(api))
    assert api.get(f"/v1/durable/workflows/{shown}/sse").status == 421


def test_a_workflow_is_cancelled_once(api: Api, database: Database, live: RecordingLive) -> None:
    session = posted(api)
    shown = workflow_of(database, session)
    reply = api.post(f"/v1/durable/workflows/{shown}/cancel")
    assert reply.body["status"] == "cancelled"
    assert len(live.cancelled) == 1
    api.message(session["id"], "again")
    assert api.post(f"/v1/durable/workflows/{shown}/cancel").body["status"] == "no_op"
    assert workflow_of(database, session) != shown
    assert api.get(f"/v1/durable/workflows/{shown}").body["status"] == "cancelled"


def test_a_dead_letter_is_found_with_its_history(api: Api, database: Database) -> None:
    session, turn_id = dead(api, database)
    found = api.get("/v1/durable/dlq").body
    (entry,) = found["data"]
    assert found["total"] == 1
    assert entry["id"] == show_id(Kind.DEAD_LETTER, turn_id)
    assert entry["original_task_id"] == show_id(Kind.TASK, turn_id)
    assert entry["input"] == {"session_id": session["id"], "input_sequence": 2}
    assert (entry["attempts"], entry["retry"]) == (2, None)
    assert entry["last_error"] == "KeyError at worker.x:3"
    (loss,) = entry["error_history"]
    assert (loss["error"], loss["worker_id"]) == ("KeyError", f"worker_{1:032x}")
    assert api.get(f"/v1/durable/dlq/{entry['id']}").body == entry
    assert api.get(f"/v1/durable/dlq?workflow_id={entry['workflow_id']}").body["total"] == 1
    other = show_id(Kind.TURN, UUID(int=5))
    assert api.get(f"/v1/durable/dlq?workflow_id={other}").body["total"] == 0
    assert api.get("/v1/durable/tasks?status=dead").body["total"] == 1


def test_a_dead_letter_is_tried_again_once(
    api: Api, database: Database, queue: RecordingQueue
) -> None:
    session, turn_id = dead(api, database)
    address = f"/v1/durable/dlq/{show_id(Kind.DEAD_LETTER, turn_id)}"
    reply = api.post(f"{address}/retry")
    assert reply.status == 201
    again = worker.open_turn_of(database, session["id"])
    assert reply.body == {
        "task_id": show_id(Kind.TASK, again),
        "workflow_id": show_id(Kind.TURN, again),
    }
    assert queue.sent[-1] == again
    tried = api.get(address).body["retry"]
    assert tried["task_id"] == reply.body["task_id"]
    assert tried["retried_by"] == str(ANONYMOUS_PRINCIPAL)
    assert api.get("/v1/durable/dlq").body["total"] == 0
    refused = api.post(f"{address}/retry")
    assert refused.status == 409
    assert reply.body["workflow_id"] in refused.body["message"]
    api.post(f"/v1/sessions/{session['id']}/cancel")
    assert api.post(f"{address}/retry").status == 409
    (workflow, _) = api.get("/v1/durable/workflows").body["data"]
    assert workflow["input"]["input_sequence"] == 2


def test_a_retry_with_a_key_is_answered_from_the_first(
    api: Api, database: Database, queue: RecordingQueue
) -> None:
    _, turn_id = dead(api, database)
    address = f"/v1/durable/dlq/{show_id(Kind.DEAD_LETTER, turn_id)}/retry"
    keyed = api.with_headers(Idempotency_Key="k")
    first = keyed.post(address)
    queue.forget()
    second = keyed.post(address)
    assert (second.status, second.body) == (first.status, first.body) == (201, first.body)


def test_retries_at_once_open_one_turn(api: Api, database: Database) -> None:
    session, turn_id = dead(api, database)
    address = f"/v1/durable/dlq/{show_id(Kind.DEAD_LETTER, turn_id)}/retry"
    with ThreadPoolExecutor(6) as threads:
        replies = [threads.submit(api.post, address) for _ in range(6)]
        statuses = sorted(reply.result().status for reply in replies)
    assert statuses == [201, 409, 409, 409, 409, 409]
    assert worker.open_turn_of(database, session["id"]) != turn_id


@pytest.mark.parametrize("is_over", [False, True])
def test_no_retry_while_the_session_goes_on_without_it(
    api: Api, database: Database, *, is_over: bool
) -> None:
    session, turn_id = dead(api, database)
    api.message(session["id"], "something else")
    if is_over:
        api.post(f"/v1/sessions/{session['id']}/cancel")
    reply = api.post(f"/v1/durable/dlq/{show_id(Kind.DEAD_LETTER, turn_id)}/retry")
    assert reply.status == 409
    assert ("newer message" in reply.body["message"]) is is_over
    assert api.get("/v1/durable/dlq").body["total"] == 1


def test_of_a_deleted_session_nothing_is_shown(api: Api, database: Database) -> None:
    session, turn_id = dead(api, database)
    api.delete(f"/v1/sessions/{session['id']}")
    assert api.get("/v1/durable/dlq").body["total"] == 0
    assert api.get("/v1/durable/workflows").body["total"] == 0
    entry = show_id(Kind.DEAD_LETTER, turn_id)
    assert api.get(f"/v1/durable/dlq/{entry}").status == 404
    assert api.post(f"/v1/durable/dlq/{entry}/retry").status == 404


def test_what_is_no_dead_letter_cannot_be_tried_again(api: Api, database: Database) -> None:
    turn_id = worker.open_turn_of(database, posted(api)["id"])
    entry = show_id(Kind.DEAD_LETTER, turn_id)
    assert api.get(f"/v1/durable/dlq/{entry}").status == 404
    assert api.post(f"/v1/durable/dlq/{entry}/retry").status == 404
    with database.reading() as tx:
        head = log.look(tx, turn_id)
    assert head is None


def test_others_turns_are_in_no_list(api: Api, stranger: Api, database: Database) -> None:
    dead(api, database)
    for name in ("workflows", "tasks", "dlq"):
        assert stranger.get(f"/v1/durable/{name}").body["total"] == 0

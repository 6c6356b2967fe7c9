"""Cancelling: durable, the same in every state, without any worker's help (I7)."""

import pytest

from common.domain.errors import LeaseLost
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.storage import log
from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Json
from tests.fakes.live import RecordingLive


def cancel(api: Api, session: Json) -> Json:
    reply = api.post(f"/v1/sessions/{session['id']}/cancel", {})
    assert reply.status == 200
    body: Json = reply.body
    return body


def events_of(api: Api, session: Json) -> list[Json]:
    found: list[Json] = api.get(f"/v1/sessions/{session['id']}/events").body["data"]
    return found


def test_an_idle_session_has_nothing_to_cancel(api: Api, live: RecordingLive) -> None:
    session = api.session()

    assert cancel(api, session) == {"status": "no_op", "message": "Nothing to cancel"}
    assert len(events_of(api, session)) == 1
    assert live.cancelled == []


def test_a_queued_turn_is_cancelled_before_any_worker_has_it(
    api: Api, live: RecordingLive, database: Database
) -> None:
    session = api.session()
    message = api.message(session["id"])
    turn_id = worker.open_turn_of(database, session["id"])

    answer = cancel(api, session)

    assert answer == {"status": "cancelled", "message": "Turn cancelled"}
    cancelled, notice, idled = events_of(api, session)[2:]
    context = {"turn_id": show_id(Kind.TURN, turn_id), "input_message_id": message["id"]}
    assert cancelled["type"] == "turn.cancelled"
    assert cancelled["data"]["turn_id"] == context["turn_id"]
    assert cancelled["data"]["reason"]
    assert notice["type"] == "output.message.completed"
    assert notice["data"]["metadata"] is None
    assert notice["data"]["message"]["role"] == "agent"
    assert notice["data"]["message"]["created_at"] == notice["ts"]
    assert idled["type"] == "session.idled"
    assert idled["data"]["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert [event["context"] for event in (cancelled, notice, idled)] == [context] * 3
    assert live.cancelled == [turn_id]
    assert [event.type for event in live.published[-1][1]] == [
        event["type"] for event in (cancelled, notice, idled)
    ]
    assert cancel(api, session)["status"] == "no_op"
    assert len(events_of(api, session)) == 5


def test_unfinished_calls_get_a_cancelled_result_each(api: Api, database: Database) -> None:
    session = api.session()
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    calls = (("c1", "add"), ("c2", "add"), ("c3", "add"))
    worker.write(database, session["id"], worker.answer("", *calls))
    worker.write(database, session["id"], worker.tool_result("c2", "5"))
    started = {"tool_call": {"id": "c1", "name": "add", "arguments": {}}, "may_repeat": True}
    worker.write(database, session["id"], EventDraft(EventType.TOOL_STARTED, started))

    cancel(api, session)

    events = events_of(api, session)
    ended = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert [(data["tool_call_id"], data["status"]) for data in ended] == [
        ("c2", "success"),
        ("c1", "cancelled"),
        ("c3", "cancelled"),
    ]
    assert all(data["error"] and not data["success"] for data in ended[1:])
    tail = [event["type"] for event in events[-3:]]
    assert tail == ["turn.cancelled", "output.message.completed", "session.idled"]
    listed = api.get(f"/v1/sessions/{session['id']}/messages").body
    results = [m["content"][0]["tool_call_id"] for m in listed["data"] if m["role"] == "tool"]
    assert results == ["c1", "c2", "c3"]
    assert api.get(f"/v1/sessions/{session['id']}").body["status"] == "idle"


def test_the_worker_that_had_the_turn_can_write_nothing_more(api: Api, database: Database) -> None:
    session = api.session()
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    held = worker.head_of(database, session["id"])

    cancel(api, session)

    with pytest.raises(LeaseLost), database.transaction() as tx:
        log.append(tx, held.session_id, [worker.answer("late")], fence=log.Fence(held.epoch))


def test_messages_that_steered_are_covered_and_a_new_one_opens_a_turn(
    api: Api, database: Database
) -> None:
    session = api.session()
    api.message(session["id"], "one")
    first = worker.start_turn(database, session["id"])
    api.message(session["id"], "two")

    cancel(api, session)
    api.message(session["id"], "three")

    assert worker.open_turn_of(database, session["id"]) != first
    types = [event["type"] for event in events_of(api, session)]
    assert types.count("turn.cancelled") == 1
    assert types[-1] == "input.message"


def test_cancelling_needs_a_session_of_ones_own(api: Api, stranger: Api) -> None:
    session = api.session()

    assert stranger.post(f"/v1/sessions/{session['id']}/cancel", {}).status == 404
    assert api.post("/v1/sessions/session_" + "0" * 32 + "/cancel").status == 404


@pytest.mark.parametrize("body", [None, {}, {"reason": "x"}, b"null"])
def test_the_body_does_not_matter(api: Api, body: object) -> None:
    session = api.session()

    assert api.post(f"/v1/sessions/{session['id']}/cancel", body).status == 200

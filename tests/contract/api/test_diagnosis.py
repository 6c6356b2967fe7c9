"""Why does this session not go on?  Asked of real rows in every state."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.deps import Deps
from common.clock import new_id
from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, show_id
from common.domain.turn import SessionStatus, TurnStatus
from common.domain.worker import WorkerReport, WorkerStatus
from common.storage import log, turns, workers
from common.storage.engine import Database
from common.storage.log import HeadChange
from tests.contract.api import worker
from tests.contract.api.client import Api, Json


def diagnose(api: Api, session: Json) -> Json:
    reply = api.get(f"/v1/sessions/{session['id']}/diagnosis")
    assert reply.status == 200, reply.text
    body: Json = reply.body
    return body


def run(database: Database, statement: str, **values: Any) -> None:
    with database.transaction() as tx:
        tx.execute(text(statement), values)


@pytest.fixture
def a_worker(database: Database) -> Iterator[UUID]:
    """A live worker with room; the table is all tests' in this folder."""
    run(database, "DELETE FROM workers")
    worker_id = new_id()
    beat(database, worker_id)
    yield worker_id
    run(database, "DELETE FROM workers")


def beat(database: Database, worker_id: UUID, **fields: Any) -> None:
    known = {"status": WorkerStatus.ACTIVE, "load": 0, **fields}
    with database.transaction() as tx:
        workers.beat(
            tx,
            WorkerReport(id=worker_id, hostname="node-7", pid=42, version="1", capacity=2, **known),
        )


def begun(api: Api, database: Database, *, owner: str = "somebody") -> Json:
    """A session whose turn was claimed by `owner` and has begun to reason."""
    session = api.session()
    api.message(session["id"])
    turn_id = worker.open_turn_of(database, session["id"])
    with database.transaction() as tx:
        assert turns.claim(tx, turn_id, owner=owner, lease_seconds=60) is not None
    started = EventDraft(EventType.TURN_STARTED, {"config_hash": "none"})
    reasons = EventDraft(EventType.REASON_STARTED, {"metadata": {"model": "gpt-x"}})
    worker.write(
        database,
        session["id"],
        started,
        reasons,
        change=HeadChange(status=SessionStatus.ACTIVE),
    )
    return session


def test_nothing_to_do(api: Api) -> None:
    found = diagnose(api, api.session())
    assert (found["code"], found["is_stuck"], found["suggestions"]) == ("idle", False, [])


def test_no_live_worker(api: Api, database: Database) -> None:
    run(database, "DELETE FROM workers")
    session = api.session()
    api.message(session["id"])
    found = diagnose(api, session)
    assert (found["code"], found["is_stuck"]) == ("no_live_worker", True)
    turn_id = worker.open_turn_of(database, session["id"])
    assert found["evidence"]["turn_id"] == show_id(Kind.TURN, turn_id)


def test_queued_with_a_worker_that_will_take_it(api: Api, a_worker: UUID) -> None:  # noqa: ARG001
    session = api.session()
    api.message(session["id"])
    found = diagnose(api, session)
    assert (found["code"], found["is_stuck"]) == ("queued", False)
    assert found["evidence"]["workers"]["accepting"] == 1


def test_all_workers_full_or_draining(api: Api, database: Database, a_worker: UUID) -> None:
    session = api.session()
    api.message(session["id"])
    beat(database, a_worker, load=2)
    assert diagnose(api, session)["code"] == "workers_full"
    with database.transaction() as tx:
        workers.want(tx, a_worker, WorkerStatus.DRAINING)
    assert diagnose(api, session)["code"] == "workers_draining"
    beat(database, a_worker, status=WorkerStatus.STOPPED)
    assert diagnose(api, session)["code"] == "no_live_worker"


def test_running_on_a_worker_in_a_model_call(api: Api, database: Database, a_worker: UUID) -> None:
    found = diagnose(api, begun(api, database, owner=show_id(Kind.WORKER, a_worker)))
    assert found["code"] == "running"
    assert "(node-7, process 42)" in found["message"]
    assert "model gpt-x" in found["message"]
    assert found["evidence"]["step"]["kind"] == "model"


def test_running_tools(api: Api, database: Database) -> None:
    session = begun(api, database)
    calls = (("c1", "look_up"), ("c2", "look_up"))
    ended = EventDraft(EventType.REASON_COMPLETED, {"success": True})
    acts = EventDraft(EventType.ACT_STARTED, {"tool_calls": []})
    began = [
        EventDraft(
            EventType.TOOL_STARTED,
            {"tool_call": {"id": call, "name": name, "arguments": {"secret": "x"}}},
        )
        for call, name in calls
    ]
    result = worker.tool_result("c1", "5")
    worker.write(database, session["id"], worker.answer("", *calls), ended, acts, *began, result)
    found = diagnose(api, session)
    assert "it runs tool look_up (c2) for" in found["message"]
    assert "secret" not in str(found)


def test_the_provider_is_named_from_the_pinned_configuration(
    api: Api, database: Database, organization: UUID
) -> None:
    provider = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"}).body
    session = begun(api, database)
    config = (
        '{"model": {"name": "other", "provider_id": ""}, "fallbacks":'
        f' [{{"name": "gpt-x", "provider_id": "{provider["id"]}"}}]}}'
    )
    run(
        database,
        "INSERT INTO turn_configs (organization_id, hash, config)"
        " VALUES (:o, 'none', CAST(:config AS jsonb))",
        o=organization,
        config=config,
    )
    found = diagnose(api, session)
    assert "waited for provider Mine (model gpt-x)" in found["message"]
    assert found["evidence"]["breaker"]["state"] == "closed"


def test_a_worker_that_was_lost_before_and_after_the_turn_is_taken_back(
    api: Api, database: Database, a_worker: UUID
) -> None:
    session = begun(api, database, owner=show_id(Kind.WORKER, a_worker))
    run(database, "UPDATE workers SET last_heartbeat_at = now() - interval '16 s'")
    run(
        database,
        "UPDATE turns SET lease_until = now() - interval '1 s' WHERE session_id = :s",
        s=UUID(session["id"].removeprefix("session_")),
    )
    before = diagnose(api, session)
    assert before["code"] == "worker_lost"
    assert "was lost at 2" in before["message"]

    with database.transaction() as tx:
        turns.requeue_expired(tx, limit=1000)
    beat(database, a_worker)
    after = diagnose(api, session)
    assert after["code"] == "worker_lost"
    assert show_id(Kind.WORKER, a_worker) in after["message"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (EventType.TOOL_CALL_REQUESTED, "waiting_for_tool_results"),
        (EventType.TOOL_APPROVAL_REQUESTED, "waiting_for_approval"),
    ],
)
def test_waiting_for_a_call(api: Api, database: Database, kind: EventType, code: str) -> None:
    session = api.session()
    api.message(session["id"])
    worker.start_turn(database, session["id"])
    worker.let_wait(database, session["id"], ("c1", "pay"), kind=kind)
    found = diagnose(api, session)
    assert found["code"] == code
    assert "pay (c1) until 2" in found["message"]
    assert session["id"] in found["suggestions"][0]


def test_a_failed_turn_whose_breaker_is_open(
    api: Api, deps: Deps, database: Database, organization: UUID
) -> None:
    provider = api.post("/v1/providers", {"name": "Mine", "provider_type": "openai"}).body
    session = begun(api, database)
    run(
        database,
        "INSERT INTO turn_configs (organization_id, hash, config) VALUES (:o, 'none',"
        " jsonb_build_object('model', jsonb_build_object('name', 'gpt-x', 'provider_id',"
        " CAST(:provider AS text)), 'fallbacks', CAST('[]' AS jsonb)))",
        o=organization,
        provider=provider["id"],
    )
    failure = {"error_code": "llm_error", "error_fields": {"reason": "provider_unavailable"}}
    end(api, database, session, EventDraft(EventType.TURN_FAILED, failure), TurnStatus.FAILED)
    assert diagnose(api, session)["code"] == "turn_failed"
    deps.examiner.breakers.open(provider["id"])
    found = diagnose(api, session)
    assert found["code"] == "breaker_open"
    assert "provider Mine is open until" in found["message"]


def test_a_dead_letter(api: Api, database: Database) -> None:
    session = begun(api, database)
    turn_id = worker.open_turn_of(database, session["id"])
    with database.transaction() as tx:
        turns.note_crash(tx, turn_id, epoch=1, error="KeyError", place="worker.x:3")
    sealed = EventDraft(EventType.TURN_SEALED, {"reason": "no_progress"})
    end(api, database, session, sealed, TurnStatus.SEALED)
    found = diagnose(api, session)
    assert found["code"] == "dead_letter"
    assert "KeyError at worker.x:3" in found["message"]
    assert found["evidence"]["dead_letter_id"] == show_id(Kind.DEAD_LETTER, turn_id)


def test_a_deleted_session_says_when(api: Api) -> None:
    session = api.session()
    api.delete(f"/v1/sessions/{session['id']}")
    reply = api.get(f"/v1/sessions/{session['id']}/diagnosis")
    assert reply.status == 404
    assert "was deleted at 2" in reply.body["message"]


def end(api: Api, database: Database, session: Json, draft: EventDraft, status: TurnStatus) -> None:
    """End the open turn with this event."""
    head = worker.head_of(database, session["id"])
    assert head.open_turn_id is not None
    context = {"turn_id": show_id(Kind.TURN, head.open_turn_id)}
    change = HeadChange(status=SessionStatus.IDLE, sets_open_turn=True, open_turn=None)
    with database.transaction() as tx:
        log.append(
            tx,
            head.session_id,
            [EventDraft(draft.type, draft.data, context)],
            fence=log.Fence(head.epoch),
            change=change,
        )
        turns.end(tx, head.open_turn_id, status)
    assert api.get(f"/v1/sessions/{session['id']}").body["status"] == "idle"

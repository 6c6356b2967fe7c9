"""Idempotency-Key: a repeat has the first one's answer and no second effect (design 3)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from common.storage.engine import Database
from tests.contract.api import worker
from tests.contract.api.client import Api, Json, Reply, saying
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue


def keyed(api: Api, key: str = "key-1") -> Api:
    return api.with_headers(Idempotency_Key=key)


def keys_stored(database: Database, api: Api) -> int:
    organization = api.headers["X-Org-Id"].removeprefix("org_")
    with database.reading() as tx:
        counted = tx.execute(
            text("SELECT count(*) FROM idempotency_keys WHERE organization_id = CAST(:id AS uuid)"),
            {"id": organization},
        )
        number: int = counted.scalar_one()
        return number


def test_a_repeated_message_is_stored_once(
    api: Api, queue: RecordingQueue, live: RecordingLive
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"

    first = keyed(api).post(path, saying("Hello"))
    again = keyed(api).post(f"/api{path}", saying("Hello"))

    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert api.get(path).body["total"] == 1
    assert len(queue.sent) == 1
    assert len(live.published) == 2
    other = keyed(api, "key-2").post(path, saying("Hello"))
    assert other.body["id"] != first.body["id"]


def test_keys_are_bound_to_their_session_and_organization(api: Api, stranger: Api) -> None:
    for caller in (api, api, stranger):
        session = caller.session()
        sent = keyed(caller).post(f"/v1/sessions/{session['id']}/messages", saying("Hello"))
        assert sent.status == 201
        assert sent.body["session_id"] == session["id"]


def creations(api: Api) -> dict[str, Callable[[Api], Reply]]:
    agent = api.agent(name="Source")
    session = api.session()
    api.message(session["id"])
    return {
        "message": lambda caller: caller.post(
            f"/v1/sessions/{session['id']}/messages", saying("again")
        ),
        "session": lambda caller: caller.post("/v1/sessions", {"title": "x"}),
        "agent": lambda caller: caller.post("/v1/agents", {"name": "New", "system_prompt": "x"}),
        "upsert": lambda caller: caller.post("/v1/agents", {"name": "Source", "system_prompt": ""}),
        "copy": lambda caller: caller.post(f"/v1/agents/{agent['id']}/copy", {}),
        "import": lambda caller: caller.send(
            "POST", "/v1/agents/import", data=b"Be brief.", content_type="text/plain"
        ),
        "cancel": lambda caller: caller.post(f"/v1/sessions/{session['id']}/cancel", {}),
        "nested": lambda caller: caller.post(f"/v1/agents/{agent['id']}/sessions", {}),
    }


@pytest.mark.parametrize(
    "name", ["message", "session", "agent", "upsert", "copy", "import", "cancel", "nested"]
)
def test_every_post_answers_a_repeat_as_it_did_the_first(
    api: Api, database: Database, name: str
) -> None:
    act = creations(api)[name]

    first, again = act(keyed(api)), act(keyed(api))

    assert first.status in (200, 201)
    assert (again.status, again.body) == (first.status, first.body)
    assert keys_stored(database, api) == 1


def test_a_repeated_deletion_of_an_agent_is_answered_as_the_first(api: Api) -> None:
    agent = api.agent()
    api.delete(f"/v1/agents/{agent['id']}")
    path = f"/v1/agents/{agent['id']}/delete"

    assert keyed(api).post(path).status == 204
    assert keyed(api).post(path).status == 204
    assert api.post(path).status == 404


def test_a_cancel_that_found_nothing_says_so_again(api: Api, database: Database) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/cancel"
    assert keyed(api).post(path).body["status"] == "no_op"
    api.message(session["id"])

    assert keyed(api).post(path).body["status"] == "no_op"
    assert worker.head_of(database, session["id"]).open_turn_id is not None


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("/v1/sessions", {"title": "a"}, {"title": "b"}),
        ("/v1/agents", {"name": "a", "system_prompt": "x"}, {"name": "b", "system_prompt": "x"}),
    ],
)
def test_a_key_with_another_body_is_refused(api: Api, path: str, one: Json, other: Json) -> None:
    assert keyed(api).post(path, one).status == 201

    refused = keyed(api).post(path, other)

    assert (refused.status, refused.body["code"]) == (422, "idempotency_key_reused")
    assert api.get(path).body["total"] == 1


def test_a_message_key_with_another_body_is_refused(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    keyed(api).post(path, saying("one"))

    assert keyed(api).post(path, saying("two")).status == 422
    assert api.get(path).body["total"] == 1


def test_a_failure_stores_no_key(api: Api, database: Database) -> None:
    missing = "/v1/sessions/session_" + "0" * 32

    assert keyed(api).post("/v1/agents", {"name": "x"}).status == 400
    assert keyed(api).post("/v1/sessions", {"agent_name": "x"}).status == 404
    assert keyed(api).post(f"{missing}/messages", saying("x")).status == 404
    assert keyed(api).post(f"{missing}/cancel").status == 404
    assert keyed(api).post("/v1/images").status == 400
    assert keyed(api).post("/v1/budgets").status == 501
    assert keys_stored(database, api) == 0
    api.agent(name="x")
    assert keyed(api).post("/v1/sessions", {"agent_name": "x"}).status == 201


def test_the_chat_session_is_opened_again_with_the_same_body_alone(api: Api) -> None:
    first = keyed(api).post("/v1/sessions/chat", {"locale": "en"})
    assert first.status == 200
    assert keyed(api).post("/v1/sessions/chat", {"locale": "en"}).body["id"] == first.body["id"]
    other = keyed(api).post("/v1/sessions/chat", {"locale": "de"})
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "tab\t"])
def test_a_key_of_another_form_is_refused(api: Api, key: str) -> None:
    assert keyed(api, key).post("/v1/sessions", {}).status == 400
    assert api.get("/v1/sessions").body["total"] == 0


def test_only_posts_look_at_the_key(api: Api) -> None:
    assert keyed(api, "a b").get("/v1/sessions").status == 200


def test_repeats_of_a_deleted_session_find_nothing(api: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"
    keyed(api).post(f"{path}/messages", saying("x"))
    keyed(api, "c").post(f"{path}/cancel")
    keyed(api, "s").post("/v1/sessions", {"title": "gone"})
    api.delete(path)

    assert keyed(api).post(f"{path}/messages", saying("x")).status == 404
    assert keyed(api, "c").post(f"{path}/cancel").status == 404


def test_concurrent_repeats_have_one_effect_and_one_answer(api: Api, queue: RecordingQueue) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    answers = at_once(lambda: keyed(api).post(path, saying("Hello")), times=8)

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert api.get(path).body["total"] == 1
    assert len(queue.sent) == 1


def test_concurrent_messages_open_one_turn_and_lose_nothing(
    api: Api, queue: RecordingQueue
) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}"
    at_once(lambda: api.post(f"{path}/messages", saying("Hello")), times=12)

    events = api.get(f"{path}/events").body["data"]
    assert [event["sequence"] for event in events] == list(range(1, 14))
    assert len(queue.sent) == 1


def test_concurrent_creations_of_one_name_make_one_agent(api: Api) -> None:
    body = {"name": "Assistant", "system_prompt": "x"}
    answers = at_once(lambda: api.post("/v1/agents", body), times=8)

    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1


def at_once(act: Callable[[], Reply], *, times: int) -> list[Reply]:
    answers: list[Any] = []
    barrier = threading.Barrier(times)

    def run() -> None:
        barrier.wait()
        answers.append(act())

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == times
    return answers

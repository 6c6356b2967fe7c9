"""Forks of sessions: the same past, a future of their own.  And the chat session."""

from typing import Any

from sqlalchemy import text

from common.domain.events import EventDraft, EventType
from common.domain.ids import Kind, parse_id
from common.storage import log
from common.storage.engine import Database
from common.storage.log import Fence
from tests.contract.api.client import Api
from tests.contract.api.worker import answer, finish_turn, head_of, start_turn, tool_result, write

Json = dict[str, Any]


def spoken(api: Api, database: Database, session_id: str, question: str) -> None:
    """A whole turn: a question, a tool call, an answer."""
    api.message(session_id, question)
    start_turn(database, session_id)
    write(database, session_id, answer("", (f"call-{question}", "look_up")))
    write(database, session_id, tool_result(f"call-{question}", "42"))
    write(database, session_id, answer(f"about {question}"))
    finish_turn(database, session_id)


def told(api: Api, session_id: str) -> list[Json]:
    events: list[Json] = api.get(f"/v1/sessions/{session_id}/events?after_sequence=0").body["data"]
    return events


def test_a_fork_has_the_past_and_the_configuration(api: Api, database: Database) -> None:
    agent = api.agent()
    session = api.session(
        agent_id=agent["id"], title="Plan", tags=["a"], system_prompt="Be kind", max_iterations=7
    )
    spoken(api, database, session["id"], "one")
    before = told(api, session["id"])

    made = api.post(f"/v1/sessions/{session['id']}/fork")

    assert made.status == 201
    fork = made.body
    assert (fork["title"], fork["tags"], fork["system_prompt"]) == ("Plan (fork)", ["a"], "Be kind")
    assert (fork["agent_id"], fork["max_iterations"]) == (agent["id"], 7)
    assert (fork["status"], fork["usage"]["input_tokens"]) == ("started", 0)
    assert fork["forked_from_session_id"] == session["id"]
    assert fork["forked_from_sequence"] == before[-1]["sequence"]
    assert fork["workspace_id"] != session["workspace_id"]
    assert fork["preview"] == "one"
    copied = told(api, fork["id"])
    own = {"id", "session_id"}
    assert [{k: e[k] for k in e if k not in own} for e in copied] == [
        {k: e[k] for k in e if k not in own} for e in before
    ]
    assert not {event["id"] for event in copied} & {event["id"] for event in before}
    assert {event["session_id"] for event in copied} == {fork["id"]}
    messages = api.get(f"/v1/sessions/{fork['id']}/messages").body
    assert (messages["total"], len(messages["data"])) == (4, 4)


def test_a_fork_goes_its_own_way(api: Api, database: Database) -> None:
    session = api.session()
    spoken(api, database, session["id"], "one")
    fork = api.post(f"/v1/sessions/{session['id']}/fork").body
    end = fork["forked_from_sequence"]

    api.message(fork["id"], "two")

    assert [event["sequence"] for event in told(api, fork["id"])] == list(range(1, end + 2))
    assert head_of(database, fork["id"]).open_turn_id is not None
    assert len(told(api, session["id"])) == end
    since = api.get(f"/v1/sessions/{fork['id']}/events?since_id={told(api, fork['id'])[-2]['id']}")
    assert [event["type"] for event in since.body["data"]] == ["input.message"]


def test_what_providers_want_back_is_copied(api: Api, database: Database) -> None:
    session = api.session()
    head = head_of(database, session["id"])
    hidden = EventDraft(EventType.REASON_STARTED, {"n": 1}, {}, {"signature": "s"})
    with database.transaction() as tx:
        log.append(tx, head.session_id, [hidden], fence=Fence(head.epoch))

    fork = api.post(f"/v1/sessions/{session['id']}/fork").body

    with database.reading() as tx:
        kept = tx.execute(
            text("SELECT private FROM events WHERE session_id = :id AND private IS NOT NULL"),
            {"id": parse_id(Kind.SESSION, fork["id"])},
        ).scalar_one()
    assert kept == {"signature": "s"}


def test_a_fork_may_end_where_a_turn_ended(api: Api, database: Database) -> None:
    session = api.session()
    spoken(api, database, session["id"], "one")
    end = head_of(database, session["id"]).last_sequence
    spoken(api, database, session["id"], "two")
    last = head_of(database, session["id"]).last_sequence
    path = f"/v1/sessions/{session['id']}/fork"

    fork = api.post(path, {"up_to_sequence": end}).body

    assert fork["forked_from_sequence"] == end
    assert api.get(f"/v1/sessions/{fork['id']}/messages").body["total"] == 4
    head = head_of(database, fork["id"])
    assert (head.last_sequence, head.last_input_sequence) == (end, 2)
    assert api.post(path, {"up_to_sequence": 1}).status == 201
    refused = [api.post(path, {"up_to_sequence": each}) for each in (2, end + 2, last + 1)]
    assert [reply.status for reply in refused] == [422] * 3
    assert api.post(path, {"up_to_sequence": 0}).status == 400


def test_what_is_given_is_otherwise(api: Api) -> None:
    agent = api.agent()
    session = api.session(title="t", locale="de", tags=["a"])

    fork = api.post(
        f"/v1/sessions/{session['id']}/fork",
        {"title": "New", "tags": ["b"], "agent_id": agent["id"], "locale": None, "model_id": "m"},
    ).body

    assert (fork["title"], fork["tags"], fork["locale"]) == ("New", ["b"], None)
    assert (fork["agent_id"], fork["model_id"]) == (agent["id"], "m")


def test_a_session_at_work_cannot_be_forked(api: Api, database: Database) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/fork"
    api.message(session["id"])

    assert api.post(path).status == 409
    start_turn(database, session["id"])
    assert api.post(path).status == 409
    finish_turn(database, session["id"])
    assert api.post(path).status == 201


def test_an_agent_that_is_not_to_be_had(api: Api, stranger: Api) -> None:
    session, theirs, old = api.session(), stranger.agent(), api.agent(name="old")
    api.delete(f"/v1/agents/{old['id']}")
    path = f"/v1/sessions/{session['id']}/fork"

    assert api.post(path, {"agent_id": theirs["id"]}).status == 404
    assert api.post(path, {"agent_id": old["id"]}).status == 409


def test_a_repeat_with_the_same_key_makes_one_fork(api: Api) -> None:
    session = api.session()
    keyed = api.with_headers(Idempotency_Key="f")

    first, again = (keyed.post(f"/v1/sessions/{session['id']}/fork") for _ in range(2))

    assert (first.status, again.status, first.body["id"]) == (201, 201, again.body["id"])


def test_files_are_copied_and_then_apart(api: Api) -> None:
    session = api.session(initial_files=[{"path": "/a.txt", "content": "old"}])

    fork = api.post(f"/v1/sessions/{session['id']}/fork").body
    api.put(f"/v1/sessions/{session['id']}/fs/a.txt", {"content": "new"})

    assert api.get(f"/v1/sessions/{fork['id']}/fs/a.txt").body["content"] == "old"
    assert api.get(f"/v1/sessions/{session['id']}/fs/a.txt").body["content"] == "new"


def test_there_is_one_chat_session_until_it_is_deleted(api: Api, stranger: Api) -> None:
    first = api.post("/v1/sessions/chat", {"locale": "de"})
    again = api.post("/v1/sessions/chat")

    assert (first.status, again.status) == (200, 200)
    assert (again.body["id"], again.body["locale"]) == (first.body["id"], "de")
    assert stranger.post("/v1/sessions/chat").body["id"] != first.body["id"]
    api.delete(f"/v1/sessions/{first.body['id']}")
    assert api.post("/v1/sessions/chat").body["id"] != first.body["id"]


def test_the_totals_of_an_agent_and_a_harness(api: Api, database: Database) -> None:
    agent = api.agent()
    used, unused = (api.session(agent_id=agent["id"]) for _ in range(2))
    api.session()
    spoken(api, database, used["id"], "one")
    spoken(api, database, used["id"], "two")

    stats = api.get(f"/v1/agents/{agent['id']}/stats").body

    assert (stats["session_count"], stats["idle_session_count"]) == (2, 1)
    assert (stats["started_session_count"], stats["execution_count"]) == (1, 2)
    assert (stats["total_input_tokens"], stats["total_output_tokens"]) == (24, 10)
    assert all(isinstance(stats[name], int) for name in stats if name.startswith("total_"))
    assert stats["last_session_at"] == unused["created_at"]
    assert api.get("/v1/harnesses/generic/stats").body["session_count"] == 3

"""The second seed's complete example, line for line, and its two ways of handling errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from httpx_sse import connect_sse

from tests import plain_http
from tests.system import System
from tests.talk import Simulate

Json = dict[str, Any]


class ApiFailed(Exception):
    """The client's error for a status that is not 2xx."""


class Client:
    """The calls that the seed makes, without a key and without a cursor."""

    def __init__(self, base_url: str) -> None:
        self._http = plain_http.client(base_url=base_url, timeout=30)

    def create(self, path: str, body: Json) -> Json:
        reply = self._http.post(path, json=body)
        if not reply.is_success:
            raise ApiFailed(reply.json()["error"])
        created: Json = reply.json()
        return created

    @contextmanager
    def stream_events(self, session_id: str) -> Iterator[Iterator[Json]]:
        with connect_sse(self._http, "GET", f"/v1/sessions/{session_id}/sse") as source:
            yield (json.loads(frame.data) for frame in _events_of(source.iter_sse()))

    def close(self) -> None:
        self._http.close()


def _events_of(frames: Iterator[Any]) -> Iterator[Any]:
    return (frame for frame in frames if frame.event not in {"connected", "disconnecting"})


@pytest.fixture
def client(system: System) -> Iterator[Client]:
    made = Client(system.base_url)
    yield made
    made.close()


def ask(client: Client, session_id: str, question: str) -> str:
    client.create(
        f"/v1/sessions/{session_id}/messages",
        {"message": {"content": [{"type": "text", "text": question}]}},
    )
    with client.stream_events(session_id) as events:
        for event in events:
            if event["type"] == "output.message.completed":
                return str(event["data"]["message"]["content"][0]["text"] or "")
            if event["type"] == "turn.failed":
                raise ApiFailed(event["data"]["error"])
    raise AssertionError("the stream ended without an answer")


def converse(client: Client) -> list[str]:
    agent = client.create(
        "/v1/agents", {"name": "Assistant", "system_prompt": "Be brief and friendly."}
    )
    session = client.create("/v1/sessions", {"agent_id": agent["id"]})
    first = ask(client, session["id"], "Who wrote Faust?")
    second = ask(client, session["id"], "And when did he live?")
    return [first, second]


ANSWERS = ["Echo: Who wrote Faust?", "Echo: And when did he live?"]
SPEEDS = {
    "instant": {},
    "slow": {"first_token_delay_ms": 150, "tokens_per_second": 25},
    "silent, then all at once": {"first_token_delay_ms": 400},
}


@pytest.mark.parametrize("behaviour", SPEEDS.values(), ids=SPEEDS)
def test_each_question_gets_its_own_answer_and_the_script_can_run_twice(
    client: Client, simulate: Simulate, behaviour: Json
) -> None:
    simulate(**behaviour)

    assert converse(client) == ANSWERS
    assert converse(client) == ANSWERS


def test_the_agent_of_both_runs_is_one(client: Client) -> None:
    body = {"name": "Assistant", "system_prompt": "Be brief and friendly."}

    assert client.create("/v1/agents", body)["id"] == client.create("/v1/agents", body)["id"]


def watch_for_failure(client: Client, session_id: str) -> Json:
    """The seed's loop that listens for turn failures: the event that ended it."""
    with client.stream_events(session_id) as events:
        for event in events:
            if event["type"] == "turn.failed":
                return event
            if event["type"] == "output.message.completed":
                return event
    raise AssertionError("the stream ended without an outcome")


@pytest.mark.parametrize(
    "response",
    [
        {"type": "error", "message": "no such key"},
        {"type": "model_not_available"},
        {"type": "scripted", "turns": [{"text": "Half an ans", "error": "other"}]},
    ],
    ids=lambda response: response["type"],
)
def test_a_failing_model_ends_in_the_branch_for_failures_with_llm_error(
    client: Client, simulate: Simulate, response: Json
) -> None:
    simulate(response=response)
    session = client.create("/v1/sessions", {})
    client.create(
        f"/v1/sessions/{session['id']}/messages",
        {"message": {"content": [{"type": "text", "text": "Hello!"}]}},
    )

    event = watch_for_failure(client, session["id"])

    assert event["type"] == "turn.failed"
    assert event["data"]["error_code"] == "llm_error"
    assert isinstance(event["data"]["error"], str)
    assert event["data"]["error"]


def test_the_question_after_a_failure_gets_its_own_answer(
    client: Client, simulate: Simulate
) -> None:
    session = client.create("/v1/sessions", {})
    for question in ("one", "two", "three"):
        simulate(response={"type": "error"})
        with pytest.raises(ApiFailed):
            ask(client, session["id"], "fail")
        simulate()
        assert ask(client, session["id"], question) == f"Echo: {question}"


def test_a_call_that_is_refused_raises_the_clients_error(client: Client) -> None:
    missing = "session_00000000000070008000000000000000"

    with pytest.raises(ApiFailed, match=r"[Ss]ession"):
        ask(client, missing, "Is anybody there?")

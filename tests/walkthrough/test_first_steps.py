"""Read this first: what the server does, one concept a test, in plain HTTP.

The server runs as in production: api, stream, worker and sweeper are processes of
their own behind one port.  The model is a simulated one that echoes what it is told;
`hints.llmsim` (development only) makes it slow, fail or call tools.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from httpx_sse import connect_sse

Json = dict[str, Any]


def new_session(api: httpx.Client, **body: object) -> str:
    created: Json = api.post("/sessions", json=body).raise_for_status().json()
    return str(created["id"])


def post(api: httpx.Client, session: str, text: str, *, llmsim: Json | None = None) -> Json:
    message: Json = {"content": [{"type": "text", "text": text}]}
    if llmsim is not None:
        message["controls"] = {"hints": {"llmsim": llmsim}}
    reply = api.post(f"/sessions/{session}/messages", json={"message": message})
    created: Json = reply.raise_for_status().json()
    return created


@contextmanager
def watching(api: httpx.Client, session: str, **query: str) -> Iterator[Iterator[Json]]:
    """The events of a session, as they happen; the first frame only says that it works."""
    with connect_sse(api, "GET", f"/sessions/{session}/sse", params=query) as source:
        frames = source.iter_sse()
        assert next(frames).event == "connected"
        yield (json.loads(frame.data) for frame in frames)


def read_until(events: Iterator[Json], kind: str) -> list[Json]:
    seen = [next(events)]
    while seen[-1]["type"] != kind:
        seen.append(next(events))
    return seen


def said(events: list[Json]) -> list[str]:
    """What the agent's finished messages say."""
    finished = [event for event in events if event["type"] == "output.message.completed"]
    return [event["data"]["message"]["content"][0]["text"] for event in finished]


def deltas(events: list[Json]) -> str:
    """The text that arrived in pieces."""
    pieces = [event for event in events if event["type"] == "output.message.delta"]
    return "".join(piece["data"]["delta"] for piece in pieces)


def test_an_agent_is_a_prompt_under_a_name(api: httpx.Client) -> None:
    """Creating an agent under a name that exists updates it: a script can run twice."""
    body = {"name": "Guide", "system_prompt": "You show people around."}
    first, again = api.post("/agents", json=body), api.post("/agents", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]

    session = api.post("/sessions", json={"agent_id": first.json()["id"]}).json()
    assert session["agent_id"] == first.json()["id"]
    assert session["status"] == "started"


def test_a_question_gets_an_answer(api: httpx.Client) -> None:
    """Posting a message is durable at once and starts a turn; the stream brings the answer.

    A stream that names no place to start from begins with the newest question, so it
    does not matter whether the answer was faster.
    """
    session = new_session(api)

    message = post(api, session, "Who are you?")
    with watching(api, session) as events:
        seen = read_until(events, "output.message.completed")

    assert seen[0]["data"]["message"]["id"] == message["id"]
    assert said(seen) == ["Echo: Who are you?"]


def test_everything_that_happens_is_an_event(api: httpx.Client) -> None:
    """A turn's events come in a fixed order, numbered without gaps, live and stored alike.

    Only the pieces of an answer are not stored: its `output.message.completed` has it all.
    """
    session = new_session(api)
    with watching(api, session) as events:
        post(api, session, "Count to three", llmsim={"tokens_per_second": 30})
        seen = read_until(events, "session.idled")

    assert deltas(seen) == said(seen)[0] == "Echo: Count to three"
    live = [event for event in seen if event["type"] != "output.message.delta"]
    stored = api.get(f"/sessions/{session}/events").json()["data"]
    assert [event["id"] for event in live] == [event["id"] for event in stored]
    assert [event["sequence"] for event in stored] == list(range(1, len(stored) + 1))
    assert [event["type"] for event in stored] == [
        "session.started",
        "input.message",
        "turn.started",
        "session.activated",
        "reason.started",
        "output.message.started",
        "output.message.completed",
        "llm.generation",
        "reason.completed",
        "turn.completed",
        "session.idled",
    ]


def test_a_dropped_connection_loses_nothing(api: httpx.Client) -> None:
    """Every event's id says where to go on, in the middle of an answer too."""
    session = new_session(api)
    text = "A long answer that is being written while the connection breaks."
    post(api, session, text, llmsim={"tokens_per_second": 30})

    before: list[Json] = []
    with watching(api, session) as events:
        while len(deltas(before)) < 10:
            before.append(next(events))
    with watching(api, session, since_id=before[-1]["id"]) as events:
        after = read_until(events, "session.idled")

    assert deltas(before) + deltas(after) == f"Echo: {text}"
    numbers = [event["sequence"] for event in before + after if "sequence" in event]
    assert numbers == list(range(2, len(numbers) + 2))


def test_a_message_during_a_turn_steers_it(api: httpx.Client) -> None:
    """A session has one turn at a time; what is said meanwhile is read at its next step."""
    session = new_session(api)
    with watching(api, session) as events:
        post(api, session, "Tell me about whales", llmsim={"tokens_per_second": 20})
        read_until(events, "output.message.delta")
        post(api, session, "Or rather about owls")
        seen = read_until(events, "session.idled")

    assert said(seen) == ["Echo: Tell me about whales", "Echo: Or rather about owls"]
    ended = [event for event in seen if event["type"] == "turn.completed"]
    assert [event["data"]["iterations"] for event in ended] == [2]


def test_a_turn_can_be_cancelled(api: httpx.Client) -> None:
    """Cancelling works at any moment, leaves the session idle, and repeats harmlessly."""
    session = new_session(api)
    with watching(api, session) as events:
        post(api, session, "Never stop", llmsim={"first_token_delay_ms": 60_000})
        read_until(events, "output.message.started")
        reply = api.post(f"/sessions/{session}/cancel").json()
        seen = read_until(events, "session.idled")
    again = api.post(f"/sessions/{session}/cancel").json()

    assert (reply["status"], again["status"]) == ("cancelled", "no_op")
    assert "turn.cancelled" in [event["type"] for event in seen]
    assert api.get(f"/sessions/{session}").json()["status"] == "idle"


def test_an_agent_uses_tools(api: httpx.Client) -> None:
    """A capability brings tools; a turn reasons, calls them, and reasons on their results."""
    session = new_session(api, capabilities=["test_weather"])
    call = {"id": "call_1", "name": "get_weather", "arguments": {"location": "Tokyo"}}
    script = [{"text": "Let me look.", "tool_calls": [call]}, {"text": "14 degrees and windy."}]
    post(api, session, "Weather?", llmsim={"response": {"type": "scripted", "turns": script}})
    with watching(api, session) as events:
        read_until(events, "session.idled")

    messages = api.get(f"/sessions/{session}/messages").json()["data"]

    assert [message["role"] for message in messages] == ["user", "agent", "tool", "agent"]
    assert messages[1]["content"][1] == {"type": "tool_call", **call}
    result = messages[2]["content"][0]
    assert (result["tool_call_id"], result["result"]["temperature"]) == ("call_1", 14)
    assert messages[3]["content"][0]["text"] == "14 degrees and windy."


def test_a_failing_model_fails_the_turn_not_the_session(api: httpx.Client) -> None:
    """The failure is an event like any other, and comes before the words that explain it."""
    session = new_session(api)
    post(api, session, "Please", llmsim={"response": {"type": "error", "message": "secret"}})
    with watching(api, session) as events:
        seen = read_until(events, "session.idled")

    kinds = [event["type"] for event in seen]
    failed = seen[kinds.index("turn.failed")]
    assert failed["data"]["error_code"] == "llm_error"
    assert "secret" not in failed["data"]["error"]
    assert kinds.index("turn.failed") < kinds.index("output.message.completed")

    post(api, session, "Once more?")
    with watching(api, session, start="turn") as events:
        assert said(read_until(events, "session.idled")) == ["Echo: Once more?"]

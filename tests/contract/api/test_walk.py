"""The thinnest way through: agent, session, message, events."""

from tests.contract.api.client import Api
from tests.fakes.live import RecordingLive
from tests.fakes.turn_queue import RecordingQueue


def test_a_message_is_stored_and_seen_everywhere(
    api: Api, live: RecordingLive, queue: RecordingQueue
) -> None:
    agent = api.agent()
    session = api.session(agent_id=agent["id"])
    message = api.message(session["id"], "What is the weather in Tokyo?")
    path = f"/v1/sessions/{session['id']}"

    listed = api.get(f"{path}/messages").body
    events = api.get(f"{path}/events").body

    assert listed == {"data": [message], "total": 1}
    assert [event["type"] for event in events["data"]] == ["session.started", "input.message"]
    assert events["data"][1]["data"]["message"]["id"] == message["id"]
    assert events["data"][1]["session_id"] == session["id"]
    assert len(queue.sent) == 1
    assert [event.type for _, found in live.published for event in found] == [
        "session.started",
        "input.message",
    ]

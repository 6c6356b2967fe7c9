"""The first seed's curl lines, run as they stand."""

import json
import shutil
import subprocess
import threading
from typing import Any

import httpx
import pytest

from tests.system import System
from tests.talk import Talk, types_of, until

Json = dict[str, Any]
CURL = shutil.which("curl")
KEY = {"Authorization": "Bearer x"}
POST_OPTIONS = ("-X", "POST", "-H", "Content-Type: application/json")


def run_curl(url: str, *options: str) -> bytes:
    """What curl prints for the seed's options; without a curl, what it would print."""
    if CURL is None:
        return _as_curl_would(url, options)
    command = [CURL, "-s", "-S", url, "-H", "Authorization: Bearer x", *options]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout  # noqa: S603 - the line to test


def _as_curl_would(url: str, options: tuple[str, ...]) -> bytes:
    body = options[options.index("-d") + 1] if "-d" in options else None
    headers = {**KEY, "Content-Type": "application/json"}
    return httpx.request("POST" if body else "GET", url, content=body, headers=headers).content


@pytest.fixture
def session_id(talk: Talk) -> str:
    return talk.open_session()


def post(system: System, session_id: str, body: Json) -> Json:
    url = f"{system.base_url}/v1/sessions/{session_id}/messages"
    reply: Json = json.loads(run_curl(url, *POST_OPTIONS, "-d", json.dumps(body)))
    return reply


def test_the_example_request_gets_the_documented_fields(system: System, session_id: str) -> None:
    content = [{"type": "text", "text": "What is the weather in Oslo?"}]

    reply = post(system, session_id, {"message": {"content": content}})

    assert {"id", "role", "content", "created_at"} <= set(reply)
    assert reply["role"] == "user"
    assert reply["content"] == content
    assert not reply.get("controls")
    assert not reply.get("metadata")
    version = reply["id"].split("-")[2][0]
    assert (len(reply["id"]), version) == (36, "7"), "a bare, dashed UUIDv7"
    day, _, time = reply["created_at"].partition("T")
    assert (len(day), time[8:9], time[12:]) == (10, ".", "Z"), "ISO 8601 with milliseconds, UTC"


def test_controls_and_metadata_come_back_when_they_were_given(
    system: System, session_id: str
) -> None:
    body = {
        "content": [{"type": "text", "text": "Hello"}],
        "controls": {"max_tokens": 500},
        "metadata": {"source": "ticket", "nested": {"deep": [1, None, "x"]}},
    }

    reply = post(system, session_id, {"message": body})

    assert reply["controls"] == body["controls"]
    assert reply["metadata"] == body["metadata"]


def test_the_message_is_the_same_wherever_it_is_shown(
    system: System, talk: Talk, session_id: str
) -> None:
    reply = post(system, session_id, {"message": {"content": [{"type": "text", "text": "Hi"}]}})

    log = talk.settle(session_id)
    listed = talk.messages(session_id)[0]
    stored = next(event for event in log if event["type"] == "input.message")["data"]["message"]

    for shown in (listed, stored):
        assert {name: shown[name] for name in ("id", "role", "content", "created_at")} == {
            name: reply[name] for name in ("id", "role", "content", "created_at")
        }


def test_curl_watches_the_workflow_that_a_message_starts(
    system: System, talk: Talk, session_id: str
) -> None:
    """Connect to the stream first, then post: the steps arrive in the documented order."""
    seen = _watched_by_curl(system, talk, session_id)

    steps = [event["type"] for event in seen]
    documented = [
        "input.message",
        "turn.started",
        "session.activated",
        "output.message.started",
        "output.message.delta",
        "output.message.completed",
        "turn.completed",
        "session.idled",
    ]
    first_places = [steps.index(step) for step in documented]
    assert first_places == sorted(first_places)
    assert steps[-1] == "session.idled"


# What is said at once may be complete before a busy stream process has shown a piece of it.
_SPEAKS = {"tokens_per_second": 60}


def _watched_by_curl(system: System, talk: Talk, session_id: str) -> list[Json]:
    if CURL is None:
        with talk.watch(session_id) as events:
            talk.say(session_id, "Hello", llmsim=_SPEAKS)
            return until(events, "session.idled")
    url = f"{system.base_url}/v1/sessions/{session_id}/sse"
    command = [CURL, "-s", "-N", url, "-H", "Authorization: Bearer x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:  # noqa: S603 - the line to test
        guard = threading.Timer(30, curl.kill)
        guard.start()
        assert curl.stdout is not None
        seen: list[Json] = []
        for line in curl.stdout:
            if line == b'data: {"status":"connected"}\n':
                talk.say(session_id, "Hello", llmsim=_SPEAKS)
            elif line.startswith(b"data: "):
                seen.append(json.loads(line.removeprefix(b"data: ")))
                if seen[-1]["type"] == "session.idled":
                    break
        guard.cancel()
        curl.kill()
    return seen


def test_a_whole_turn_has_the_contracts_events(talk: Talk, session_id: str) -> None:
    talk.say(session_id, "Hello", llmsim={"tokens_per_second": 60})
    with talk.watch(session_id) as events:
        seen = until(events, "session.idled")

    kinds = types_of(seen)
    assert sorted(kinds[6:8]) == ["llm.generation", "reason.completed"]
    assert kinds[:6] + kinds[8:] == [
        "input.message",
        "turn.started",
        "session.activated",
        "reason.started",
        "output.message.started",
        "output.message.completed",
        "turn.completed",
        "session.idled",
    ]


TEXT = {"type": "text", "text": "x"}
IMAGE = {"type": "image_file", "image_id": "01933b5a-0000-7000-8000-000000000001"}
RESULT = {"type": "tool_result", "tool_call_id": "call_1", "content": "x"}


def message(content: object, **more: object) -> bytes:
    return json.dumps({"message": {"content": content, **more}}).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{not json", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"message": {}}', 400),
        (message(7), 400),
        (message([]), 422),
        (message([{"type": "text", "text": ""}]), 422),
        (message([{"type": "hologram"}]), 422),
        (message([IMAGE]), 422),
        (message([RESULT]), 422),
        (message([TEXT], controls={"max_tokens": 0}), 422),
        (message([TEXT], controls={"temperature": 9}), 422),
        (message([TEXT], role="agent"), 422),
    ],
)
def test_a_message_that_is_refused_says_why_and_leaves_nothing(
    talk: Talk, session_id: str, body: bytes, status: int
) -> None:
    reply = talk.http.post(
        f"/v1/sessions/{session_id}/messages",
        content=body,
        headers={**KEY, "Content-Type": "application/json"},
    )

    assert reply.status_code == status, reply.text
    assert reply.json()["status"] == status
    assert isinstance(reply.json()["error"], str)
    assert types_of(talk.log(session_id)) == ["session.started"]


def test_a_message_to_a_session_that_does_not_exist_is_404(system: System) -> None:
    for shape in ("session_{}", "{}"):
        missing = shape.format("01933b5a-0000-7000-8000-00000000dead")
        reply = post(system, missing, {"message": {"content": [{"type": "text", "text": "Hi"}]}})
        assert reply["status"] == 404
        assert isinstance(reply["error"], str)

"""Real processes are killed, frozen and asked to leave; what was accepted is answered once."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.valkey import Valkey
from tests.chaos.client import Client, assert_one_whole_turn
from tests.conditions import wait_until
from tests.servers import Servers, claim_redis_database, resume, start_again
from tests.system import FAST_RECOVERY, System, running

pytestmark = pytest.mark.slow

ANSWER = "one two three four five six seven eight nine ten eleven twelve"
SLOW = {"tokens_per_second": 12, "response": {"type": "fixed", "text": ANSWER}}
RECOVERY_SECONDS = 25.0


@pytest.fixture(scope="module")
def without_worker(
    shared_database_url: str, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """What no test here ends, or starts again if it does."""
    redis_url = claim_redis_database(servers.redis_url, servers.run_name)
    parts = ("api", "stream", "front", "sweeper")
    directory = tmp_path_factory.mktemp("system")
    with running(
        shared_database_url, redis_url, directory, parts=parts, settings=FAST_RECOVERY
    ) as started:
        yield started


@pytest.fixture
def system(without_worker: System) -> Iterator[System]:
    """A test's workers are its own: it starts them, and they end with it."""
    others = len(without_worker.parts)
    yield without_worker
    if workers := [part for part in without_worker.parts[others:] if "worker" in part.name]:
        without_worker.stop(*workers)


@pytest.fixture
def client(system: System) -> Iterator[Client]:
    with Client(system.base_url) as made:
        yield made


def wait_for_idle(client: Client, session_id: str) -> None:
    wait_until(
        lambda: client.types(session_id)[-1] == "session.idled",
        description="the session is idle",
        timeout_seconds=RECOVERY_SECONDS,
    )


def test_a_worker_killed_in_mid_stream(system: System, client: Client) -> None:
    worker = system.start("worker")
    system.wait_ready(worker)
    session_id = client.session()

    assert client.post(session_id, "Count", **SLOW).status_code == 201
    seen: list[int] = []
    text: dict[str, str] = {}
    with client.stream(session_id) as frames:
        is_killed = False
        for frame in frames:
            if frame.event == "connected":
                continue
            if frame.event == "output.message.delta":
                message_id = frame.data["data"]["message_id"]
                text[message_id] = text.get(message_id, "") + frame.data["data"]["delta"]
                if len(text[message_id]) > 10 and not is_killed:
                    is_killed = True
                    worker.kill()
                    system.start("worker")
                continue
            seen.append(frame.data["sequence"])
            if frame.event == "session.idled":
                break

    events = client.events(session_id)
    assert_one_whole_turn(events, answer=ANSWER)
    assert "reason.recovered" in [event["type"] for event in events]
    # The open stream saw the same, each once, and the text of the answer to the letter.
    assert seen == [event["sequence"] for event in events if event["sequence"] >= seen[0]]
    completed = next(e for e in events if e["type"] == "output.message.completed")
    assert text[completed["data"]["message"]["id"]] == ANSWER


@pytest.mark.parametrize(
    ("tool", "effects", "succeeds"),
    [("act_idempotent", 2, True), ("act_at_most_once", 1, False), ("act_reconcile", 1, True)],
)
def test_a_worker_killed_in_mid_tool(
    system: System, client: Client, tmp_path: Path, *, tool: str, effects: int, succeeds: bool
) -> None:
    worker = system.start("effectworker", EFFECTS=str(tmp_path))
    system.wait_ready(worker)
    session_id = client.session(capabilities=["noop"])
    record = tmp_path / "effects"
    calls = {"type": "fixed", "tool_calls": [{"name": tool, "arguments": {}}]}
    client.post(session_id, "Act", tool_calls=calls, response={"type": "fixed", "text": "Done"})
    wait_until(record.exists, description="the tool has had its effect", timeout_seconds=20)

    worker.kill()
    system.start("effectworker", EFFECTS=str(tmp_path))
    if succeeds:
        wait_until(
            lambda: len(record.read_text().split()) == effects,
            description="the tool runs again",
            timeout_seconds=RECOVERY_SECONDS,
        )
    (tmp_path / "go").touch()
    wait_for_idle(client, session_id)

    events = client.events(session_id)
    assert_one_whole_turn(events, answer="Done")
    results = [e["data"]["success"] for e in events if e["type"] == "tool.completed"]
    assert results == [succeeds]
    keys = record.read_text().split()
    assert len(keys) == effects
    assert len(set(keys)) == 1


def test_a_worker_that_is_asked_to_leave_hands_over(system: System, client: Client) -> None:
    leaving = system.start("worker", SHUTDOWN_GRACE_SECONDS="1")
    system.wait_ready(leaving)
    session_id = client.session()
    client.post(session_id, "Count", **SLOW)
    wait_until(
        lambda: "output.message.started" in client.types(session_id), description="it streams"
    )

    leaving.signal(signal.SIGTERM)
    assert leaving.process.wait(15) == 0
    system.wait_ready(system.start("worker"))
    wait_for_idle(client, session_id)

    assert_one_whole_turn(client.events(session_id), answer=ANSWER)
    assert leaving.said("turn_handed_over") == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_message_is_taken_while_redis_is_away(
    database_url: str, own_redis: Valkey, tmp_path: Path, how: signal.Signals
) -> None:
    with (
        running(database_url, own_redis.url, tmp_path, settings=FAST_RECOVERY) as system,
        Client(system.base_url) as client,
    ):
        session_id = client.session()
        client.post(session_id, "warm")
        wait_for_idle(client, session_id)
        before = len(client.events(session_id))
        redis = own_redis.process
        assert redis is not None

        redis.send_signal(how)
        began = time.monotonic()
        answer = client.post(session_id, "Are you there?")
        took = time.monotonic() - began
        if how is signal.SIGKILL:
            redis.wait(10)
            start_again(own_redis)
        else:
            resume(own_redis)

        assert answer.status_code == 201, answer.text
        assert took < 1.0
        wait_until(
            lambda: "session.idled" in client.types(session_id)[before:],
            description="the turn runs once Redis is back",
            timeout_seconds=RECOVERY_SECONDS,
        )
        last = client.events(session_id)[before:]
        said = next(e for e in last if e["type"] == "output.message.completed")
        assert said["data"]["message"]["content"][0]["text"] == "Echo: Are you there?"


def test_a_worker_outlives_its_broker_with_its_turns(
    database_url: str, own_redis: Valkey, tmp_path: Path
) -> None:
    with (
        running(database_url, own_redis.url, tmp_path, settings=FAST_RECOVERY) as system,
        Client(system.base_url) as client,
    ):
        worker = next(part for part in system.parts if part.name == "worker-1")
        session_id = client.session()
        client.post(session_id, "Count", **SLOW)
        wait_until(
            lambda: "output.message.started" in client.types(session_id), description="it streams"
        )

        assert own_redis.process is not None
        own_redis.process.send_signal(signal.SIGKILL)
        own_redis.process.wait(10)
        start_again(own_redis)
        wait_for_idle(client, session_id)

        events = client.events(session_id)
        assert_one_whole_turn(events, answer=ANSWER)
        assert "reason.recovered" not in [event["type"] for event in events]
        other = client.session()
        client.post(other, "Are you there?")
        wait_for_idle(client, other)
        assert worker.is_alive


def test_a_stream_process_killed_in_mid_text_loses_nothing(system: System, client: Client) -> None:
    system.wait_ready(system.start("worker"))
    session_id = client.session()
    client.post(session_id, "Count", **SLOW)
    stream = next(part for part in system.parts if part.name.startswith("stream"))
    text, last_id, sequences = "", None, []
    for connection in range(20):
        query: dict[str, str] = {"since_id": last_id} if last_id else {}
        try:
            with client.stream(session_id, **query) as frames:
                for frame in frames:
                    if frame.id is None:
                        continue
                    last_id = frame.id
                    if frame.event == "output.message.delta":
                        text += frame.data["data"]["delta"]
                        if connection == 0 and len(text) > 10:
                            stream.kill()
                    else:
                        sequences.append(frame.data["sequence"])
                    if frame.event == "session.idled":
                        break
        except client.transport_errors:
            pass
        if sequences and client.types(session_id)[sequences[-1] - 1] == "session.idled":
            break
        if not stream.is_alive:
            stream = system.start("stream")
            system.wait_ready(stream)

    assert text == ANSWER
    events = client.events(session_id)
    assert_one_whole_turn(events, answer=ANSWER)
    assert sequences == [e["sequence"] for e in events if e["sequence"] >= sequences[0]]

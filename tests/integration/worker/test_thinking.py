"""Models that think: streamed before the answer, kept for the provider, shown to nobody else."""

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from redis import Redis

from common.domain.events import EventType
from common.live import live_channel, text_key
from common.redis_client import make_client
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.test_sequences import TEXT_TURN
from worker.llm.driver import Endpoint, ImageLimits, LLMDriver, LLMRequest, Stop
from worker.llm.registry import driver_for
from worker.turn import assembly

_THOUGHT = ["reason.thinking.started", "reason.thinking.completed", "output.message.started"]
_THINKING_TURN = [*TEXT_TURN[:4], *_THOUGHT, *TEXT_TURN[5:]]


def _say(world: World, words: str, *, effort: str | None = "low", **llmsim: Any) -> Any:
    reasoning = {} if effort is None else {"reasoning": {"effort": effort}}
    return world.post(words, hints={"llmsim": llmsim}, **reasoning)


def _data(world: World, kind: EventType) -> list[dict[str, Any]]:
    return [event.data for event in world.events() if event.type == kind]


@dataclass
class _Requests:
    """Drivers that note what they were asked."""

    seen: list[LLMRequest] = field(default_factory=list)

    image_limits = ImageLimits()

    def driver_for(self, endpoint: Endpoint, *, allow_simulated: bool) -> LLMDriver:
        self._inner = driver_for(endpoint, allow_simulated=allow_simulated)
        return self

    def stream(self, request: LLMRequest, *, stop: Stop) -> Any:
        self.seen.append(request)
        return self._inner.stream(request, stop=stop)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> _Requests:
    requests = _Requests()
    monkeypatch.setattr(assembly, "driver_for", requests.driver_for)
    return requests


@pytest.fixture
def redis(world: World) -> Any:
    client = make_client(world.settings.redis_url, timeout_seconds=2)
    yield client
    client.close()


def test_a_call_with_an_effort_thinks_first(world: World, redis: Redis) -> None:
    world.worker().run(_say(world, "Hello", thinking="Let me see. A greeting."))

    assert world.types() == _THINKING_TURN
    events = world.events()
    opened, closed, replied, completed = events[4], events[5], events[6], events[7]
    turn_id = opened.context["turn_id"]
    assert opened.data == {"turn_id": turn_id, "model": "llmsim-model"}
    assert closed.data == {"turn_id": turn_id, "thinking": "Let me see. A greeting."}
    assert closed.context["stream_sequence"] == opened.sequence
    assert completed.context["stream_sequence"] == replied.sequence
    for opener, text in ((opened, "Let me see. A greeting."), (replied, "Echo: Hello")):
        assert redis.get(text_key(world.session_id, opener.sequence)) == text.encode()


def test_a_model_that_was_to_think_and_did_not_just_answers(world: World) -> None:
    world.worker().run(_say(world, "Hello"))
    assert world.types() == TEXT_TURN


def test_thinking_nobody_asked_for_is_told_as_a_whole(world: World) -> None:
    world.worker().run(_say(world, "Hello", effort=None, thinking="Hm."))

    assert world.types() == [*TEXT_TURN[:5], "reason.thinking.completed", *TEXT_TURN[5:]]
    (told,) = [event for event in world.events() if event.type == EventType.THINKING_COMPLETED]
    assert told.data["thinking"] == "Hm."
    assert "stream_sequence" not in told.context


def test_a_message_in_mid_turn_may_ask_for_thinking(world: World) -> None:
    slow = {"tokens_per_second": 20, "response": {"type": "fixed", "text": "one two three four"}}
    thread = in_background(world.worker(), world.say("Hello", **slow))
    wait_until(lambda: "output.message.started" in world.types(), description="it speaks")
    _say(world, "and now think", thinking="Hm.")
    thread.join(20)
    again = world.types()[world.types().index("reason.completed") + 1 :]
    assert again[:4] == ["reason.started", *_THOUGHT]


def test_each_step_of_a_tool_turn_thinks_and_gives_its_thinking_back(
    world: World, requests: _Requests
) -> None:
    world.grant("test_math")
    call = {"name": "add", "arguments": {"a": 1, "b": 2}}
    turns = [
        {"thinking": "I must add.", "tool_calls": [call]},
        {"thinking": "Three, then.", "text": "3"},
    ]
    response = {"type": "scripted", "turns": turns}
    world.worker().run(_say(world, "1 + 2?", response=response))

    thoughts = [each["thinking"] for each in _data(world, EventType.THINKING_COMPLETED)]
    assert thoughts == ["I must add.", "Three, then."]
    world.worker().run(_say(world, "Thanks"))
    assert [request.effort for request in requests.seen] == ["low"] * 3
    first, second = [m.thinking for m in requests.seen[2].messages if m.role == "assistant"]
    assert [block.text for block in first + second] == ["I must add.", "Three, then."]
    assert all(block.provider_type == "llmsim" for block in first + second)
    assert all(block.replay["signature"] for block in first + second)
    assert requests.seen[1].messages[1].thinking == first, "within the turn too"


def test_what_the_provider_wants_back_is_in_the_log_s_private_part_alone(
    world: World, requests: _Requests, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = redis.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
    frames.ssubscribe(live_channel(world.session_id))
    assert frames.get_sharded_message(timeout=2)["type"] == "ssubscribe"
    world.worker().run(_say(world, "Hello", thinking="Let me see."))
    world.worker().run(_say(world, "Again", thinking="Let me see."))

    (block,) = requests.seen[1].messages[1].thinking
    signature = str(block.replay["signature"])
    kept = world.row(
        "SELECT string_agg(private::text, '') AS private, string_agg(data::text, '') AS data,"
        " string_agg(context::text, '') AS context FROM events WHERE session_id = :s"
    )
    assert signature in kept.private
    shown = [kept.data, kept.context, *(event.to_bytes().decode() for event in world.events())]
    heard = []
    while (frame := frames.get_sharded_message(timeout=0.2)) is not None:
        heard.append(frame["data"].decode())
    assert any("Let me see." in frame for frame in heard)
    logged = capsys.readouterr()
    for text in (*shown, *heard, logged.out, logged.err):
        assert signature not in text
    frames.close()


def test_a_worker_lost_in_mid_thinking_is_followed_by_another(world: World) -> None:
    thinking = "one two three four five six seven eight"
    turn_id = _say(world, "Hello", thinking=thinking, tokens_per_second=10)
    thread = in_background(world.worker(), turn_id)
    wait_until(lambda: "reason.thinking.started" in world.types(), description="it thinks")
    world.expire_leases()
    world.worker().run(turn_id)
    thread.join(10)

    assert world.types() == [
        *TEXT_TURN[:4],
        "reason.thinking.started",
        "reason.recovered",
        *_THOUGHT,
        *TEXT_TURN[5:],
    ]
    closed = next(e for e in world.events() if e.type == EventType.THINKING_COMPLETED)
    assert closed.context["stream_sequence"] == 7
    assert closed.data["thinking"] == thinking


def test_a_provider_lost_in_mid_thinking_fails_the_turn_in_order(world: World) -> None:
    turns = [{"error": {"kind": "other"}, "thinking": "Hm."}]
    response = {"type": "scripted", "turns": turns}
    world.worker().run(_say(world, "Hello", response=response))

    assert world.types() == [
        *TEXT_TURN[:4],
        "reason.thinking.started",
        *("llm.generation", "reason.completed", "turn.failed"),
        *("output.message.completed", "session.idled"),
    ]
    (generation,) = _data(world, EventType.LLM_GENERATION)
    assert "retry" not in generation["metadata"], "something was shown"
    assert orjson.dumps(generation)

"""What becomes of a turn when a model does not simply answer; each outcome is defined."""

import base64
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import UUID

import pytest

from common.domain.events import EventType, Usage
from common.domain.provider_breaker import THRESHOLD
from common.event_codec import LoggedEvent
from common.live import text_key
from common.redis_client import make_client
from tests.corpus import saved, two_halves
from tests.integration.worker.conftest import World
from tests.integration.worker.test_sequences import TEXT_TURN
from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    InlineImage,
    LinkedImage,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
)
from worker.turn import assembly, entry
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.endpoints import Endpoints
from worker.turn.failure import GENERIC, REFUSED
from worker.turn.resolution import resolve

_FAILED = ["llm.generation", "reason.completed", "turn.failed"]
_APOLOGY = ["output.message.completed", "session.idled"]


def _data(world: World, kind: EventType) -> list[dict[str, Any]]:
    return [event.data for event in world.events() if event.type == kind]


def _one(world: World, kind: EventType) -> LoggedEvent:
    (event,) = [event for event in world.events() if event.type == kind]
    return event


def _scripted(*turns: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scripted", "turns": list(turns)}


# --- by a scripted model --------------------------------------------------------------


def test_a_connection_lost_in_mid_text_fails_the_turn_and_closes_the_text(world: World) -> None:
    turn = {"text": "Half", "error": {"kind": "other", "message": "connection reset"}}
    world.worker().run(world.say("Hello", response=_scripted(turn)))

    assert world.types() == [*TEXT_TURN[:5], *_FAILED, *_APOLOGY]
    redis = make_client(world.settings.redis_url, timeout_seconds=2)
    assert redis.get(text_key(world.session_id, 5)) == b"Half", "it was shown"
    redis.close()
    apology = _one(world, EventType.OUTPUT_COMPLETED)
    assert "stream_sequence" not in apology.context, "the shown text has no end"
    assert "Half" not in apology.data_json
    failed = _one(world, EventType.TURN_FAILED).data
    assert failed["error_code"] == "llm_error"
    assert failed["error_fields"] == {"reason": "provider_unavailable"}
    assert "retry" not in _one(world, EventType.LLM_GENERATION).data["metadata"]


def test_arguments_that_are_no_json_are_answered_with_an_error(world: World) -> None:
    world.grant("test_math")
    call = {"name": "add", "malformed": '{"a": 1, '}
    turns = ({"tool_calls": [call]}, {"text": "Sorry, again."})
    world.worker().run(world.say("1 + 2?", response=_scripted(*turns)))

    completed = _one(world, EventType.TOOL_COMPLETED).data
    assert (completed["success"], completed["status"]) == (False, "error")
    assert "JSON" in completed["error"]
    assert world.answers() == ["", "Sorry, again."]
    assert world.types()[-2:] == ["turn.completed", "session.idled"]


def test_an_unknown_tool_is_answered_with_an_error(world: World) -> None:
    turns = ({"tool_calls": [{"name": "fly", "arguments": {}}]}, {"text": "I cannot fly."})
    world.worker().run(world.say("Fly!", response=_scripted(*turns)))

    completed = _one(world, EventType.TOOL_COMPLETED).data
    assert completed["status"] == "error"
    assert "fly" in completed["error"]
    assert world.answers()[-1] == "I cannot fly."


@pytest.mark.parametrize(("said", "shown"), [("", REFUSED), ("I will not.", "I will not.")])
def test_a_refusal_completes_the_turn(world: World, said: str, shown: str) -> None:
    turn = {"text": said, "finish_reason": "refusal"}
    world.worker().run(world.say("Do harm", response=_scripted(turn)))

    assert world.types() == TEXT_TURN
    assert world.answers() == [shown]
    assert _one(world, EventType.LLM_GENERATION).data["metadata"]["finish_reasons"] == ["refusal"]


def test_an_answer_cut_at_its_length_completes_the_turn_and_says_so(world: World) -> None:
    turn_id = world.post("one two three four five six seven eight", max_tokens=2)
    world.worker().run(turn_id)

    assert world.types() == TEXT_TURN
    assert _one(world, EventType.LLM_GENERATION).data["metadata"]["finish_reasons"] == ["length"]
    assert len(world.answers()[0]) < len("Echo: one two three four")


def test_a_call_cut_at_the_length_is_not_made(world: World) -> None:
    world.grant("test_math")
    whole = {"name": "add", "arguments": {"a": 1, "b": 2}}
    half = {"name": "add", "malformed": '{"a": 4'}
    turns = ({"tool_calls": [whole, half], "finish_reason": "length"}, {"text": "3"})
    world.worker().run(world.say("Go", response=_scripted(*turns)))

    results = {each["tool_call_id"]: each["success"] for each in _data(world, _TOOL)}
    asked = [part["id"] for part in _data(world, _MESSAGE)[0]["message"]["content"]]
    assert [results[call_id] for call_id in asked] == [True, False]
    assert world.types()[-2:] == ["turn.completed", "session.idled"]


_TOOL, _MESSAGE = EventType.TOOL_COMPLETED, EventType.OUTPUT_COMPLETED


def test_a_conversation_that_is_too_large_fails_in_words(world: World) -> None:
    response = {"type": "error", "kind": "request_too_large", "message": "too many tokens"}
    world.worker().run(world.say("Hello", response=response))

    assert _one(world, EventType.TURN_FAILED).data["error_fields"] == {
        "reason": "request_too_large"
    }


@pytest.mark.parametrize(
    ("disclosure", "expected"),
    [("generic", False), ("standard", False), ("detailed", True)],
)
def test_the_provider_s_own_words_are_for_who_asks_for_details(
    world: World, disclosure: str, *, expected: bool
) -> None:
    response = {"type": "error", "kind": "request_too_large", "message": "limit is 42 tokens"}
    hints = {"llmsim": {"response": response}}
    world.worker().run(world.post("Hello", hints=hints, error_disclosure=disclosure))

    failed = _one(world, EventType.TURN_FAILED).data
    assert ("42 tokens" in failed["error"]) == expected
    assert failed["error_disclosure"] == disclosure
    assert "42 tokens" not in _one(world, EventType.OUTPUT_COMPLETED).data_json or expected
    told = _one(world, EventType.REASON_COMPLETED).data["error"]
    assert told == ("limit is 42 tokens" if expected else "request_too_large")
    assert _one(world, EventType.LLM_GENERATION).data["metadata"]["error"] == told
    shown = "".join(event.data_json for event in world.events())
    assert ("42 tokens" in shown.replace(_question(world), "")) == expected
    assert _kept_errors(world) == ["limit is 42 tokens"] * 2


def test_no_more_is_told_than_the_operator_allows(world: World) -> None:
    world.settings = replace(world.settings, error_disclosure_max="generic")
    response = {"type": "error", "kind": "request_too_large", "message": "limit is 42 tokens"}
    hints = {"llmsim": {"response": response}}
    world.worker().run(world.post("Hello", hints=hints, error_disclosure="detailed"))

    failed = _one(world, EventType.TURN_FAILED).data
    assert (failed["error"], failed["error_disclosure"]) == (GENERIC, "generic")
    assert _one(world, EventType.REASON_COMPLETED).data["error"] == "request_too_large"
    assert _kept_errors(world) == ["limit is 42 tokens"] * 2


def _question(world: World) -> str:
    """What was asked; with it, how the simulated model is to fail."""
    return _one(world, EventType.INPUT_MESSAGE).data_json


def _kept_errors(world: World) -> list[str]:
    """What an operator finds in the database."""
    kept = world.row(
        "SELECT array_agg(private ->> 'error' ORDER BY sequence) AS errors FROM events"
        " WHERE session_id = :s AND private ? 'error'"
    )
    errors: list[str] = kept.errors
    return errors


# --- other models -----------------------------------------------------------------------


@dataclass
class _Provider:
    """A provider of a test's own; `then` is what becomes of each call."""

    then: Callable[[LLMRequest], list[Streamed | LLMFailure]]
    asked: list[LLMRequest] = field(default_factory=list)

    image_limits: ClassVar = ImageLimits()

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        assert not stop.is_set()
        self.asked.append(request)
        for item in self.then(request):
            if isinstance(item, LLMFailure):
                raise item
            yield item

    def install(self, patch: pytest.MonkeyPatch) -> None:
        def reach(_self: Endpoints, _organization_id: UUID, model: ModelChoice) -> Endpoint:
            return Endpoint(model.provider_id, model.provider_type)

        patch.setattr(assembly, "driver_for", lambda *_, **__: self)
        patch.setattr(Endpoints, "of", reach)


def _choose(
    patch: pytest.MonkeyPatch, model: ModelChoice, *fallbacks: ModelChoice | ModelMissing
) -> None:
    """What every turn from now on runs on."""

    def chosen(*args: Any) -> TurnConfig:
        return replace(resolve(*args), model=model, fallbacks=fallbacks)

    patch.setattr(entry, "resolve", chosen)


def _says(text: str) -> list[Streamed | LLMFailure]:
    return [TextDelta(text), Reply(Usage(7, 3), "stop", "served-model")]


def _model(name: str, provider: str = "provider_a", **fields: Any) -> ModelChoice:
    return ModelChoice(f"model_{name}", name, "elsewhere", provider_id=provider, **fields)


def test_a_provider_that_is_down_gives_way_to_the_next_and_the_events_say_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = LLMFailure(FailureReason.UNAVAILABLE, "HTTP 503")
    provider = _Provider(lambda request: [down] if request.model == "a" else _says("Here I am."))
    provider.install(monkeypatch)
    _choose(monkeypatch, _model("a"), ModelMissing("gone"), _model("b", "provider_b"))
    world.worker().run(world.post("Hello"))

    assert world.types() == [*TEXT_TURN[:6], *["llm.generation"] * 3, *TEXT_TURN[7:]]
    assert world.answers() == ["Here I am."]
    told = [each["metadata"] for each in _data(world, EventType.LLM_GENERATION)]
    assert [each["success"] for each in told] == [False, False, True]
    assert told[2]["fallback"] == {"from": "gone", "reason": "model_unavailable"}
    assert told[1]["fallback"] == {"from": "a", "reason": "provider_unavailable"}
    assert _one(world, _MESSAGE).data["metadata"] == {
        "model": "served-model",
        "model_id": "model_b",
        "provider_id": "provider_b",
    }


def test_without_a_fallback_that_answers_the_chosen_model_s_failure_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = LLMFailure(FailureReason.RATE_LIMITED, "HTTP 429")
    _Provider(lambda _request: [limited]).install(monkeypatch)
    _choose(monkeypatch, _model("a"), ModelMissing("gone"))
    world.worker().run(world.post("Hello"))

    expected = [*TEXT_TURN[:5], "llm.generation", *_FAILED, *_APOLOGY]
    assert world.types() == expected
    failed = _one(world, EventType.TURN_FAILED).data
    assert failed["error_fields"] == {"reason": "provider_rate_limited"}


def test_two_workers_share_what_they_know_of_a_provider(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = LLMFailure(FailureReason.UNAVAILABLE, "HTTP 503")
    provider = _Provider(lambda request: [down] if request.model == "a" else _says("Here."))
    provider.install(monkeypatch)
    _choose(monkeypatch, _model("a"))
    workers = [world.worker(), world.worker()]
    for number in range(THRESHOLD):
        workers[number % 2].run(world.post("Hello"))
    assert len(provider.asked) == THRESHOLD

    for worker in workers:
        worker.run(world.post("Hello"))
    assert len(provider.asked) == THRESHOLD, "no call was made"
    told = _data(world, EventType.LLM_GENERATION)[-1]["metadata"]
    assert told["error"] == "provider_unavailable"
    assert "circuit breaker" in _kept_errors(world)[-1]
    failed = _data(world, EventType.TURN_FAILED)[-1]
    assert failed["error_fields"] == {"reason": "provider_unavailable"}

    _choose(monkeypatch, _model("a"), _model("b", "provider_b"))
    workers[0].run(world.post("Hello"))
    assert [request.model for request in provider.asked[THRESHOLD:]] == ["b"]
    assert world.answers()[-1] == "Here."


_PNG = saved(two_halves(size=(2, 1)), "PNG")


@pytest.mark.parametrize("takes_images", [True, False])
def test_images_reach_models_that_take_them(
    world: World, monkeypatch: pytest.MonkeyPatch, *, takes_images: bool
) -> None:
    provider = _Provider(lambda _request: _says("A cat."))
    provider.install(monkeypatch)
    model = _model("a")
    profile = replace(model.profile, takes_images=takes_images)
    _choose(monkeypatch, replace(model, profile=profile))
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "base64": base64.b64encode(_PNG).decode(), "media_type": "image/png"},
        {"type": "image", "url": "https://example.org/cat.gif"},
    ]
    world.worker().run(world.post_parts(parts))

    (message,) = provider.asked[0].messages
    both = (InlineImage("image/png", _PNG), LinkedImage("https://example.org/cat.gif"))
    assert message.images == (both if takes_images else ())
    assert ("image" in message.text) != takes_images

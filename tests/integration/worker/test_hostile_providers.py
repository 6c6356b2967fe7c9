"""Whole turns with providers that answer as none should: each has a defined end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.domain.events import EventType
from dev.services import free_test_port
from tests.contract.llm.playback import Answer, Playback
from tests.contract.llm.wire import ANSWERS, ENDINGS, chat
from tests.integration.worker.conftest import World
from tests.integration.worker.outside import LOOK_UP, Outside, results
from tests.integration.worker.test_provider_keys import KEY, provided
from worker.llm.border import MOST_TOKENS
from worker.llm.tool_arguments import CUT_OFF
from worker.llm.tool_names import legal_name

_TYPES = sorted(ANSWERS)


@pytest.fixture
def playback(world: World) -> Iterator[Playback]:
    world.settings = replace(world.settings, secrets_encryption_key=KEY)
    with Playback(free_test_port()) as server:
        yield server


def _text(provider_type: str, words: Any) -> Any:
    return {"content": words} if provider_type == "openai_completions" else words


def _answers(provider_type: str, *words: Any, **more: Any) -> Answer:
    said = [_text(provider_type, each) for each in words]
    return Answer(tuple(ANSWERS[provider_type](*said, **more)))


def _run(world: World, playback: Playback, provider_type: str, *answers: Answer) -> None:
    provided(world, provider_type, playback.url)
    playback.plays(*answers)
    world.worker().run(world.post("Go"))


@pytest.mark.parametrize("provider_type", _TYPES)
def test_a_value_of_another_type_fails_the_turn_in_words(
    world: World, playback: Playback, provider_type: str, capfd: pytest.CaptureFixture[str]
) -> None:
    _run(world, playback, provider_type, _answers(provider_type, "Hel", 5))

    failed = next(event for event in world.events() if event.type == EventType.TURN_FAILED)
    assert failed.data["error_code"] == "llm_error"
    assert failed.data["error_fields"] == {"reason": "provider_unavailable"}
    assert world.types()[-1] == "session.idled"
    assert "turn_crashed" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("provider_type", _TYPES)
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ('{"a": NaN, "b": 1}', "not finite"),
        ('{"a": 1e999, "b": 1}', "not finite"),
        ('{"a": 18446744073709551617, "b": 1}', "64 bits"),
        (f'{{"a": {"9" * 4000}, "b": 1}}', "64 bits"),
        (f'{{"a": {"[" * 500}{"]" * 500}, "b": 1}}', "nested"),
    ],
    ids=["nan", "1e999", "2**64", "huge", "deep"],
)
def test_arguments_that_cannot_be_kept_are_answered_with_an_error(
    world: World, playback: Playback, provider_type: str, arguments: str, problem: str
) -> None:
    called = _answers(provider_type, calls=[("c1", "add", [arguments])])
    provided(world, provider_type, playback.url)
    world.grant("test_math", model_id=f"house-{provider_type}")
    playback.plays(called, _answers(provider_type, "Sorry."))
    world.worker().run(world.post("Add"))

    (result,) = results(world).values()
    assert (result["success"], result["status"]) == (False, "error")
    assert problem in result["error"]
    assert world.answers()[-1] == "Sorry."
    assert world.types()[-2:] == ["turn.completed", "session.idled"]


@pytest.mark.parametrize("provider_type", _TYPES)
def test_a_call_that_was_cut_off_is_not_asked_of_the_client(
    world: World, playback: Playback, provider_type: str
) -> None:
    Outside(world).define(LOOK_UP)
    ending = ENDINGS[provider_type]["length"]
    cut = _answers(provider_type, calls=[("c1", LOOK_UP["name"], [])], end=ending)
    _run(world, playback, provider_type, cut, _answers(provider_type, "Sorry."))

    assert "tool.call_requested" not in world.types()
    assert results(world)["c1"]["error"] == CUT_OFF
    assert CUT_OFF in str(playback.received[-1].body), "the model is told"
    assert world.types()[-2:] == ["turn.completed", "session.idled"]


@pytest.mark.parametrize("provider_type", _TYPES)
def test_usage_beyond_all_bounds_does_no_harm_to_the_session(
    world: World, playback: Playback, provider_type: str
) -> None:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
    usage = dict.fromkeys(names, 10**30)
    answer = _answers(provider_type, "Hello.", usage=usage)
    _run(world, playback, provider_type, answer)
    for _ in range(3):
        world.worker().run(world.post("Again"))

    assert world.answers() == ["Hello."] * 4
    idled = [event.data["usage"] for event in world.events() if event.type == "session.idled"]
    assert idled[-1]["input_tokens"] == 4 * MOST_TOKENS


@pytest.mark.parametrize("provider_type", _TYPES)
def test_a_tool_with_a_dot_in_its_name_is_offered_and_asked_for(
    world: World, playback: Playback, provider_type: str
) -> None:
    outside = Outside(world)
    outside.define({**LOOK_UP, "name": "books.look_up"})
    called = _answers(provider_type, calls=[("c1", legal_name("books.look_up"), ["{}"])])
    _run(world, playback, provider_type, called, _answers(provider_type, "Found."))

    requested = [event.data for event in world.events() if event.type == "tool.call_requested"]
    assert [call["name"] for call in requested[0]["tool_calls"]] == ["books.look_up"]
    outside.give(("c1", "a book"))
    world.worker().run(outside.queue.sent[-1])
    assert world.answers()[-1] == "Found."
    first, last = (str(each.body) for each in playback.received)
    assert legal_name("books.look_up") in first
    assert "books.look_up" not in first.replace(legal_name("books.look_up"), "")
    assert "books.look_up" not in last.replace(legal_name("books.look_up"), "")


def test_a_tool_that_is_called_by_an_impossible_name_does_not_spoil_the_session(
    world: World, playback: Playback
) -> None:
    name = "bad name.<x>" * 100
    called = Answer(tuple(chat(calls=[("c1", name, ["{}"])], end="tool_calls")))
    _run(world, playback, "openai_completions", called, Answer(tuple(chat({"content": "No."}))))

    assert not results(world)["c1"]["success"]
    assert world.answers()[-1] == "No."
    sent = playback.received[-1].body["messages"][-2]["tool_calls"][0]["function"]["name"]
    assert sent == legal_name(sent)


def test_a_secret_thought_goes_to_the_provider_it_came_from_alone(
    world: World, playback: Playback
) -> None:
    thought = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "SECRET"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": thought}
    first, *rest = ANSWERS["openai"]("One.")
    provider_id = provided(world, "openai", playback.url)
    playback.plays(Answer((first, done, *rest)), Answer(tuple(ANSWERS["openai"]("Two."))))
    world.worker().run(world.post("Hello"))
    world.worker().run(world.post("More"))
    assert "SECRET" in str(playback.received[-1].body)

    kept = world.row(
        "SELECT private::text AS kept FROM events"
        " WHERE session_id = :s AND type = 'output.message.completed' LIMIT 1"
    ).kept
    assert provider_id.hex in kept
    with Playback(free_test_port()) as other:
        other.plays_events(*chat({"content": "Three."}))
        provided(world, "openai_completions", other.url)
        world.worker().run(world.post("And more"))
        assert "SECRET" not in str(other.received[-1].body)

"""What is asked of a model, given what is known of it."""

import pytest

from common.domain.model import UNKNOWN_MODEL, ModelProfile
from tests.unit.llm.requests import ASKED, a_request
from worker.llm.anthropic_messages_request import messages_request
from worker.llm.driver import Effort, Endpoint, ModelMessage, ThinkingBlock
from worker.llm.generation import asked_effort, wished_effort, with_own_thinking
from worker.llm.openai_completions_request import completions_request
from worker.llm.openai_responses_request import responses_request

_ENDPOINT = Endpoint("provider_1", "openai_completions")


def _thinker(*efforts: str) -> ModelProfile:
    return ModelProfile(reasons=True, efforts=efforts)


@pytest.mark.parametrize(
    ("wish", "listed", "sent"),
    [
        ("medium", ("low", "medium", "high"), "medium"),
        ("xhigh", ("minimal", "low", "medium", "high"), "high"),
        ("minimal", ("low", "medium", "high"), "low"),
        ("minimal", ("none", "low", "medium"), "low"),
        ("none", ("low", "medium", "high"), "low"),
        ("none", ("none", "low"), "none"),
        ("none", (), "none"),
        ("medium", ("low", "high"), "low"),
        ("xhigh", (), "xhigh"),
        ("high", ("turbo",), "high"),
        (None, ("low",), None),
    ],
)
def test_the_nearest_of_the_efforts_that_a_model_lists_is_asked_for(
    wish: Effort | None, listed: tuple[str, ...], sent: Effort | None
) -> None:
    request = a_request(effort=wish, profile=_thinker(*listed))
    assert asked_effort(request) == sent
    assert responses_request(request).get("reasoning", {}).get("effort") == sent
    assert completions_request(request, _ENDPOINT).get("reasoning_effort") == sent
    assert wished_effort(request) == (None if sent == "none" or wish == "none" else sent)


@pytest.mark.parametrize("wish", ["none", "minimal", "high"])
def test_a_model_that_does_not_think_is_asked_for_no_effort(wish: Effort) -> None:
    request = a_request(effort=wish, profile=ModelProfile(context_tokens=10, efforts=("low",)))
    assert asked_effort(request) is None
    assert wished_effort(request) is None
    assert "reasoning" not in responses_request(request)
    assert "reasoning_effort" not in completions_request(request, _ENDPOINT)
    assert "thinking" not in messages_request(request)


def test_a_budget_is_that_of_the_nearest_effort() -> None:
    request = a_request(effort="xhigh", profile=_thinker("low", "medium"))
    assert messages_request(request)["thinking"]["budget_tokens"] == 10240


_ADAPTIVE = ModelProfile(reasons=True, thinks_adaptively=True, output_tokens=20_000)


def test_a_model_that_is_known_to_decide_itself_is_given_no_budget() -> None:
    payload = messages_request(a_request(effort="high", max_tokens=500, profile=_ADAPTIVE))
    assert payload["thinking"] == {"type": "adaptive"}
    assert payload["output_config"] == {"effort": "high"}
    # What it thinks counts as output, and comes on top of what was asked for.
    assert payload["max_tokens"] == 20_000
    low = messages_request(a_request(effort="low", max_tokens=500, profile=_ADAPTIVE))
    assert low["max_tokens"] == 500 + 4096
    assert "thinking" not in messages_request(a_request(profile=_ADAPTIVE))


@pytest.mark.parametrize(
    ("setting", "profile", "kind"),
    [
        ("budget", _ADAPTIVE, "enabled"),
        ("adaptive", UNKNOWN_MODEL, "adaptive"),
        ("nonsense", _ADAPTIVE, "adaptive"),
        (None, UNKNOWN_MODEL, "enabled"),
    ],
)
def test_what_a_model_s_settings_say_counts_first(
    setting: str | None, profile: ModelProfile, kind: str
) -> None:
    request = a_request(effort="low", profile=profile, settings={"thinking": setting})
    assert messages_request(request)["thinking"]["type"] == kind


def _thought(provider_id: str) -> ThinkingBlock:
    return ThinkingBlock("hm", "openai", {"encrypted_content": provider_id}, provider_id)


_TALK = (
    ASKED,
    ModelMessage("assistant", "So.", thinking=(_thought("provider_1"), _thought("provider_2"))),
    ModelMessage("assistant", "And.", thinking=(_thought(""),)),
)


@pytest.mark.parametrize("profile", [UNKNOWN_MODEL, ModelProfile(reasons=True)])
def test_thinking_goes_back_to_the_provider_it_came_from_and_to_no_other(
    profile: ModelProfile,
) -> None:
    request = with_own_thinking(a_request(*_TALK, profile=profile), _ENDPOINT)
    assert [message.thinking for message in request.messages] == [
        (),
        (_thought("provider_1"),),
        (),
    ]
    assert [message.text for message in request.messages] == [each.text for each in _TALK]


def test_a_model_that_does_not_think_is_given_no_thinking_back() -> None:
    profile = ModelProfile(context_tokens=128_000)
    request = with_own_thinking(a_request(*_TALK, profile=profile), _ENDPOINT)
    assert not any(message.thinking for message in request.messages)


def test_an_endpoint_without_a_name_is_given_none_either() -> None:
    request = with_own_thinking(a_request(*_TALK), Endpoint("", "openai"))
    assert not any(message.thinking for message in request.messages)

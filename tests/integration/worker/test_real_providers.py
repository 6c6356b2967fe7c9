"""Whole turns against a provider's wire format: worker, stored provider, official client, HTTP."""

import base64

import pytest

from common.domain.events import EventType
from tests.contract.llm.stage import MockedProvider
from tests.corpus import saved, two_halves
from tests.integration.worker.conftest import World
from tests.integration.worker.mocked import mock_server_url, provider

pytestmark = pytest.mark.slow

# Fixtures, by their names.
__all__ = ["mock_server_url", "provider"]

_PIXEL = base64.b64encode(saved(two_halves(size=(2, 1)), "PNG")).decode()


def _failure(world: World) -> dict[str, object]:
    failed = next(event for event in world.events() if event.type == EventType.TURN_FAILED)
    data: dict[str, object] = failed.data
    return data


def test_an_answer_is_streamed_and_counted(world: World, provider: MockedProvider) -> None:
    provider.says("Tokyo is sunny today.")

    world.worker().run(world.post("How is Tokyo?"))

    assert world.answers() == ["Tokyo is sunny today."]
    generation = next(event for event in world.events() if event.type == EventType.LLM_GENERATION)
    metadata = generation.data["metadata"]
    assert metadata["provider"] == provider.endpoint.provider_type
    assert metadata["usage"]["input_tokens"] > 0
    assert metadata["usage"]["output_tokens"] > 0
    assert metadata["finish_reasons"] == ["stop"]
    assert metadata["response_id"]


def test_several_tools_are_called_and_their_results_sent_back(
    world: World, provider: MockedProvider
) -> None:
    world.grant("test_math", model_id=f"house-{provider.endpoint.provider_type}")
    calls = [("add", {"a": 1, "b": 2}), ("multiply", {"a": 3, "b": 4})]
    provider.does_in_turn(
        {"type": "reply", "tool_calls": [{"name": n, "arguments": a} for n, a in calls]},
        {"type": "reply", "text": "Three and twelve."},
    )

    world.worker().run(world.post("Sum and product?"))

    assert world.answers()[-1] == "Three and twelve."
    results = [event.data for event in world.events() if event.type == EventType.TOOL_COMPLETED]
    assert {data["tool_name"] for data in results} == {"add", "multiply"}
    assert all(data["success"] for data in results)
    sent = str(provider.received()[-1])
    assert "3.0" in sent
    assert "12.0" in sent


def test_a_limit_that_passes_is_waited_out(world: World, provider: MockedProvider) -> None:
    provider.does_in_turn(
        {"type": "fail", "status": 429, "retry_after": 0},
        {"type": "reply", "text": "Here I am."},
    )

    world.worker().run(world.post("Hello"))

    assert world.answers() == ["Here I am."]
    generation = next(event for event in world.events() if event.type == EventType.LLM_GENERATION)
    assert generation.data["metadata"]["retry"]["attempts"] == 1


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ({"type": "fail", "status": 401}, "provider_misconfigured"),
        ({"type": "fail", "status": 404}, "model_unavailable"),
        ({"type": "stream_fault", "kind": "disconnect", "after_chunks": 4}, "provider_unavailable"),
        (
            {"type": "stream_fault", "kind": "malformed", "after_chunks": 4},
            "provider_unavailable",
        ),
        ({"type": "stream_fault", "kind": "truncate", "after_chunks": 4}, "provider_unavailable"),
    ],
    ids=["401", "404", "disconnect", "malformed chunk", "truncated"],
)
def test_a_failure_ends_the_turn_in_the_seed_s_order(
    world: World, provider: MockedProvider, behavior: dict[str, object], reason: str
) -> None:
    provider.does_in_turn(*[{**behavior}] * 3)

    world.worker().run(world.post("Hello"))

    assert _failure(world)["error_code"] == "llm_error"
    assert _failure(world)["error_fields"] == {"reason": reason}
    assert world.types()[-4:] == [
        "reason.completed",
        "turn.failed",
        "output.message.completed",
        "session.idled",
    ]


def test_a_picture_reaches_the_provider(world: World, provider: MockedProvider) -> None:
    provider.says("A picture.")
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "media_type": "image/png", "base64": _PIXEL},
    ]

    world.worker().run(world.post_parts(content))

    assert world.answers() == ["A picture."]
    assert _PIXEL in str(provider.received()[-1])

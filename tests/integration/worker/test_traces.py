"""A turn in traces: one tree, whoever ran it, from the request to the provider and the tools."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from common import tracing
from common.domain.trace import TraceContext
from tests.conditions import wait_until
from tests.fakes.model_lists import listing_provider
from tests.fakes.otlp import Collector, Received, collecting
from tests.integration.worker.conftest import World
from tests.integration.worker.mcp import (
    mcp_world,
    register,
    results,
    say_calls,
    server_url,
    shown,
)
from tests.integration.worker.outside import LOOK_UP, Outside, asked
from tests.integration.worker.test_provider_keys import KEY, provided

# Fixtures, by their names.
__all__ = ["mcp_world", "server_url"]

_SENT = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
_SECRET = "xyzzy-private-words"  # noqa: S105 - made up
_WEATHER = {"name": "get_weather", "arguments": {"location": _SECRET}}


@pytest.fixture
def collector(world: World) -> Iterator[Collector]:
    with collecting() as collector:
        endpoint = {"otel_exporter_otlp_endpoint": collector.url}
        world.settings = replace(world.settings, **endpoint)  # type: ignore[arg-type]
        yield collector


def _run(world: World) -> None:
    """Run the open turn on a worker of its own, to where it has told all."""
    worker = world.worker()
    turn_id = world.row("SELECT open_turn_id AS id FROM session_heads WHERE session_id = :s").id
    worker.run(turn_id)
    worker.stop()
    world.workers.remove(worker)


def _tree(spans: list[Received]) -> list[tuple[str, str]]:
    """Each span with its parent's name; empty for one that is not among them."""
    name_of = {span.span_id: span.name for span in spans}
    assert len(name_of) == len(spans), "a span has an id of its own"
    return sorted((span.name, name_of.get(span.parent_id, "")) for span in spans)


def test_a_turn_is_a_tree_below_the_request_that_asked_for_it(
    world: World, collector: Collector
) -> None:
    world.grant("test_weather")
    call = {"type": "fixed", "tool_calls": [_WEATHER]}
    with tracing.within(_SENT):
        Outside(world).say("Hello", hints={"llmsim": {"tool_calls": call}})
    _run(world)

    spans = collector.of(_SENT.trace_id)
    assert len(spans) == len(collector.spans) == 7
    assert _tree(spans) == [
        ("act", "invoke_agent"),
        ("chat llmsim-model", "reason"),
        ("chat llmsim-model", "reason"),
        ("execute_tool get_weather", "act"),
        ("invoke_agent", ""),
        ("reason", "invoke_agent"),
        ("reason", "invoke_agent"),
    ]
    (root,) = collector.named("invoke_agent")
    assert root.parent_id == _SENT.span_id
    assert not root.error
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["gen_ai.conversation.id"].startswith("session_")
    assert root.attributes["everturn.turn.outcome"] == "completed"
    chat = collector.named("chat")[0]
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.provider.name"] == "llmsim"
    assert chat.attributes["gen_ai.usage.input_tokens"] > 0
    (tool,) = collector.named("execute_tool")
    assert tool.attributes["gen_ai.tool.name"] == "get_weather"
    assert tool.attributes["gen_ai.tool.call.id"]
    assert _SECRET not in str(collector.spans)
    in_events = {e.context["trace_id"] for e in world.events() if "trace_id" in e.context}
    assert in_events == {_SENT.trace_id}


def test_without_a_request_to_belong_to_the_trace_has_the_turns_digits(
    world: World, collector: Collector
) -> None:
    turn_id = world.post("Hello")
    _run(world)
    assert {span.trace_id for span in collector.spans} == {turn_id.hex}
    (root,) = collector.named("invoke_agent")
    assert root.parent_id == ""
    assert all(
        e.context["trace_id"] == turn_id.hex for e in world.events() if "trace_id" in e.context
    )


def test_what_nobody_wants_to_see_is_not_sent(world: World, collector: Collector) -> None:
    with tracing.within(replace(_SENT, is_sampled=False)):
        Outside(world).say("Hello")
    _run(world)
    assert collector.spans == []


def test_a_failed_turn_is_marked_by_its_code(world: World, collector: Collector) -> None:
    world.say("Hello", response={"type": "error", "message": _SECRET})
    _run(world)
    (root,), (chat,) = collector.named("invoke_agent"), collector.named("chat")
    assert root.error
    assert chat.error
    assert root.attributes["error.type"]
    assert _SECRET not in str(collector.spans)


def test_content_is_told_only_when_asked_for(world: World, collector: Collector) -> None:
    world.settings = replace(world.settings, otel_record_content=True)
    world.grant("test_weather")
    world.say("Hello", tool_calls={"type": "fixed", "tool_calls": [_WEATHER]})
    _run(world)
    (tool,) = collector.named("execute_tool")
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"])["location"] == _SECRET
    assert _SECRET in tool.attributes["gen_ai.tool.call.result"]
    said = json.loads(collector.named("chat")[-1].attributes["gen_ai.output.messages"])
    assert said[0]["role"] == "assistant"


def test_a_provider_is_told_which_call_it_serves_if_it_is_traced(
    world: World, collector: Collector
) -> None:
    world.settings = replace(world.settings, secrets_encryption_key=KEY)
    traced = world.settings
    with listing_provider() as provider:
        provider.status, provider.body = 401, {"error": {"message": "no"}}
        provided(world, "openai", provider.url)
        for settings in (replace(traced, otel_exporter_otlp_endpoint=""), traced):
            world.settings = settings
            with tracing.within(_SENT):
                Outside(world).say("Hello")
            _run(world)
    (_, untold), (_, told) = provider.asked
    (chat,) = collector.named("chat")
    assert "traceparent" not in untold
    assert told["traceparent"] == f"00-{_SENT.trace_id}-{chat.span_id}-01"


def test_an_mcp_server_is_told_which_call_it_serves(
    mcp_world: World, server_url: str, collector: Collector
) -> None:
    server = register(mcp_world, server_url)
    mcp_world.grant(server.capability_id)
    say_calls(mcp_world, server, ("who.calls", {}))
    _run(mcp_world)
    (result,) = results(mcp_world)
    (tool,) = collector.named("execute_tool")
    sent = json.loads(shown(result)["result"])["traceparent"]
    assert sent == f"00-{tool.trace_id}-{tool.span_id}-01"


def test_a_turn_on_two_workers_is_one_tree(world: World, collector: Collector) -> None:
    outside = Outside(world)
    outside.define(LOOK_UP)
    call = {"name": "look_up", "arguments": {}}
    with tracing.within(_SENT):
        outside.say(
            "Hello", hints={"llmsim": {"tool_calls": {"type": "fixed", "tool_calls": [call]}}}
        )
    _run(world)
    assert collector.named("invoke_agent") == []
    outside.give((asked(world)[0], "found"))
    _run(world)
    spans = collector.of(_SENT.trace_id)
    known = {span.span_id for span in spans} | {_SENT.span_id}
    assert {span.parent_id for span in spans} <= known
    assert len(collector.named("invoke_agent")) == 1


def test_a_collector_that_is_down_costs_a_turn_nothing(world: World, collector: Collector) -> None:
    collector.is_down = True
    world.post("Hello")
    _run(world)
    assert world.answers() == ["Echo: Hello"]
    # Who still tried would meet a later test, which may allow no connections at all.
    wait_until(
        lambda: not any(each.name.startswith("Otel") for each in threading.enumerate()),
        description="nobody tries to reach the collector any more",
    )

"""Client-side tools with the official client: asked for live, answered, and tried again."""

import asyncio
import time
from typing import Any

import pytest
from everruns_sdk import ApiError, ContentPart, Event, Everruns, Session

from tests import plain_http
from tests.contract.sdk.following import following, until
from tests.system import System

pytestmark = pytest.mark.anyio

LOOK_UP = {
    "type": "client_side",
    "name": "look_up",
    "description": "Looks something up",
    "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
}


def post(system: System, path: str, body: Any) -> Any:
    reply = plain_http.post(f"{system.base_url}/api/v1{path}", json=body, timeout=10)
    assert reply.is_success, reply.text
    return reply.json()


def script(*steps: list[str], pause_ms: int = 0) -> dict[str, Any]:
    turns: list[dict[str, Any]] = [
        {"text": "", "tool_calls": [{"name": name, "arguments": {"q": "x"}} for name in names]}
        for names in steps
    ]
    response = {"type": "scripted", "turns": [*turns, {"text": "done"}]}
    return {"response": response, "first_token_delay_ms": pause_ms}


def say(system: System, session: Session, llmsim: dict[str, Any]) -> None:
    message = {
        "content": [{"type": "text", "text": "Go"}],
        "controls": {"hints": {"llmsim": llmsim}},
    }
    post(system, f"/sessions/{session.id}/messages", {"message": message})


async def session_with(system: System, sdk: Everruns, *tools: dict[str, Any]) -> Session:
    made = await asyncio.to_thread(post, system, "/sessions", {"tools": list(tools)})
    return await sdk.sessions.get(made["id"])


def result(event: Event, value: Any, *, place: int = 0) -> ContentPart:
    call = event.data["tool_calls"][place]
    return ContentPart(type="tool_result", tool_call_id=call["id"], result=value)


async def test_a_call_is_seen_live_and_its_result_brings_the_answer(
    system: System, sdk: Everruns
) -> None:
    session = await session_with(system, sdk, LOOK_UP)
    async with following(sdk.events.stream(session.id)) as events:
        await asyncio.to_thread(say, system, session, script(["look_up"]))
        request = (await until(events, "tool.call_requested"))[-1]
        assert request.data["tool_calls"][0]["name"] == "look_up"
        assert (await sdk.sessions.get(session.id)).status == "waitingfortoolresults"

        answer = await sdk.messages.create_tool_results(session.id, [result(request, {"a": 1})])
        assert (answer.accepted, answer.status) == (1, "active")
        rest = await until(events, "session.idled")

    types = [event.type for event in rest]
    assert types[0] == "tool.completed"
    assert "session.idled" not in types[:-1]
    texts = [
        part.get("text")
        for event in rest
        if event.type == "output.message.completed"
        for part in event.data["message"]["content"]
    ]
    assert texts == ["done"]
    messages = await sdk.messages.list(session.id)
    (found,) = [message for message in messages if message.role == "tool_result"]
    assert found.content[0].result == {"a": 1}


async def test_a_result_that_comes_before_the_turn_waits_is_tried_again(
    system: System, sdk: Everruns
) -> None:
    """The second result is sent while the turn is on its way to its second wait."""
    session = await session_with(system, sdk, LOOK_UP)
    async with following(sdk.events.stream(session.id)) as events:
        await asyncio.to_thread(
            say, system, session, script(["look_up"], ["look_up"], pause_ms=600)
        )
        first = (await until(events, "tool.call_requested"))[-1]
        await sdk.messages.create_tool_results(session.id, [result(first, 1)])
        # Its turn is active again: the id of the call to come is not known, so the client asks
        # with one that is refused at once, when at last the turn waits.
        began = time.monotonic()
        early = ContentPart(type="tool_result", tool_call_id="call_unknown", result=2)
        with pytest.raises(ApiError) as refused:
            await sdk.messages.create_tool_results(session.id, [early])
        assert refused.value.status_code == 400, "it was tried until the turn waited"
        assert time.monotonic() - began > 0.3
        second = (await until(events, "tool.call_requested"))[-1]
        await sdk.messages.create_tool_results(session.id, [result(second, 2)])
        await until(events, "session.idled")


async def test_parts_come_one_by_one_and_errors_are_results(system: System, sdk: Everruns) -> None:
    session = await session_with(system, sdk, LOOK_UP)
    async with following(sdk.events.stream(session.id)) as events:
        await asyncio.to_thread(say, system, session, script(["look_up", "look_up"]))
        request = (await until(events, "tool.call_requested"))[-1]
        partial = await sdk.messages.create_tool_results(
            session.id, [result(request, "second", place=1)]
        )
        assert partial.status == "waitingfortoolresults"
        failed = ContentPart(
            type="tool_result", tool_call_id=request.data["tool_calls"][0]["id"], error="no luck"
        )
        answer = await sdk.messages.create_tool_results(session.id, [failed])
        assert answer.status == "active"
        done = await until(events, "session.idled")
    (act,) = [event for event in done if event.type == "act.completed"]
    assert (act.data["success_count"], act.data["error_count"]) == (1, 1)


async def test_a_turn_that_waits_is_cancelled(system: System, sdk: Everruns) -> None:
    session = await session_with(system, sdk, LOOK_UP)
    async with following(sdk.events.stream(session.id)) as events:
        await asyncio.to_thread(say, system, session, script(["look_up"]))
        await until(events, "tool.call_requested")
        await sdk.sessions.cancel(session.id)
        rest = await until(events, "session.idled")
    assert [event.type for event in rest][:2] == ["tool.completed", "turn.cancelled"]


async def test_a_call_is_allowed_over_http(system: System, sdk: Everruns) -> None:
    guarded = {**LOOK_UP, "policy": "requires_approval"}
    session = await session_with(system, sdk, guarded)
    async with following(sdk.events.stream(session.id)) as events:
        await asyncio.to_thread(say, system, session, script(["look_up"]))
        asked = (await until(events, "tool.approval_requested"))[-1]
        call_id = asked.data["tool_calls"][0]["id"]
        decisions = {"decisions": [{"tool_call_id": call_id, "decision": "allow"}]}
        path = f"/sessions/{session.id}/tool-approvals"
        reply = await asyncio.to_thread(post, system, path, decisions)
        assert reply == {"resolved": [call_id], "status": "active"}
        request = (await until(events, "tool.call_requested"))[-1]
        await sdk.messages.create_tool_results(session.id, [result(request, "found")])
        await until(events, "session.idled")

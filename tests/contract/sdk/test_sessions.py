"""Sessions and messages through the official client."""

import json

import pytest
from everruns_sdk import AgentCapabilityConfig, ApiError, Controls, Everruns, NotFoundError

from common.clock import new_id
from tests.contract.sdk.following import DELTA, answers, read_through, stopped_when
from tests.system import System
from tests.talk import Talk

pytestmark = [
    pytest.mark.anyio,
    # The client warns of its own management calls; here they are what is tested.
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]

LONG = {"type": "lorem", "target_tokens": 4000}
SLOW = Controls(hints={"llmsim": {"response": LONG, "tokens_per_second": 20}})
MISSING = f"session_{'0' * 12}7{'0' * 3}8{'0' * 15}"


async def test_create_get_and_delete(sdk: Everruns) -> None:
    agent = await sdk.agents.create(f"host-{new_id().hex}", "p")
    made = await sdk.sessions.create(
        agent_id=agent.id, title="Plans", tags=["t"], locale="de-DE", parallel_tool_calls=True
    )

    got = await sdk.sessions.get(made.id)

    assert got == made
    assert (got.agent_id, got.title, got.tags, got.locale) == (agent.id, "Plans", ["t"], "de-DE")
    assert (got.status, got.parallel_tool_calls) == ("started", True)
    await sdk.sessions.delete(made.id)
    for call in (sdk.sessions.get, sdk.sessions.delete, sdk.messages.list, sdk.events.list):
        with pytest.raises(NotFoundError):
            await call(made.id)


async def test_create_with_names_instead_of_ids(sdk: Everruns) -> None:
    agent = await sdk.agents.create(f"named-{new_id().hex}", "p")

    made = await sdk.sessions.create(agent_name=agent.name, harness_name="base")

    assert made.agent_id == agent.id
    assert made.harness_id == "harness_01933b5a000070008000000000000300"
    with pytest.raises(NotFoundError):
        await sdk.sessions.create(agent_name=f"nobody-{new_id().hex}")


async def test_list_by_agent_and_by_title(sdk: Everruns) -> None:
    mark = new_id().hex
    agent = await sdk.agents.create(f"keeper-{mark}", "p")
    old = await sdk.sessions.create(agent_id=agent.id, title=f"Old {mark}")
    new = await sdk.sessions.create(agent_id=agent.id, title=f"New {mark}")
    other = await sdk.sessions.create(title=f"Other {mark}")

    assert [s.id for s in await sdk.sessions.list(agent.id)] == [new.id, old.id]
    assert [s.id for s in await sdk.sessions.list(search=mark)] == [other.id, new.id, old.id]
    assert [s.id for s in await sdk.sessions.list(agent.id, search=f"old {mark}")] == [old.id]
    assert other.id in [s.id for s in await sdk.sessions.list()]


async def test_pin_and_unpin(sdk: Everruns) -> None:
    made = await sdk.sessions.create()

    for _ in range(2):
        await sdk.sessions.pin(made.id)
    assert (await sdk.sessions.get(made.id)).is_pinned is True
    for _ in range(2):
        await sdk.sessions.unpin(made.id)
    assert (await sdk.sessions.get(made.id)).is_pinned is False
    with pytest.raises(NotFoundError):
        await sdk.sessions.pin(MISSING)


async def test_cancel_a_running_turn_and_then_an_idle_session(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Talk for long", controls=SLOW)
    await stopped_when(sdk.events.stream(session.id), lambda event: event.type == DELTA)

    await sdk.sessions.cancel(session.id)

    seen = await read_through(sdk.events.stream(session.id), "session.idled")
    assert "turn.cancelled" in [event.type for event in seen]
    before = await sdk.events.list(session.id)
    await sdk.sessions.cancel(session.id)
    assert await sdk.events.list(session.id) == before
    assert (await sdk.sessions.get(session.id)).status == "idle"


async def test_delete_while_a_turn_is_running(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Talk for long", controls=SLOW)
    await stopped_when(sdk.events.stream(session.id), lambda event: event.type == DELTA)

    await sdk.sessions.delete(session.id)

    with pytest.raises(NotFoundError):
        await sdk.sessions.get(session.id)


async def test_export_is_one_line_a_message(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    await sdk.messages.create(session.id, "Hello\nyou ± ☕")
    await read_through(sdk.events.stream(session.id), "session.idled")

    lines = [json.loads(line) for line in (await sdk.sessions.export(session.id)).splitlines()]

    assert [(line["role"], line["content"][0]["text"]) for line in lines] == [
        ("user", "Hello\nyou ± ☕"),
        ("agent", "Echo: Hello\nyou ± ☕"),
    ]
    listed = await sdk.messages.list(session.id)
    assert [line["id"] for line in lines] == [message.id for message in listed]


async def test_a_message_and_its_answer(sdk: Everruns) -> None:
    session = await sdk.sessions.create()

    made = await sdk.messages.create(session.id, "What is a session?")
    seen = await read_through(sdk.events.stream(session.id), "session.idled")

    assert (made.role, made.content[0].text) == ("user", "What is a session?")
    assert answers(seen) == ["Echo: What is a session?"]
    listed = await sdk.messages.list(session.id)
    assert [(m.role, m.content[0].text) for m in listed] == [
        ("user", "What is a session?"),
        ("agent", "Echo: What is a session?"),
    ]
    assert listed[0] == made
    used = (await sdk.sessions.get(session.id)).usage
    assert used is not None
    assert min(used.input_tokens, used.output_tokens) > 0


async def test_controls_are_kept(sdk: Everruns) -> None:
    session = await sdk.sessions.create()
    controls = Controls(locale="fr-FR", error_disclosure="detailed", reasoning={"effort": "low"})

    made = await sdk.messages.create(session.id, "Bonjour", controls=controls)

    assert made.controls == controls


async def test_tool_messages_come_in_the_clients_own_dialect(sdk: Everruns, talk: Talk) -> None:
    session = await sdk.sessions.create(capabilities=[AgentCapabilityConfig(ref="test_weather")])
    call = {"id": "call_1", "name": "get_weather", "arguments": {"location": "Tokyo"}}
    turns = [{"text": "Let me look.", "tool_calls": [call]}, {"text": "14 degrees."}]
    script = {"llmsim": {"response": {"type": "scripted", "turns": turns}}}
    await sdk.messages.create(session.id, "Weather?", controls=Controls(hints=script))
    await read_through(sdk.events.stream(session.id), "session.idled")

    listed = await sdk.messages.list(session.id)

    assert [message.role for message in listed] == ["user", "agent", "tool_result", "agent"]
    asked, told = listed[1].content[1], listed[2].content[0]
    assert (asked.id, asked.name, asked.arguments) == ("call_1", "get_weather", call["arguments"])
    assert told.tool_call_id == "call_1"
    assert told.result["temperature"] == 14
    # Who does not send the client's scheme-less key gets the role as the guide has it.
    assert [m["role"] for m in talk.messages(session.id)] == ["user", "agent", "tool", "agent"]
    assert [m["id"] for m in talk.messages(session.id)] == [message.id for message in listed]


async def test_refusals_are_the_clients_exceptions(sdk: Everruns, system: System) -> None:
    session = await sdk.sessions.create()
    cases = [
        (sdk.messages.create(MISSING, "Hello"), 404),
        (sdk.sessions.cancel(MISSING), 404),
        (sdk.sessions.export(MISSING), 404),
        (sdk.messages.create(session.id, ""), 422),
        (sdk.events.list(session.id, types=["no.such.type"]), 400),
        (sdk.sessions.create("harness_x"), 400),
    ]
    for call, status in cases:
        with pytest.raises(ApiError) as refused:
            await call
        assert refused.value.status_code == status
        assert isinstance(refused.value, NotFoundError) == (status == 404)
        assert refused.value.message

    unknown = "org_000000000000000000000000000000ff"
    async with Everruns("k", base_url=f"{system.base_url}/api", org_id=unknown) as stranger:
        with pytest.raises(NotFoundError):
            await stranger.sessions.list()

"""The official client for one agent, from card to stream."""

from collections.abc import AsyncIterator

import pytest
from everruns_sdk import AgentClient, ApiError, Everruns, NotFoundError
from everruns_sdk.errors import EverrunsError

from common.clock import new_id
from tests.contract.sdk.following import answers, read_through
from tests.system import System
from tests.talk import Simulate

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Everruns\\.:DeprecationWarning"),
]


@pytest.fixture
async def agent(sdk: Everruns, system: System) -> AsyncIterator[AgentClient]:
    made = await sdk.agents.create(f"clerk-{new_id().hex}", "You answer.", description="Answers")
    url = f"{system.base_url}/api/v1/channels/{made.name}"
    async with AgentClient(url, "evr_ak_any") as client:
        yield client


async def test_run_in_a_new_session_and_then_in_the_same(agent: AgentClient) -> None:
    assert await agent.run("Hello") == "Echo: Hello"
    (session,) = (await agent.list_sessions())["data"]

    assert await agent.run("Again", session_id=session["id"]) == "Echo: Again"

    events = await agent.list_events(session["id"], after_sequence=0)
    assert answers(events) == ["Echo: Hello", "Echo: Again"]


async def test_run_tells_of_a_failed_turn(agent: AgentClient, simulate: Simulate) -> None:
    simulate(response={"type": "error", "message": "down"})

    with pytest.raises(EverrunsError, match="llm_error"):
        await agent.run("Hello")


async def test_the_card_and_a_session_step_by_step(agent: AgentClient) -> None:
    card = await agent.card()
    made = await agent.create_session("Plans", idempotency_key="once")
    again = await agent.create_session("Plans", idempotency_key="once")
    sent = await agent.send_message(made["id"], "Hello", idempotency_key="m1")
    seen = await read_through(agent.stream_events(made["id"], after_sequence=0), "session.idled")
    got = await agent.get_session(made["id"])

    assert (card["description"], card["streaming"]) == ("Answers", True)
    assert made["id"] == again["id"]
    assert sent["turn_id"] == next(e.data["turn_id"] for e in seen if e.type == "turn.started")
    assert answers(seen) == ["Echo: Hello"]
    assert (got["title"], got["status"], got["pending_questions"]) == ("Plans", "idle", [])
    assert await agent.cancel(made["id"]) == {"status": "no_op", "message": "Nothing to cancel"}
    since = agent.stream_events(made["id"], since_id=seen[-2].id)
    assert [event.type for event in await read_through(since, "session.idled")] == ["session.idled"]


async def test_sessions_of_others_are_not_there(
    agent: AgentClient, sdk: Everruns, system: System
) -> None:
    made = await agent.create_session()
    other = await sdk.agents.create(f"other-{new_id().hex}", "p")
    alice = agent.for_end_user("alice")
    hers = await alice.create_session()

    with pytest.raises(NotFoundError):
        await alice.get_session(made["id"])
    with pytest.raises(NotFoundError):
        await agent.list_events(hers["id"])
    url = f"{system.base_url}/api/v1/channels/{other.id}"
    async with AgentClient(url, "evr_ak_any") as stranger:
        with pytest.raises(NotFoundError):
            await stranger.send_message(made["id"], "x")
    assert [each["id"] for each in (await alice.list_sessions())["data"]] == [hers["id"]]
    assert await alice.run("Hi", session_id=hers["id"]) == "Echo: Hi"


async def test_paging_through_sessions(agent: AgentClient) -> None:
    made = [(await agent.create_session())["id"] for _ in range(3)]

    first = await agent.list_sessions(limit=2)
    rest = await agent.list_sessions(limit=2, page_token=first["next_page_token"])

    assert [each["id"] for each in first["data"] + rest["data"]] == made[::-1]
    assert rest["next_page_token"] is None


async def test_what_nobody_asked_for_is_refused(agent: AgentClient) -> None:
    made = await agent.create_session()
    decisions = {"decisions": [{"tool_call_id": "c", "decision": "allow"}]}

    for call, status in (
        (agent.answer_questions(made["id"], {"answers": []}), 409),
        (agent.submit_tool_approvals(made["id"], decisions), 409),
        (agent.for_end_user("alice").runtime_token(), 501),
    ):
        with pytest.raises(ApiError) as refused:
            await call
        assert refused.value.status_code == status

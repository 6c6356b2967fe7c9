"""`events.list` of the official client with each of its arguments."""

from typing import Any

import pytest
from everruns_sdk import ApiError, Event, Everruns

from tests.system import System
from tests.talk import Talk

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
def told(system: System) -> tuple[str, list[Json]]:
    """A session with a tool turn, a plain one and a failed one, and its whole log."""
    talk = Talk(system.base_url)
    session_id = talk.open_session(capabilities=["test_weather", "test_math"])
    calls = [
        {"name": "get_weather", "arguments": {"location": "Reykjavik"}},
        {"name": "add", "arguments": {"a": 1, "b": 2}},
    ]
    turns = [{"text": "Let me look.", "tool_calls": calls}, {"text": "Cold."}]
    talk.say(session_id, "Weather?", llmsim={"response": {"type": "scripted", "turns": turns}})
    talk.settle(session_id)
    talk.say(session_id, "Thanks, and 100 % sure?")
    talk.settle(session_id, turns=2)
    talk.say(session_id, "Fail", llmsim={"response": {"type": "error"}})
    log = talk.settle(session_id, turns=3)
    talk.close()
    return session_id, log


@pytest.fixture
def session_id(told: tuple[str, list[Json]]) -> str:
    return told[0]


@pytest.fixture
def log(told: tuple[str, list[Json]]) -> list[Json]:
    return told[1]


def numbers(events: list[Event] | list[Json]) -> list[int]:
    return [event["sequence"] if isinstance(event, dict) else event.sequence for event in events]


def event_of(log: list[Json], kind: str) -> Json:
    return next(event for event in log if event["type"] == kind)


async def test_without_arguments_it_is_the_whole_log_oldest_first(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    events = await sdk.events.list(session_id)

    assert numbers(events) == list(range(1, len(log) + 1))
    assert [event.id for event in events] == [event["id"] for event in log]
    assert {event.session_id for event in events} == {session_id}
    assert [event.ts for event in events] == sorted(event.ts for event in events)
    assert len({event.id for event in events}) == len(events)


async def test_limit_alone_gives_the_newest(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    assert numbers(await sdk.events.list(session_id, limit=5)) == numbers(log[-5:])
    assert numbers(await sdk.events.list(session_id, limit=1000)) == numbers(log)


async def test_forward_cursors_give_the_first_after_them(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    after = sdk.events.list
    assert numbers(await after(session_id, after_sequence=0, limit=3)) == [1, 2, 3]
    assert numbers(await after(session_id, after_sequence=7, limit=3)) == [8, 9, 10]
    assert numbers(await after(session_id, since_id=log[6]["id"])) == numbers(log[7:])
    assert numbers(await after(session_id, since_id=log[6]["id"], limit=2)) == [8, 9]
    assert await after(session_id, since_id=log[-1]["id"]) == []
    assert await after(session_id, after_sequence=len(log)) == []


async def test_a_backward_cursor_gives_the_last_before_it(sdk: Everruns, session_id: str) -> None:
    assert numbers(await sdk.events.list(session_id, before_sequence=6)) == [1, 2, 3, 4, 5]
    assert numbers(await sdk.events.list(session_id, before_sequence=12, limit=3)) == [9, 10, 11]
    assert await sdk.events.list(session_id, before_sequence=1) == []


async def test_around_gives_a_window_on_each_side(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    middle = log[10]
    assert numbers(await sdk.events.list(session_id, around=middle["id"], window=2)) == [
        9, 10, 11, 12, 13,
    ]  # fmt: skip
    assert numbers(await sdk.events.list(session_id, around=log[0]["id"], window=1)) == [1, 2]
    assert numbers(await sdk.events.list(session_id, around=middle["id"])) == numbers(log)


@pytest.mark.parametrize("other", [{"after_sequence": 1}, {"before_sequence": 9}])
async def test_around_excludes_other_cursors(
    sdk: Everruns, session_id: str, log: list[Json], other: dict[str, Any]
) -> None:
    with pytest.raises(ApiError) as refused:
        await sdk.events.list(session_id, around=log[4]["id"], **other)
    assert refused.value.status_code == 400
    with pytest.raises(ApiError):
        await sdk.events.list(session_id, around=log[4]["id"], since_id=log[2]["id"])


async def test_types_narrow_and_exclude_removes(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    def of(*kinds: str) -> list[int]:
        return numbers([event for event in log if event["type"] in kinds])

    both = ["turn.completed", "turn.failed"]
    assert numbers(await sdk.events.list(session_id, types=both)) == of(*both)
    without = await sdk.events.list(session_id, types=both, exclude=["turn.failed"])
    assert numbers(without) == of("turn.completed")
    rest = {event["type"] for event in log} - {"llm.generation"}
    assert numbers(await sdk.events.list(session_id, exclude=["llm.generation"])) == of(*rest)
    one = await sdk.events.list(session_id, types=["tool.completed"], limit=1)
    assert numbers(one) == of("tool.completed")[-1:]
    families = await sdk.events.list(session_id, types=["reason.*"])
    assert numbers(families) == of("reason.started", "reason.completed")


async def test_time_bounds_include_their_ends(
    sdk: Everruns, session_id: str, log: list[Json]
) -> None:
    start = event_of(log, "turn.completed")["ts"]
    end = event_of(log, "turn.failed")["ts"]

    def between(low: str, high: str) -> list[int]:
        return numbers([event for event in log if low <= event["ts"] <= high])

    assert numbers(await sdk.events.list(session_id, from_ts=start)) == between(start, "9")
    assert numbers(await sdk.events.list(session_id, to_ts=end)) == between("0", end)
    both = await sdk.events.list(session_id, from_ts=start, to_ts=end)
    assert numbers(both) == between(start, end)
    assert await sdk.events.list(session_id, from_ts="2100-01-01T00:00:00Z") == []


@pytest.mark.parametrize("name", ["turn_id", "exec_id", "trace_id"])
async def test_context_filters(sdk: Everruns, session_id: str, log: list[Json], name: str) -> None:
    value = event_of(log, "act.started")["context"][name]
    assert isinstance(value, str)
    assert value

    unknown = value[:-1] + f"{int(value[-1], 16) ^ 1:x}"

    found = await sdk.events.list(session_id, **{name: value})

    assert numbers(found) == numbers([e for e in log if e["context"].get(name) == value])
    assert await sdk.events.list(session_id, **{name: unknown}) == []


async def test_tags_match_any(sdk: Everruns, session_id: str, log: list[Json]) -> None:
    assert all(not event.get("tags") for event in log)
    assert await sdk.events.list(session_id, tags=["red", "blue"]) == []


async def test_tool_name(sdk: Everruns, session_id: str) -> None:
    found = await sdk.events.list(session_id, tool_name="get_weather")

    assert [event.type for event in found] == ["tool.started", "tool.completed"]
    kinds = [e.type for e in await sdk.events.list(session_id, tool_name="add")]
    assert kinds == ["tool.started", "tool.completed"]
    assert await sdk.events.list(session_id, tool_name="subtract") == []


async def test_q_searches_the_content(sdk: Everruns, session_id: str) -> None:
    found = await sdk.events.list(session_id, q="Reykjavik")
    assert {"tool.started", "tool.completed"} <= {event.type for event in found}
    sure = await sdk.events.list(session_id, q="100 % sure", types=["input.message"])
    assert len(sure) == 1
    assert await sdk.events.list(session_id, q="xylophone") == []
    assert await sdk.events.list(session_id, q="%") != await sdk.events.list(session_id)


async def test_order_desc(sdk: Everruns, session_id: str, log: list[Json]) -> None:
    newest_first = numbers(log)[::-1]
    assert numbers(await sdk.events.list(session_id, order_desc=True)) == newest_first
    assert numbers(await sdk.events.list(session_id, order_desc=False)) == numbers(log)
    assert numbers(await sdk.events.list(session_id, order_desc=True, limit=3)) == newest_first[:3]


async def test_arguments_work_together(sdk: Everruns, session_id: str, log: list[Json]) -> None:
    turn = event_of(log, "act.started")["context"]["turn_id"]
    expected = [
        event
        for event in log
        if event["context"].get("turn_id") == turn
        and event["type"].startswith(("tool.", "act."))
        and event["type"] != "act.completed"
        and event["sequence"] > 2
    ]

    found = await sdk.events.list(
        session_id,
        turn_id=turn,
        types=["tool.*", "act.*"],
        exclude=["act.completed"],
        after_sequence=2,
        limit=4,
    )

    assert numbers(found) == numbers(expected)[:4]


async def test_cursors_that_are_none(sdk: Everruns, session_id: str) -> None:
    stranger = await sdk.agents.create("stranger", "p")
    for since_id in ("nonsense", "event_" + "0" * 32, stranger.id):
        with pytest.raises(ApiError) as refused:
            await sdk.events.list(session_id, since_id=since_id)
        assert refused.value.status_code == 400

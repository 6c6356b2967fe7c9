"""What tools promise, kept by real workers: order, deadlines, classes, and settling by asking."""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from common.domain.events import EventType
from common.live import live_channel
from common.live_frames import Frame, LiveReport, decode
from common.redis_client import make_client
from tests.conditions import wait_until
from tests.integration.worker.conftest import World, in_background
from tests.integration.worker.test_recovery import assert_ended_once
from worker.capabilities.capability import (
    OUTCOME_UNKNOWN,
    Capability,
    Contribution,
    Scope,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolFunction,
    ToolOutcome,
    ToolSucceeded,
)
from worker.llm.driver import LLMRequest, Stop, Streamed
from worker.llm.llmsim.driver import SimulatedModel

MANY = 32


def make_tool(run: ToolFunction, *, name: str = "act", **promises: Any) -> Tool:
    parameters = {"type": "object"}
    side_effect = promises.pop("side_effect", SideEffect.PURE)
    return Tool(name, name.capitalize(), "Does something", parameters, side_effect, run, **promises)


def granting(*tools: Tool) -> dict[str, Capability]:
    return {"noop": Capability("noop", tools)}


def calling(*names: str) -> dict[str, Any]:
    """Llmsim makes these calls at once, then says something."""
    calls = [{"name": name, "arguments": {"n": place}} for place, name in enumerate(names)]
    return {"type": "fixed", "tool_calls": calls}


def completed(world: World) -> list[dict[str, Any]]:
    return [each.data for each in world.events() if each.type == EventType.TOOL_COMPLETED]


def asked(world: World) -> list[str]:
    """The ids of the calls as the model's answer has them."""
    for event in world.events():
        if event.type == EventType.OUTPUT_COMPLETED:
            parts = event.data["message"]["content"]
            return [part["id"] for part in parts if part["type"] == "tool_call"]
    raise AssertionError("the model has not answered")


# --- many at once ---------------------------------------------------------------


def test_32_calls_run_together_and_the_model_sees_their_results_in_call_order(
    world: World,
) -> None:
    everybody = threading.Barrier(MANY)
    turns_to_end = [threading.Event() for _ in range(MANY)]
    turns_to_end[-1].set()

    def run(arguments: Mapping[str, Any], _context: ToolContext, /) -> ToolOutcome:
        everybody.wait(20)
        place = arguments["n"]
        # The last one called ends first.
        assert turns_to_end[place].wait(20)
        if place:
            turns_to_end[place - 1].set()
        return ToolSucceeded({"place": place})

    world.grant("noop")
    worker = world.worker(granting(make_tool(run)))
    worker.run(world.say("Go", tool_calls=calling(*["act"] * MANY)))

    assert_ended_once(world)
    results = {each["tool_call_id"]: each["result"][0]["text"] for each in completed(world)}
    assert [results[call_id] for call_id in asked(world)] == [
        f'{{"place":{place}}}' for place in range(MANY)
    ]


@pytest.mark.parametrize(
    ("promises", "session"),
    [({"concurrency_class": "door"}, {}), ({}, {"parallel_tool_calls": False})],
)
def test_calls_that_may_not_run_together_run_in_call_order(
    world: World, promises: dict[str, Any], session: dict[str, Any]
) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def run(arguments: Mapping[str, Any], _context: ToolContext, /) -> ToolOutcome:
        inside.append(arguments["n"])
        seen.append(arguments["n"])
        together = len(inside)
        inside.remove(arguments["n"])
        return ToolSucceeded(together)

    world.grant("noop", **session)
    worker = world.worker(granting(make_tool(run, **promises)))
    worker.run(world.say("Go", tool_calls=calling(*["act"] * 8)))

    assert_ended_once(world)
    assert seen == list(range(8))
    assert [each["result"][0]["text"] for each in completed(world)] == ["1"] * 8


# --- what goes wrong ---------------------------------------------------------------


def test_a_tool_has_its_own_deadline_and_the_turn_goes_on(world: World) -> None:
    let_go = threading.Event()
    stopped = threading.Event()

    def run(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        assert context.timeout_seconds == 0.2
        while not context.is_stopped() and not let_go.is_set():
            pass
        stopped.set()
        context.report.progress("nobody sees this")
        return ToolSucceeded("late")

    world.grant("noop")
    worker = world.worker(granting(make_tool(run, timeout_seconds=0.2)))
    try:
        worker.run(world.say("Go", tool_calls=calling("act")))
        assert stopped.wait(10), "a call that nobody waits for is told so"
    finally:
        let_go.set()

    assert_ended_once(world)
    (result,) = completed(world)
    assert (result["status"], result["success"]) == ("timeout", False)
    assert "0.2 s" in result["error"]
    assert result["duration_ms"] >= 200


def test_events_name_the_capability_and_the_tool_for_people(world: World) -> None:
    world.grant("test_math")
    world.worker().run(
        world.say(
            "Add",
            tool_calls={
                "type": "fixed",
                "tool_calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}],
            },
        )
    )
    names = {
        "display_name": "Add",
        "capability_id": "test_math",
        "capability_name": "Test Math",
    }
    for kind in (EventType.TOOL_STARTED, EventType.TOOL_COMPLETED):
        (data,) = [event.data for event in world.events() if event.type == kind]
        assert {name: data[name] for name in names} == names
    (result,) = completed(world)
    assert isinstance(result["duration_ms"], int)


def test_capabilities_are_prepared_once_a_turn_and_in_no_transaction(world: World) -> None:
    seen: list[Any] = []

    def prepare(config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        # The claim is committed: another connection sees the turn as running.
        seen.append(world.row("SELECT status FROM turns").status)
        assert scope.session_id == world.session_id
        tool = make_tool(lambda _arguments, _context: ToolSucceeded(config))
        return Contribution(tools=(tool,), system_prompt="Prepared.")

    world.grant("noop")
    worker = world.worker({"noop": Capability("noop", prepare=prepare)})
    worker.run(world.say("Go", tool_calls=calling("act", "act")))

    assert_ended_once(world)
    assert seen == ["running"]
    assert [each["success"] for each in completed(world)] == [True, True]


# --- settled by asking (I5) ----------------------------------------------------------


class Settled:
    """A tool that is held in mid-call, and what is found out about the call afterwards."""

    def __init__(self, find: Callable[[], ToolOutcome | None]) -> None:
        self.keys: list[str] = []
        self.asked: list[str] = []
        self.is_held = True
        self.let_go = threading.Event()
        self._find = find
        self.capabilities = granting(
            make_tool(self._run, side_effect=SideEffect.RECONCILE, reconcile=self._ask)
        )

    def _run(self, _arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        self.keys.append(context.idempotency_key)
        if self.is_held:
            self.is_held = False
            self.let_go.wait(20)
            return ToolSucceeded("of the lost worker")
        return ToolSucceeded("made now")

    def _ask(self, _arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome | None:
        self.asked.append(context.idempotency_key)
        return self._find()


def _nobody_knows() -> ToolOutcome | None:
    raise ConnectionError("secret")


@pytest.mark.parametrize(
    ("find", "times_made", "result", "error"),
    [
        (lambda: ToolSucceeded("found"), 1, "found", None),
        (lambda: ToolFailed("was refused"), 1, None, "was refused"),
        (lambda: None, 2, "made now", None),
        (_nobody_knows, 1, None, OUTCOME_UNKNOWN),
    ],
    ids=["took effect", "failed", "did not happen", "cannot be said"],
)
def test_a_call_of_a_lost_worker_is_settled_by_asking(
    world: World,
    find: Callable[[], ToolOutcome | None],
    times_made: int,
    result: str | None,
    error: str | None,
) -> None:
    settled = Settled(find)
    world.grant("noop")
    lost, other = (world.worker(settled.capabilities) for _ in range(2))
    turn_id = world.say("Go", tool_calls=calling("act"))
    thread = in_background(lost, turn_id)
    wait_until(lambda: len(settled.keys) == 1, description="the tool runs")

    world.expire_leases()
    other.run(turn_id)
    settled.let_go.set()
    thread.join(10)

    assert_ended_once(world)
    (data,) = completed(world)
    assert (data.get("result", [{}])[0].get("text"), data.get("error")) == (result, error)
    assert len(settled.asked) == 1
    assert len(settled.keys) == times_made
    assert len({*settled.keys, *settled.asked}) == 1, "every attempt has the same key"


# --- loops --------------------------------------------------------------------------


def test_a_loop_is_pointed_out_to_the_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[LLMRequest] = []
    answer = SimulatedModel.stream

    def listen(
        driver: SimulatedModel, request: LLMRequest, *, stop: Stop
    ) -> Generator[Streamed, None, None]:
        sent.append(request)
        return answer(driver, request, stop=stop)

    monkeypatch.setattr(SimulatedModel, "stream", listen)
    call = {"name": "add", "arguments": {"a": 1, "b": 1}}
    scripted = {"type": "scripted", "turns": [{"tool_calls": [call]}] * 4 + [{"text": "stop"}]}
    world.grant("test_math", "loop_detection")
    world.worker().run(world.say("Go", response=scripted))
    assert_ended_once(world)
    results = [each.text for each in sent[-1].messages if each.role == "tool"]
    assert ["Loop detected" in each for each in results] == [False, False, True, True]
    # What is stored is the tool's; the hint is the model's alone.
    assert len({each["result"][0]["text"] for each in completed(world)}) == 1


def test_arguments_that_are_no_json_are_an_error_and_the_turn_goes_on(world: World) -> None:
    call = {"name": "add", "malformed": '{"a": 1,'}
    world.grant("test_math")
    world.worker().run(
        world.say(
            "Go",
            tool_calls={"type": "fixed", "tool_calls": [call]},
            response={"type": "fixed", "text": "Done"},
        )
    )
    assert_ended_once(world)
    assert world.answers()[-1] == "Done"
    (result,) = completed(world)
    assert (result["status"], result["success"]) == ("error", False)
    assert "not valid JSON" in result["error"]
    assert "column 9" in result["error"]


# --- live reports --------------------------------------------------------------------


def test_reports_go_out_between_a_calls_start_and_its_end(world: World) -> None:
    def run(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        context.report.output("one\n")
        context.report.output("two\n", stream="stderr")
        context.report.progress("nearly done")
        return ToolSucceeded("done")

    world.grant("noop")
    worker = world.worker(granting(make_tool(run)))
    with watching(world) as frames:
        worker.run(world.say("Go", tool_calls=calling("act")))
        wait_until(lambda: "session.idled" in told(frames), description="all is told")

    order = told(frames)
    around = order[order.index("tool.started") : order.index("tool.completed") + 1]
    assert around == [
        "tool.started",
        "tool.output.delta",
        "tool.output.delta",
        "tool.progress",
        "tool.completed",
    ]
    assert not {"tool.progress", "tool.output.delta"} & set(world.types()), "never stored"


@contextmanager
def watching(world: World) -> Iterator[list[Frame]]:
    """The frames of the session's live channel, as they come."""
    frames: list[Frame] = []
    client = make_client(world.settings.pubsub_url, timeout_seconds=2.0)
    pubsub = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
    pubsub.ssubscribe(live_channel(world.session_id))
    is_over = threading.Event()
    subscribed = threading.Event()

    def listen() -> None:
        while not is_over.is_set():
            message = pubsub.get_message(timeout=0.05)
            if message is not None and message["type"] == "ssubscribe":
                subscribed.set()
            elif message is not None:
                frames.append(decode(message["data"]))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert subscribed.wait(10)
        yield frames
    finally:
        is_over.set()
        thread.join(10)
        pubsub.close()
        client.close()


def told(frames: list[Frame]) -> list[str]:
    types: list[str] = []
    for frame in list(frames):
        if isinstance(frame, tuple):
            types += [event.type for event in frame]
        elif isinstance(frame, LiveReport):
            types.append(frame.type)
    return types


def test_a_worker_without_redis_runs_tools_that_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        context.report.progress("half")
        context.report.output("line\n")
        return ToolSucceeded("done")

    monkeypatch.setattr(world, "settings", _without_redis(world))
    world.grant("noop")
    worker = world.worker(granting(make_tool(run)))
    worker.run(world.say("Go", tool_calls=calling("act")))
    assert_ended_once(world)
    assert not {"tool.progress", "tool.output.delta"} & set(world.types()), "never stored"


def _without_redis(world: World) -> Any:
    return replace(world.settings, live_text_url="redis://127.0.0.1:1/0")

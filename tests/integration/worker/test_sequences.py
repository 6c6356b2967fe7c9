"""The event sequences of contract 4.3, from a real log."""

from typing import Any

from sqlalchemy import event as sqlalchemy_event

from tests.integration.worker.conftest import World
from tests.statements import heard

TEXT_TURN = [
    "input.message",
    "turn.started",
    "session.activated",
    "reason.started",
    "output.message.started",
    "output.message.completed",
    "llm.generation",
    "reason.completed",
    "turn.completed",
    "session.idled",
]


def test_a_text_turn_has_the_events_of_the_contract_in_order(world: World) -> None:
    world.worker().run(world.post("Hello"))

    events = world.events()
    assert [event.type for event in events] == TEXT_TURN
    assert [event.sequence for event in events] == list(range(1, 11))
    completed = events[5]
    assert completed.context["stream_sequence"] == 5
    assert completed.data["message"]["content"] == [{"type": "text", "text": "Echo: Hello"}]
    assert completed.data["message"]["phase"] == "final_answer"
    assert events[4].data["message_id"] == completed.data["message"]["id"]
    assert events[8].data["final_message_id"] == completed.data["message"]["id"]
    assert events[8].data["iterations"] == 1
    assert events[9].data["usage"] == events[8].data["usage"] == completed.data["usage"]
    head = world.row("SELECT status, open_turn_id, message_count FROM session_heads")
    assert (head.status, head.open_turn_id, head.message_count) == ("idle", None, 2)


def test_a_plain_turn_costs_two_transactions(world: World) -> None:
    worker = world.worker()
    worker.run(world.post("warm"))
    turn_id = world.post("count")
    counts: dict[str, int] = {"statements": 0, "commits": 0}
    engine = worker.database.engine

    def statement(*_: Any) -> None:
        counts["statements"] += 1

    def commit(_: Any) -> None:
        counts["commits"] += 1

    sqlalchemy_event.listen(engine, "commit", commit)
    with heard(engine, statement):
        worker.run(turn_id)

    assert world.types()[10:] == TEXT_TURN
    # Start: claim, what the turn begins with, append.  End: append.
    assert counts == {"statements": 4, "commits": 2}


def test_an_empty_answer_still_has_a_text_part(world: World) -> None:
    world.worker().run(world.say("Hello", response={"type": "empty"}))

    assert world.types() == TEXT_TURN
    assert world.events()[5].data["message"]["content"] == [{"type": "text", "text": ""}]


def test_a_tool_turn_runs_the_calls_and_reasons_again(world: World) -> None:
    world.grant("test_math", "test_weather")
    calls = [
        {"name": "add", "arguments": {"a": 1, "b": 2}},
        {"name": "get_weather", "arguments": {"location": "Tokyo"}},
        {"name": "divide", "arguments": {"a": 1, "b": 0}},
    ]
    world.worker().run(world.say("Go", tool_calls={"type": "fixed", "tool_calls": calls}))

    types = world.types()
    assert types[:8] == TEXT_TURN[:8]
    assert types[8:12] == ["act.started", "tool.started", "tool.started", "tool.started"]
    assert types[12:15] == ["tool.completed"] * 3
    assert types[15:] == ["act.completed", *TEXT_TURN[3:]]
    events = world.events()
    first = events[5].data["message"]
    assert first["phase"] == "commentary"
    assert [part["type"] for part in first["content"]] == ["text", *["tool_call"] * 3]
    started = [event.data["tool_call"]["name"] for event in events[9:12]]
    assert started == ["add", "get_weather", "divide"]
    by_name = {event.data["tool_name"]: event.data for event in events[12:15]}
    assert by_name["add"]["success"] is True
    assert "14" in by_name["get_weather"]["result"][0]["text"]
    assert by_name["divide"]["status"] == "error"
    assert events[15].data == {"completed": True, "success_count": 2, "error_count": 1}
    ended = next(event for event in events if event.type == "turn.completed")
    assert (ended.data["iterations"], ended.data["tool_call_count"]) == (2, 3)


def test_calls_run_one_after_the_other_when_the_session_wants_it(world: World) -> None:
    world.grant("test_math", parallel_tool_calls=False)
    call = {"name": "add", "arguments": {"a": 1, "b": 2}}
    world.worker().run(world.say("Go", tool_calls={"type": "fixed", "tool_calls": [call, call]}))

    acted = world.types()[8:14]
    assert acted == [
        "act.started",
        "tool.started",
        "tool.completed",
        "tool.started",
        "tool.completed",
        "act.completed",
    ]


def test_a_failing_model_ends_in_the_seeds_order(world: World) -> None:
    world.worker().run(world.say("Hello", response={"type": "error", "message": "no such key"}))

    types = world.types()
    assert types[4:] == [
        "output.message.started",
        "llm.generation",
        "reason.completed",
        "turn.failed",
        "output.message.completed",
        "session.idled",
    ]
    failed = world.events()[7].data
    assert failed["error_code"] == "llm_error"
    assert "no such key" not in failed["error"]
    assert "stream_sequence" not in world.events()[8].context
    assert world.row("SELECT status FROM turns").status == "failed"


def test_without_a_model_the_turn_fails_with_llm_error(world: World) -> None:
    world.grant(model_id="no-such-model")
    world.worker().run(world.post("Hello"))

    failed = next(event for event in world.events() if event.type == "turn.failed")
    assert failed.data["error_code"] == "llm_error"
    assert failed.data["error_fields"] == {"reason": "model_unavailable"}


def test_the_iteration_limit_ends_the_turn(world: World) -> None:
    world.grant("test_math", max_iterations=2)
    call = [{"name": "add", "arguments": {"a": 1, "b": 2}}]
    turns = [{"tool_calls": call}] * 5
    world.worker().run(world.say("Loop", response={"type": "scripted", "turns": turns}))

    types = world.types()
    assert types.count("reason.started") == 2
    assert types[-3:] == ["turn.failed", "output.message.completed", "session.idled"]
    failed = next(event for event in world.events() if event.type == "turn.failed")
    assert failed.data["error_code"] == "max_iterations"


def test_a_script_goes_on_by_the_log_not_by_memory(world: World) -> None:
    texts = ["one", "two", "three"]
    for _ in texts:
        # A worker of its own each time: nothing but the log can know the place.
        world.worker().run(world.say("next", response={"type": "sequence", "texts": texts}))

    assert world.answers() == texts

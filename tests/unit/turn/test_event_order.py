"""The order of a turn's events, as contract 4.3 has it."""

from collections.abc import Callable, Iterable

from common.domain.events import EventType, Usage
from common.domain.turn import SessionStatus, ToolCall
from tests.unit.turn.stage import FIRST_MESSAGE, TURN, Stage, answer, failure
from worker.turn.acting import FinishedCall
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.state import Limits

_TOKYO = ToolCall("call_1", "get_weather", {"location": "Tokyo"})
_OSLO = ToolCall("call_2", "get_weather", {"location": "Oslo"})
_START = [
    "input.message",
    "turn.started",
    "session.activated",
    "reason.started",
    "output.message.started",
]
_ANSWER = ["output.message.completed", "llm.generation", "reason.completed"]
_END = ["turn.completed", "session.idled"]


def _one_by_one(
    outcomes: Iterable[ModelAnswer | ModelFailure],
) -> Callable[[], ModelAnswer | ModelFailure]:
    left = iter(outcomes)
    return lambda: next(left)


def _stage(*outcomes: ModelAnswer | ModelFailure, limits: Limits | None = None) -> Stage:
    return Stage(answers=_one_by_one(outcomes), limits=limits or Limits())


def test_a_text_turn() -> None:
    stage = _stage(answer("Hello"))
    stage.begin().run()
    assert stage.memory.types() == [*_START, *_ANSWER, *_END]


def test_a_text_turn_costs_two_appends() -> None:
    stage = _stage(answer("Hello"))
    stage.begin().run()
    first, last = stage.memory.changes
    assert (first.status, first.usage) == (SessionStatus.ACTIVE, Usage())
    assert (last.status, last.sets_open_turn, last.open_turn) == (SessionStatus.IDLE, True, None)
    assert last.usage == Usage(10, 2)


def test_what_a_text_turn_says() -> None:
    stage = _stage(answer("Hello"))
    stage.begin().run()
    by_type = {event.type: event for event in stage.memory.events}
    shown_turn = f"turn_{TURN.hex}"
    turn_context = {
        "turn_id": shown_turn,
        "input_message_id": str(FIRST_MESSAGE),
        "trace_id": TURN.hex,
    }
    assert by_type["turn.started"].context == turn_context
    assert by_type["turn.started"].data["input_message_id"] == str(FIRST_MESSAGE)
    opened, completed = by_type["output.message.started"], by_type["output.message.completed"]
    exec_id = by_type["reason.started"].context["exec_id"]
    assert opened.context == {**turn_context, "exec_id": exec_id}
    assert opened.data["turn_id"] == shown_turn
    assert completed.context == {**turn_context, "exec_id": exec_id, "stream_sequence": 5}
    message = completed.data["message"]
    assert message == {
        "id": opened.data["message_id"],
        "role": "agent",
        "phase": "final_answer",
        "content": [{"type": "text", "text": "Hello"}],
    }
    assert completed.data["usage"] == {"input_tokens": 10, "output_tokens": 2}
    generation = by_type["llm.generation"].data
    assert (generation["from_sequence"], generation["to_sequence"]) == (1, 4)
    assert generation["output"] == {"message_id": message["id"]}
    ended = by_type["reason.completed"].data
    assert (ended["success"], ended["has_tool_calls"], ended["text_preview"]) == (
        True,
        False,
        "Hello",
    )
    assert by_type["turn.completed"].data == {
        "turn_id": shown_turn,
        "iterations": 1,
        "duration_ms": 260,
        "usage": {"input_tokens": 10, "output_tokens": 2},
        "final_message_id": message["id"],
        "llm_call_count": 1,
        "tool_call_count": 0,
    }
    assert by_type["turn.completed"].context == turn_context
    assert by_type["session.idled"].data == {"turn_id": shown_turn, "iterations": 1}


def test_an_empty_answer_still_has_a_text_part() -> None:
    stage = _stage(answer(""))
    stage.begin().run()
    assert stage.memory.types() == [*_START, *_ANSWER, *_END]
    (completed,) = stage.memory.of_type(EventType.OUTPUT_COMPLETED)
    assert completed.data["message"]["content"] == [{"type": "text", "text": ""}]


def test_a_tool_turn() -> None:
    stage = _stage(answer("Let me look.", _TOKYO, _OSLO), answer("Cold."))
    stage.finishes = lambda running: [
        FinishedCall(call, CallResult("success", text="9")) for call in reversed(running)
    ]
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        *_ANSWER,
        "act.started",
        *("tool.started", "tool.started", "tool.completed", "tool.completed"),
        "act.completed",
        "reason.started",
        "output.message.started",
        *_ANSWER,
        *_END,
    ]
    started = [e.data["tool_call"] for e in stage.memory.of_type(EventType.TOOL_STARTED)]
    assert started == [_TOKYO.to_json(), _OSLO.to_json()]
    ended = [e.data["tool_call_id"] for e in stage.memory.of_type(EventType.TOOL_COMPLETED)]
    assert ended == ["call_2", "call_1"], "as they came"
    commentary, final = stage.memory.of_type(EventType.OUTPUT_COMPLETED)
    assert commentary.data["message"]["phase"] == "commentary"
    assert [part["type"] for part in commentary.data["message"]["content"]] == [
        "text",
        "tool_call",
        "tool_call",
    ]
    assert final.data["message"]["phase"] == "final_answer"
    (act,) = stage.memory.of_type(EventType.ACT_COMPLETED)
    assert act.data == {"completed": True, "success_count": 2, "error_count": 0}
    (end,) = stage.memory.of_type(EventType.TURN_COMPLETED)
    assert (end.data["iterations"], end.data["tool_call_count"]) == (2, 2)
    assert end.data["usage"] == {"input_tokens": 20, "output_tokens": 4}


def test_an_answer_of_tool_calls_alone_has_no_text_part() -> None:
    stage = _stage(answer("", _TOKYO), answer("Cold."))
    stage.begin().run()
    first = stage.memory.of_type(EventType.OUTPUT_COMPLETED)[0]
    assert [part["type"] for part in first.data["message"]["content"]] == ["tool_call"]


def test_calls_one_at_a_time_start_after_the_one_before_has_ended() -> None:
    stage = _stage(answer("", _TOKYO, _OSLO), answer("Cold."), limits=Limits(parallel_calls=1))
    stage.begin().run()
    calls = [each for each in stage.memory.types() if each.startswith("tool.")]
    assert calls == ["tool.started", "tool.completed"] * 2


def test_a_call_that_failed_is_counted_as_an_error_and_the_turn_goes_on() -> None:
    stage = _stage(answer("", _TOKYO, _OSLO), answer("Cold."))
    stage.finishes = lambda running: [
        FinishedCall(running[0], CallResult("timeout", error="too late")),
        FinishedCall(running[1], CallResult("success", text="9", duration_ms=7)),
    ]
    stage.begin().run()
    late, good = [event.data for event in stage.memory.of_type(EventType.TOOL_COMPLETED)]
    assert (late["success"], late["status"], late["error"]) == (False, "timeout", "too late")
    assert "result" not in late
    assert good["result"] == [{"type": "text", "text": "9"}]
    assert (good["success"], good["status"], good["duration_ms"]) == (True, "success", 7)
    (act,) = stage.memory.of_type(EventType.ACT_COMPLETED)
    assert act.data == {"completed": True, "success_count": 1, "error_count": 1}


def test_a_model_failure_is_told_before_the_apology() -> None:
    stage = _stage(failure("provider_rate_limited", "HTTP 429 from upstream"))
    stage.begin().run()
    assert stage.memory.types() == [
        *_START,
        "llm.generation",
        "reason.completed",
        "turn.failed",
        "output.message.completed",
        "session.idled",
    ]
    by_type = {event.type: event for event in stage.memory.events}
    assert by_type["reason.completed"].data["success"] is False
    assert by_type["reason.completed"].data["error"] == "provider_rate_limited"
    assert by_type["llm.generation"].data["metadata"]["error"] == "provider_rate_limited"
    failed = by_type["turn.failed"].data
    assert failed["error_code"] == "llm_error"
    assert failed["error_fields"] == {"reason": "provider_rate_limited"}
    assert failed["error_disclosure"] == "standard"
    assert "429" not in failed["error"]
    apology = by_type["output.message.completed"]
    assert apology.data["error_code"] == "llm_error"
    assert apology.data["metadata"] is None
    assert apology.data["message"]["content"][0]["text"] == failed["error"]
    # It completes no text stream and is no words of the model.
    assert "stream_sequence" not in apology.context
    assert "exec_id" not in apology.context
    assert apology.data["message"]["id"] != by_type["output.message.started"].data["message_id"]


def test_the_limit_of_iterations_is_told_before_the_notice() -> None:
    stage = _stage(answer("", _TOKYO), limits=Limits(max_iterations=1))
    stage.begin().run()
    tail = stage.memory.types()[stage.memory.types().index("act.completed") :]
    assert tail == ["act.completed", "turn.failed", "output.message.completed", "session.idled"]
    (failed,) = stage.memory.of_type(EventType.TURN_FAILED)
    assert failed.data["error_code"] == "max_iterations"
    assert "error_fields" not in failed.data


def test_a_turn_that_keeps_losing_its_workers_is_sealed() -> None:
    stage = _stage()
    stage.begin()
    stage.resume(exhausted=True).run()
    assert stage.memory.types() == [
        *_START,
        "turn.sealed",
        "output.message.completed",
        "session.idled",
    ]
    (sealed,) = stage.memory.of_type(EventType.TURN_SEALED)
    assert sealed.data["reason"] == "no_progress"
    (notice,) = stage.memory.of_type(EventType.OUTPUT_COMPLETED)
    assert notice.data["error_code"] == "sealed"


def test_a_steered_message_is_read_in_the_same_turn() -> None:
    stage = _stage(answer("First."), answer("Both."))
    runner = stage.begin()
    stage.memory.user_says("and that?")
    runner.run()
    assert stage.memory.types() == [
        *_START,
        "input.message",
        *_ANSWER,
        "reason.started",
        "output.message.started",
        *_ANSWER,
        *_END,
    ]


def test_a_message_after_the_last_iteration_gets_a_turn_of_its_own() -> None:
    stage = _stage(answer("First."), limits=Limits(max_iterations=1))
    runner = stage.begin()
    stage.memory.user_says("and that?")
    runner.run()
    assert stage.memory.types() == [*_START, "input.message", *_ANSWER, "turn.completed"]
    assert stage.memory.ending is not None
    assert runner.next_turn == stage.memory.ending.next_turn is not None
    last = stage.memory.changes[-1]
    assert (last.status, last.open_turn) == (None, runner.next_turn)


def test_a_lost_model_call_gets_a_new_text_stream() -> None:
    stage = _stage(answer("Hello"))
    stage.begin()
    stage.resume().run()
    assert stage.memory.types() == [
        *_START,
        "reason.recovered",
        "output.message.started",
        *_ANSWER,
        *_END,
    ]
    first, second = stage.memory.of_type(EventType.OUTPUT_STARTED)
    assert first.data["message_id"] != second.data["message_id"]
    assert second.data["iteration"] == 1
    (completed,) = stage.memory.of_type(EventType.OUTPUT_COMPLETED)
    assert completed.context["stream_sequence"] == second.sequence
    assert stage.streams == [second.sequence]

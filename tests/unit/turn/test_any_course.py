"""Whatever goes wrong at whatever moment: what a turn's log says in the end is right."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.events import OPENER_TYPES, TERMINAL_TYPES, EventType
from common.domain.turn import ToolCall
from tests.unit.turn.stage import TURN, Killed, Memory, Stage, answer, failure
from worker.turn.acting import FinishedCall
from worker.turn.facts import fold
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.runner import HandOver
from worker.turn.state import Ended, Limits, TurnState

_FATES = ["stored", "lost", "unknown", "killed before", "killed after"]
_TROUBLES = 12
_RECLAIMS = 3


class _Course:
    """Draws what happens; after so many troubles everything goes well, so it ends."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self._troubles_left = data.draw(st.integers(0, _TROUBLES))
        self._steps = 0
        self._calls = 0
        self.reclaims = 0
        self.hands_over = False

    def _is_trouble(self) -> bool:
        if self._troubles_left == 0 or not self._data.draw(st.booleans()):
            return False
        self._troubles_left -= 1
        return True

    def fate(self, memory: Memory) -> str:
        if self._is_trouble():
            memory.user_says()
        fate = self._data.draw(st.sampled_from(_FATES[1:])) if self._is_trouble() else "stored"
        if fate in ("stored", "unknown", "killed after"):
            self.reclaims = 0  # nearly: what counts here is that sealing is met as well
        return fate

    def thoughts(self) -> list[str] | None:
        return self._data.draw(st.sampled_from([None, None, [], ["hm"], ["hm", " so"]]))

    def answers(self) -> ModelAnswer | ModelFailure:
        if self._is_trouble():
            raise Killed
        kind = self._data.draw(st.sampled_from(["text", "calls", "calls", "failure"]))
        if kind == "failure":
            return failure()
        wanted = self._data.draw(st.integers(1, 4)) if kind == "calls" else 0
        calls = [self._new_call() for _ in range(wanted)]
        return answer("words", *calls)

    def _new_call(self) -> ToolCall:
        self._calls += 1
        name = self._data.draw(st.sampled_from(["pure", "once"]))
        return ToolCall(f"call_{self._calls}", name, {})

    def finishes(self, running: list[ToolCall]) -> list[FinishedCall]:
        if self._is_trouble():
            raise Killed
        order = self._data.draw(st.permutations(running))
        count = self._data.draw(st.integers(1, len(running)))
        return [
            FinishedCall(call, self._data.draw(st.sampled_from(_RESULTS))) for call in order[:count]
        ]

    def should_hand_over(self) -> bool:
        return self._is_trouble()


_RESULTS = [
    CallResult("success", text="42"),
    CallResult("error", error="no"),
    CallResult("timeout", error="late"),
]


def _play(stage: Stage, course: _Course) -> None:
    runner = stage.begin()
    while True:
        try:
            runner.run()
        except Killed:
            course.reclaims += 1
        except HandOver:
            pass
        else:
            return
        if stage.memory.ending is not None:
            return  # the worker died after the turn's last commit: nothing is left to do
        runner = stage.resume(exhausted=course.reclaims >= _RECLAIMS)


@settings(max_examples=300, deadline=None)
@given(
    data=st.data(),
    limits=st.builds(
        Limits, max_iterations=st.integers(1, 5), parallel_calls=st.sampled_from([1, 2, 32])
    ),
)
def test_a_turn_ends_well_whatever_happens(data: st.DataObject, limits: Limits) -> None:
    course = _Course(data)
    stage = Stage(
        answers=course.answers,
        thoughts=course.thoughts,
        finishes=course.finishes,
        fate=course.fate,
        limits=limits,
        may_repeat=lambda name: name == "pure",
        should_hand_over=course.should_hand_over,
    )
    _play(stage, course)
    memory = stage.memory
    _has_one_ending(memory)
    _every_call_has_one_result(memory)
    _every_message_is_read_or_gets_a_turn(memory)
    _no_effect_was_repeated(stage)
    _one_text_stream_is_open_at_a_time(memory)
    _events_name_the_step_they_belong_to(memory)
    assert len(memory.of_type(EventType.REASON_STARTED)) <= limits.max_iterations
    assert stage.live.published == sorted(set(stage.live.published))
    final = fold(TurnState(limits=limits), memory.events, turn_id=TURN)
    assert isinstance(final.step, Ended)


def _has_one_ending(memory: Memory) -> None:
    types = memory.types()
    terminals = [each for each in types if each in TERMINAL_TYPES]
    assert len(terminals) == 1
    assert memory.ending is not None
    if memory.ending.next_turn is None:
        assert types[-1] == EventType.SESSION_IDLED
        assert types.count(EventType.SESSION_IDLED) == 1
    else:
        assert EventType.SESSION_IDLED not in types
    after = types[types.index(terminals[0]) + 1 :]
    assert set(after) <= {EventType.OUTPUT_COMPLETED, EventType.SESSION_IDLED}


def _every_call_has_one_result(memory: Memory) -> None:
    asked = [
        part["id"]
        for event in memory.of_type(EventType.OUTPUT_COMPLETED)
        for part in event.data["message"]["content"]
        if part["type"] == "tool_call"
    ]
    results = [event.data["tool_call_id"] for event in memory.of_type(EventType.TOOL_COMPLETED)]
    assert set(results) == set(asked)
    assert max(Counter(results).values(), default=1) == 1
    started = [event.data["tool_call"]["id"] for event in memory.of_type(EventType.TOOL_STARTED)]
    assert max(Counter(started).values(), default=1) == 1
    acts = memory.of_type(EventType.ACT_STARTED)
    begun = {summary["id"] for act in acts for summary in act.data["tool_calls"]}
    assert set(results) == begun, "a batch that was begun is finished, whatever ends the turn"
    for ended in memory.of_type(EventType.ACT_COMPLETED):
        assert ended.data["success_count"] + ended.data["error_count"] > 0


def _every_message_is_read_or_gets_a_turn(memory: Memory) -> None:
    last_reason = max(event.sequence for event in memory.of_type(EventType.REASON_STARTED))
    unread = [
        event for event in memory.of_type(EventType.INPUT_MESSAGE) if event.sequence > last_reason
    ]
    assert memory.ending is not None
    # Those that came after the end are the business of the request that stored them.
    end = next(event.sequence for event in memory.events if event.type in TERMINAL_TYPES)
    missed = [event for event in unread if event.sequence < end]
    assert bool(missed) == (memory.ending.next_turn is not None)


def _no_effect_was_repeated(stage: Stage) -> None:
    started = {
        event.data["tool_call"]["id"]: event.data["may_repeat"]
        for event in stage.memory.of_type(EventType.TOOL_STARTED)
    }
    made = Counter(stage.calls_made)
    assert set(made) <= set(started), "I5: a call is in the log before it is made"
    repeated = [call_id for call_id, times in made.items() if times > 1 and not started[call_id]]
    assert not repeated, "I5: what may not be repeated was"
    assert max(Counter(stage.streams).values(), default=1) == 1, "I8: one answer a text stream"


def _one_text_stream_is_open_at_a_time(memory: Memory) -> None:
    newest = 0
    for event in memory.events:
        finishes = event.context.get("stream_sequence")
        if event.type in OPENER_TYPES:
            newest = event.sequence
        elif finishes is not None:
            assert finishes == newest, "what completes a stream completes the one that is open"
            is_thinking = event.type == EventType.THINKING_COMPLETED
            kind = EventType.THINKING_STARTED if is_thinking else EventType.OUTPUT_STARTED
            assert memory.events[finishes - 1].type == kind


_STEP_OPENERS = {EventType.REASON_STARTED, EventType.REASON_RECOVERED, EventType.ACT_STARTED}


def _events_name_the_step_they_belong_to(memory: Memory) -> None:
    current = None
    for event in memory.events:
        if event.type in _STEP_OPENERS:
            current = event.context["exec_id"]
        if "exec_id" in event.context:
            assert event.context["exec_id"] == current, event.type

"""A turn's runner between a log, a model and tools that a test holds in its hands.

The runner, the machine and the narration are the real ones.  The log keeps what the real
one promises: numbers without holes, all of an append or nothing, and the input guard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import orjson

from common.domain.events import EventDraft, EventType, Usage
from common.domain.turn import Claim, SessionStatus, ToolCall
from common.event_codec import LoggedEvent
from common.live import Live, TextChunk
from common.storage.log import Head, HeadChange, NewInput
from worker.lease import Lease
from worker.text_stream import TextStreams
from worker.turn.acting import FinishedCall, ToolCalls
from worker.turn.answer_text import AnswerText, Append
from worker.turn.config import ModelChoice, TurnConfig
from worker.turn.failure import Disclosure
from worker.turn.model_step import ModelStep
from worker.turn.narration import Narrator
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.runner import TurnRunner
from worker.turn.session_log import OutcomeUnknown, SessionLog, TurnEnding
from worker.turn.state import Limits
from worker.turn.witness import Witness

SESSION = UUID("019bb2c0-a200-7a11-b200-aabbccddeeff")
TURN = UUID("019bb2c0-a300-7a11-b200-aabbccddeeff")
FIRST_MESSAGE = UUID("01937abc-def0-7000-8000-000000000001")
_TS = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

CONFIG = TurnConfig(
    harness_id="harness_1",
    agent_id="agent_1",
    agent_version=1,
    prompts=("Be brief.",),
    capabilities=(),
    model=ModelChoice("model_1", "llmsim-model", "llmsim"),
    max_iterations=100,
    parallel_tool_calls=True,
)


class Killed(Exception):
    """The worker's process ended here; nothing of it runs on."""


class Memory:
    """One session's rows, as far as a turn sees them."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.last_input = 0
        self.changes: list[HeadChange] = []
        self.ending: TurnEnding | None = None

    def user_says(self, words: str = "hello") -> None:
        message_id = str(FIRST_MESSAGE) if not self.events else str(UUID(int=len(self.events)))
        message = {
            "id": message_id,
            "role": "user",
            "content": [{"type": "text", "text": words}],
        }
        self.store([EventDraft(EventType.INPUT_MESSAGE, {"message": message})])
        self.last_input = len(self.events)

    def store(self, drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
        first = len(self.events) + 1
        stored = [
            LoggedEvent(
                SESSION,
                first + position,
                str(draft.type),
                _TS,
                orjson.dumps(draft.context).decode(),
                orjson.dumps(draft.data).decode(),
            )
            for position, draft in enumerate(drafts)
        ]
        self.events += stored
        return stored

    def end(self, ending: TurnEnding) -> None:
        assert self.ending is None, "a turn ends once"
        unread = [
            event
            for event in self.events
            if event.type == EventType.INPUT_MESSAGE and event.sequence > ending.read_through
        ]
        assert bool(unread) == (ending.next_turn is not None), "a next turn for unread messages"
        self.ending = ending

    def head(self) -> Head:
        return Head(SESSION, len(self.events), self.last_input, _TS, 1, SessionStatus.ACTIVE, TURN)

    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def of_type(self, kind: EventType) -> list[LoggedEvent]:
        return [event for event in self.events if event.type == kind]


def all_goes_well(_memory: Memory) -> str:
    return "stored"


class MemorySessionLog:
    """In place of `SessionLog`; `fate` says what becomes of each append.

    "stored"; "lost" and "unknown": the connection broke before or after the commit;
    "killed before" and "killed after": the worker's process ended then.
    """

    def __init__(self, memory: Memory, lease: Lease, fate: Callable[[Memory], str]) -> None:
        self.lease = lease
        self._memory = memory
        self._fate = fate

    def append(
        self,
        drafts: Sequence[EventDraft],
        *,
        change: HeadChange,
        last_input: int | None = None,
        ending: TurnEnding | None = None,
    ) -> tuple[Head, list[LoggedEvent]]:
        fate = self._fate(self._memory)
        if fate == "killed before":
            raise Killed
        if fate == "lost":
            raise OutcomeUnknown
        if last_input is not None and self._memory.last_input > last_input:
            raise NewInput
        stored = self._memory.store(drafts)
        self._memory.changes.append(change)
        if ending is not None:
            self._memory.end(ending)
        if fate == "killed after":
            raise Killed
        if fate == "unknown":
            raise OutcomeUnknown
        return self._memory.head(), stored

    def turn_events(self, *, after: int | None = None) -> list[LoggedEvent]:
        return self._memory.events[after or 0 :]


Answers = Callable[[], ModelAnswer | ModelFailure]
# What the step about to begin thinks; None when it is not to think.
Thoughts = Callable[[], Sequence[str] | None]


@dataclass(slots=True)
class FakeModelStep:
    """In place of `ModelStep`: remembers into which stream it spoke.

    A step that is to think thinks `thoughts` first; the streams are the real ones, their
    text goes nowhere.
    """

    answers: Answers
    streams: list[int]
    controls: dict[str, Any] = field(default_factory=dict)
    thoughts: Thoughts = lambda: None

    def shall_think(self, *, has_unread: bool) -> bool:  # noqa: ARG002 - ModelStep's signature
        return self.thoughts() is not None

    def call(
        self, narrator: Narrator, append: Append
    ) -> tuple[ModelAnswer | ModelFailure, TextChunk | None]:
        nowhere = TextStreams(_NoChannel(), flush_seconds=1)
        with AnswerText(narrator, nowhere, SESSION, append) as text:
            if narrator.stream is None:
                for thought in self.thoughts() or ():
                    assert text.think(thought)
            is_open = narrator.stream is not None
            if is_open:
                self.streams.append(narrator.open_stream.opener)
            outcome = self.answers()
            if isinstance(outcome, ModelAnswer):
                text.finish()
                if not is_open:
                    self.streams.append(narrator.open_stream.opener)
        return outcome, None


class _NoChannel:
    """Takes all text, and keeps none."""

    def push_text(self, chunks: Sequence[TextChunk]) -> list[int | None]:
        return [None] * len(chunks)


Finishes = Callable[[list[ToolCall]], list[FinishedCall]]


@dataclass(slots=True)
class FakeToolCalls:
    """In place of `ToolCalls`: remembers what took effect, and in which order."""

    finishes: Finishes
    made: list[str]
    running: dict[str, ToolCall] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()

    def ensure_running(
        self, calls: tuple[ToolCall, ...], repeated: frozenset[str] = frozenset()
    ) -> None:
        self.repeated |= repeated
        for call in calls:
            if call.id not in self.running:
                self.running[call.id] = call
                self.made.append(call.id)

    def wait(self) -> list[FinishedCall]:
        finished = self.finishes(list(self.running.values()))
        for each in finished:
            del self.running[each.call.id]
        return finished


@dataclass(slots=True)
class FakeLive:
    """In place of `Live`: remembers the order of what was published."""

    published: list[int] = field(default_factory=list)

    def publish(
        self, _session_id: UUID, events: Sequence[LoggedEvent], *, tail: TextChunk | None = None
    ) -> None:
        if tail is not None:
            # Only what completes a stream has text to go before it.
            finished = [event.context.get("stream_sequence") for event in events]
            assert tail.opener in finished
        self.published += [event.sequence for event in events]

    def text_length(self, _session_id: UUID, opener: int) -> int:
        return opener


def answer(text: str = "hi", *calls: ToolCall) -> ModelAnswer:
    return ModelAnswer(
        text=text,
        calls=calls,
        usage=Usage(10, 2),
        model="llmsim-model",
        finish_reason="tool_calls" if calls else "stop",
        response_id=None,
        duration_ms=210,
        first_token_ms=20,
    )


def failure(reason: str = "provider_unavailable", detail: str = "HTTP 503") -> ModelFailure:
    return ModelFailure(reason, detail, duration_ms=30)


def succeed_all(running: list[ToolCall]) -> list[FinishedCall]:
    return [FinishedCall(call, CallResult("success", text="42")) for call in running]


@dataclass(slots=True)
class Stage:
    """One turn over any number of workers."""

    answers: Answers
    finishes: Finishes = succeed_all
    fate: Callable[[Memory], str] = all_goes_well
    limits: Limits = field(default_factory=Limits)
    may_repeat: Callable[[str], bool] = lambda _name: True
    should_hand_over: Callable[[], bool] = lambda: False
    controls: dict[str, Any] = field(default_factory=dict)
    most_disclosed: Disclosure = "detailed"
    thoughts: Thoughts = lambda: None
    witness: Witness | None = None
    memory: Memory = field(default_factory=Memory)
    make_log: Callable[..., MemorySessionLog] = MemorySessionLog
    live: FakeLive = field(default_factory=FakeLive)
    streams: list[int] = field(default_factory=list)
    calls_made: list[str] = field(default_factory=list)
    _ids: int = 10**6

    def new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def begin(self) -> TurnRunner:
        """The first worker's runner; its first events are stored."""
        self.memory.user_says()
        runner = self._runner(attempt=1)

        def append(drafts: list[EventDraft], change: HeadChange) -> tuple[Head, list[LoggedEvent]]:
            self.memory.changes.append(change)
            stored = self.memory.store(drafts)
            return self.memory.head(), stored

        runner.begin(self.limits, append, is_to_think=self.thoughts() is not None)
        runner.begun()
        return runner

    def resume(self, *, exhausted: bool = False) -> TurnRunner:
        """Another worker's runner, which knows nothing but the log."""
        runner = self._runner(attempt=2)
        runner.resume(self.limits, list(self.memory.events), exhausted=exhausted)
        return runner

    def _runner(self, *, attempt: int) -> TurnRunner:
        claim = Claim(TURN, SESSION, UUID(int=1), attempt, attempt, 0, 1, str(FIRST_MESSAGE))
        lease = Lease(claim, valid_until=float("inf"))
        session_log = self.make_log(self.memory, lease, self.fate)
        return TurnRunner(
            lease=lease,
            session_log=cast(SessionLog, session_log),
            live=cast(Live, self.live),
            narrator=self.narrator(),
            model_step=cast(
                ModelStep, FakeModelStep(self.answers, self.streams, self.controls, self.thoughts)
            ),
            tools=cast(ToolCalls, FakeToolCalls(self.finishes, self.calls_made)),
            new_id=self.new_id,
            duration_ms=lambda: 260,
            should_hand_over=self.should_hand_over,
            most_disclosed=self.most_disclosed,
            witness=self.witness,
        )

    def narrator(self) -> Narrator:
        return Narrator(
            turn_id=TURN,
            input_message_id=str(FIRST_MESSAGE),
            config=CONFIG,
            config_hash=CONFIG.digest(),
            new_id=self.new_id,
            may_repeat=self.may_repeat,
        )

"""Say in events what a turn does: drafts for commands and for what effects brought.

The only place that knows the payloads of a turn's events (contract 4.2, 4.3).  It has
no clock and no log; numbers and times are given when the events are appended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never
from uuid import UUID

from common.domain import waiting
from common.domain.events import EventDraft, EventType, Json, Usage
from common.domain.ids import Kind, show_id
from common.domain.message import agent_message
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from worker.turn import act_events
from worker.turn.act_events import DEFAULT_PATIENCE, CallKind, Patience
from worker.turn.config import TurnConfig
from worker.turn.failure import SEALED
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.reason_events import ReasonStep, Stream
from worker.turn.state import (
    AskApproval,
    CancelCalls,
    FinishAct,
    Narration,
    RecordInterrupted,
    RecoverReason,
    RejectCalls,
    RequestCalls,
    StartAct,
    StartCalls,
    StartReason,
    StartTurn,
    TurnState,
)


@dataclass(slots=True)
class Narrator:
    """Speaks for one turn, remembering the step it is in.

    Attributes:
        exec_id: the reason or act step that events now belong to; `exec_id_in_log` the
            last one that is in the log.
        read_through: sequence of the last `reason.started`; messages below it were read.
        lost_bytes: how much of the answer that is being given up was streamed, UTF-8.
        stream: the text stream of the step's answer, None when none was opened yet.
        thinking_opener: of the step's newest stream of thinking, 0 for none.
        is_to_think: whether the step about to begin shall think: then its answer's text
            stream is opened with the first of its text, since one is open at a time.
        iteration: which reason step of the turn it is.
        may_repeat: by tool name, whether a call may be made again (I5).
        kinds_of: whom these calls need beside the worker, by call id; those left out nobody.
        patience: how long the turn waits for somebody outside.
        described: by tool name, what events say of it beside the name.
        trace_id: of the trace that the turn is in; empty: one with the turn's own digits.
        shows_detail: whether events may carry a provider's own words for a failure.
        prompts_hash: names what the turn's capabilities added to the system prompt, if it is
            to hold on any worker.
    """

    turn_id: UUID
    input_message_id: str
    config: TurnConfig
    config_hash: str
    new_id: Callable[[], UUID]
    may_repeat: Callable[[str], bool]
    kinds_of: Callable[[tuple[ToolCall, ...]], Mapping[str, CallKind]] = lambda _calls: {}
    patience: Patience = DEFAULT_PATIENCE
    described: Callable[[str], Json] = lambda _name: {}
    prompts_hash: Callable[[], str | None] = lambda: None
    trace_id: str = ""
    exec_id: str = ""
    exec_id_in_log: str = ""
    read_through: int = 0
    lost_bytes: int = 0
    stream: Stream | None = None
    thinking_opener: int = 0
    is_to_think: bool = False
    iteration: int = 0
    shows_detail: bool = False
    results_in_act: dict[str, bool] = field(default_factory=dict)

    # --- what the log says ---------------------------------------------------

    def observe(self, events: Iterable[LoggedEvent]) -> None:
        """Take over the step that events of this turn in the log belong to."""
        for event in events:
            context = event.context
            if context.get("turn_id") != show_id(Kind.TURN, self.turn_id):
                continue
            self.exec_id = self.exec_id_in_log = context.get("exec_id", self.exec_id)
            if event.type in (EventType.REASON_STARTED, EventType.REASON_RECOVERED):
                self.stream, self.thinking_opener = None, 0
                if event.type == EventType.REASON_STARTED:
                    self.read_through = event.sequence
            elif event.type == EventType.OUTPUT_STARTED:
                self.stream = Stream(event.sequence, UUID(event.data["message_id"]))
            elif event.type == EventType.THINKING_STARTED:
                self.thinking_opener = event.sequence
            elif event.type == EventType.ACT_STARTED:
                self.results_in_act = {}
            elif event.type == EventType.TOOL_COMPLETED:
                data = event.data
                self.results_in_act[data["tool_call_id"]] = data["success"]

    def has_told(self, event: LoggedEvent) -> bool:
        """Whether an event is the turn's own: others that name the turn are of no trace."""
        context = event.context
        return context.get("turn_id") == self._shown_turn and "trace_id" in context

    def take_back(self) -> None:
        """Steps begun since the log was last observed did not come to be."""
        self.exec_id = self.exec_id_in_log

    @property
    def open_stream(self) -> Stream:
        """The text stream of the step under way."""
        if self.stream is None:
            raise AssertionError("a reply is narrated only after its stream was opened")
        return self.stream

    # --- commands ------------------------------------------------------------

    def narrate(self, command: Narration, state: TurnState) -> list[EventDraft]:
        """The events that carry a command out."""
        match command:
            case StartTurn():
                return self._start_turn()
            case StartReason():
                self._next_step()
                self.iteration = state.iterations + 1
                return [self._step.started(), *self._reply_begun()]
            case RecoverReason():
                self._next_step()
                self.iteration = state.iterations
                recovered = self._step.recovered(lost_bytes=self.lost_bytes)
                return [recovered, *self._reply_begun()]
            case StartAct(calls):
                self._next_step()
                self.results_in_act = {}
                started = act_events.act_started(calls, self.kinds_of(calls))
                return [self._draft(EventType.ACT_STARTED, started)]
            case StartCalls(calls):
                return [self._call_started(call) for call in calls]
            case RecordInterrupted(calls):
                interrupted = CallResult("error", error=act_events.INTERRUPTED)
                return [self.call_ended(call, interrupted) for call in calls]
            case RejectCalls(calls):
                return [self._noted(waiting.refused(call, self._context)) for call in calls]
            case CancelCalls(calls):
                return [self._noted(waiting.overtaken(call, self._context)) for call in calls]
            case AskApproval(calls):
                asked = act_events.approval_requested(
                    calls, deadline_seconds=self.patience.decisions
                )
                return [self._draft(EventType.TOOL_APPROVAL_REQUESTED, asked)]
            case RequestCalls(calls):
                wanted = act_events.calls_requested(calls, deadline_seconds=self.patience.results)
                return [self._draft(EventType.TOOL_CALL_REQUESTED, wanted)]
            case FinishAct(calls):
                ended = act_events.act_ended(calls, self.results_in_act)
                return [self._draft(EventType.ACT_COMPLETED, ended)]
            case never:
                assert_never(never)

    def _start_turn(self) -> list[EventDraft]:
        mark = {"turn_id": self._shown_turn, "input_message_id": self.input_message_id}
        pinned = {
            "config_hash": self.config_hash,
            "harness_id": self.config.harness_id,
            "agent_id": self.config.agent_id,
            "agent_version": self.config.agent_version,
        }
        return [
            self._turn_draft(EventType.TURN_STARTED, {**mark, **pinned}),
            self._turn_draft(EventType.SESSION_ACTIVATED, mark),
        ]

    def _call_started(self, call: ToolCall) -> EventDraft:
        data = {"tool_call": call.to_json(), "may_repeat": self.may_repeat(call.name)}
        return self._draft(EventType.TOOL_STARTED, {**data, **self.described(call.name)})

    # --- what effects brought --------------------------------------------------

    def _reply_begun(self) -> list[EventDraft]:
        return [] if self.is_to_think else [self.reply_opened()]

    def reply_opened(self) -> EventDraft:
        """The answer's text stream begins."""
        return self._step.reply_opened(self.iteration, self.new_id())

    def thinking_opened(self, model: str | None) -> EventDraft:
        """A stream of thinking begins."""
        return self._step.thinking_opened(model)

    def thinking_completed(self, text: str) -> EventDraft:
        """All that was streamed of the thinking."""
        return self._step.thinking_completed(text, opener=self.thinking_opener)

    def answered(self, answer: ModelAnswer) -> list[EventDraft]:
        """The model's answer, what the call was, and the end of its step."""
        *told, ended = self._step.answered(answer, self.open_stream)
        prompts_hash = self.prompts_hash()
        if prompts_hash is not None:
            ended = replace(ended, data={**ended.data, "prompts_hash": prompts_hash})
        return [*told, ended]

    def unanswered(self, failure: ModelFailure) -> list[EventDraft]:
        """A model call that failed, and the end of its step."""
        return self._step.unanswered(failure)

    def call_ended(self, call: ToolCall, result: CallResult) -> EventDraft:
        """A tool call's one result."""
        data = {**act_events.call_ended(call, result), **self.described(call.name)}
        return self._noted(self._draft(EventType.TOOL_COMPLETED, data))

    def _noted(self, completed: EventDraft) -> EventDraft:
        """The same, kept in mind for the end of the act."""
        data = completed.data
        self.results_in_act[data["tool_call_id"]] = data["success"]
        return completed

    # --- endings ---------------------------------------------------------------

    def completed(self, state: TurnState, *, duration_ms: int) -> EventDraft:
        """`turn.completed`."""
        data = {
            "turn_id": self._shown_turn,
            "iterations": state.iterations,
            "duration_ms": duration_ms,
            "usage": state.usage.to_json(),
            "final_message_id": show_id(Kind.MESSAGE, self.open_stream.message_id),
            "llm_call_count": state.llm_calls,
            "tool_call_count": state.tool_calls,
        }
        return self._turn_draft(EventType.TURN_COMPLETED, data)

    def failed(self, data: Json) -> EventDraft:
        """`turn.failed` with the error's code and text."""
        return self._turn_draft(EventType.TURN_FAILED, {"turn_id": self._shown_turn, **data})

    def sealed(self, state: TurnState) -> EventDraft:
        """`turn.sealed`: it kept losing its workers."""
        data = {
            "turn_id": self._shown_turn,
            "reason": "no_progress",
            "iterations": state.iterations,
            "usage": state.usage.to_json(),
        }
        return self._turn_draft(EventType.TURN_SEALED, data)

    def notice(self, text: str, *, code: str) -> EventDraft:
        """A message of ours that explains an ending; it completes no text stream."""
        message = agent_message(self.new_id(), text, phase="final_answer")
        data = {"message": message, "metadata": None, "error_code": code}
        return self._turn_draft(EventType.OUTPUT_COMPLETED, data)

    def idled(self, state: TurnState) -> EventDraft:
        """`session.idled`; its usage, the session's total, is filled in by the append."""
        data = {"turn_id": self._shown_turn, "iterations": state.iterations}
        return self._turn_draft(EventType.SESSION_IDLED, data)

    # --- parts -----------------------------------------------------------------

    @property
    def _shown_turn(self) -> str:
        return show_id(Kind.TURN, self.turn_id)

    @property
    def _step(self) -> ReasonStep:
        return ReasonStep(
            self._shown_turn,
            self._context,
            self.config,
            self.config_hash,
            self.read_through,
            self.shows_detail,
        )

    @property
    def _turn_context(self) -> Json:
        return {
            "turn_id": self._shown_turn,
            "input_message_id": self.input_message_id,
            "trace_id": self.trace_id or self.turn_id.hex,
        }

    @property
    def _context(self) -> Json:
        return {**self._turn_context, "exec_id": self.exec_id}

    def _turn_draft(self, kind: EventType, data: Json) -> EventDraft:
        return EventDraft(kind, data, self._turn_context)

    def in_step(self, kind: EventType, data: Json) -> EventDraft:
        """An event of the step under way."""
        return self._draft(kind, data)

    def _draft(self, kind: EventType, data: Json) -> EventDraft:
        return EventDraft(kind, data, self._context)

    def _next_step(self) -> None:
        self.exec_id = show_id(Kind.EXEC, self.new_id())


def sealing(
    turn_id: UUID, input_message_id: str, *, trace_id: str, new_id: Callable[[], UUID]
) -> list[EventDraft]:
    """The end of a turn of which nothing else can be said."""
    shown = show_id(Kind.TURN, turn_id)
    context = {"turn_id": shown, "input_message_id": input_message_id, "trace_id": trace_id}
    message = agent_message(new_id(), SEALED, phase="final_answer")
    notice = {"message": message, "metadata": None, "error_code": "sealed"}
    return [
        EventDraft(EventType.TURN_SEALED, {"turn_id": shown, "reason": "no_progress"}, context),
        EventDraft(EventType.OUTPUT_COMPLETED, notice, context),
        EventDraft(EventType.SESSION_IDLED, {"turn_id": shown}, context),
    ]


# What the provider counts: answers, and summaries of what outgrew the model.
_COUNTED: Final = (EventType.OUTPUT_COMPLETED, EventType.CONTEXT_COMPACTED)


def usage_of(drafts: Iterable[EventDraft]) -> Usage:
    """The tokens that these events add to the session's total."""
    total = Usage()
    for draft in drafts:
        if draft.type in _COUNTED and "usage" in draft.data:
            total += Usage.from_json(draft.data["usage"])
    return total

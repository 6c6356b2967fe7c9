"""Say in events what a turn does: drafts for commands and for what effects brought.

The only place that knows the payloads of a turn's events (contract 4.2, 4.3).  It has
no clock and no log; numbers and times are given when the events are appended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never
from uuid import UUID

from common.domain.events import OPENER_TYPES, EventDraft, EventType, Json, Usage
from common.domain.ids import Kind, show_id
from common.domain.message import Phase, agent_message
from common.domain.text import preview
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from worker.turn.config import ModelMissing, TurnConfig
from worker.turn.failure import SEALED
from worker.turn.outcome import CallResult, ModelAnswer, ModelFailure
from worker.turn.state import (
    FinishAct,
    Narration,
    RecordInterrupted,
    RecoverReason,
    StartAct,
    StartCalls,
    StartReason,
    StartTurn,
    TurnState,
)

_INTERRUPTED = (
    "The worker was lost while this call was running: whether it took effect is unknown,"
    " and it was not repeated"
)


@dataclass(slots=True)
class Stream:
    """The text stream that is open: where it stands in the log and what it will become."""

    opener: int
    message_id: UUID


@dataclass(slots=True)
class Narrator:
    """Speaks for one turn, remembering the step it is in.

    Attributes:
        exec_id: the reason or act step that events now belong to; `exec_id_in_log` the
            last one that is in the log.
        read_through: sequence of the last `reason.started`; messages below it were read.
        lost_bytes: how much of the answer that is being given up was streamed, UTF-8.
        stream: the open text stream, None when none was opened yet.
        may_repeat: by tool name, whether a call may be made again (I5).
    """

    turn_id: UUID
    input_message_id: str
    config: TurnConfig
    config_hash: str
    new_id: Callable[[], UUID]
    may_repeat: Callable[[str], bool]
    exec_id: str = ""
    exec_id_in_log: str = ""
    read_through: int = 0
    lost_bytes: int = 0
    stream: Stream | None = None
    results_in_act: dict[str, bool] = field(default_factory=dict)

    # --- what the log says ---------------------------------------------------

    def observe(self, events: Iterable[LoggedEvent]) -> None:
        """Take over the step that events of this turn in the log belong to."""
        for event in events:
            context = event.context
            if context.get("turn_id") != show_id(Kind.TURN, self.turn_id):
                continue
            self.exec_id = self.exec_id_in_log = context.get("exec_id", self.exec_id)
            if event.type == EventType.REASON_STARTED:
                self.read_through = event.sequence
            elif event.type in OPENER_TYPES:
                message_id = UUID(event.data["message_id"])
                self.stream = Stream(event.sequence, message_id)
            elif event.type == EventType.ACT_STARTED:
                self.results_in_act = {}
            elif event.type == EventType.TOOL_COMPLETED:
                data = event.data
                self.results_in_act[data["tool_call_id"]] = data["success"]

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
                return [self._reason_started(), self._reply_opened(state.iterations + 1)]
            case RecoverReason():
                self._next_step()
                recovered: Json = {"turn_id": self._shown_turn, "mode": "restart"}
                recovered |= {"accumulated_len": self.lost_bytes}
                return [
                    self._draft(EventType.REASON_RECOVERED, recovered),
                    self._reply_opened(state.iterations),
                ]
            case StartAct(calls):
                self._next_step()
                self.results_in_act = {}
                summaries = [{"id": call.id, "name": call.name} for call in calls]
                return [self._draft(EventType.ACT_STARTED, {"tool_calls": summaries})]
            case StartCalls(calls):
                return [self._call_started(call) for call in calls]
            case RecordInterrupted(calls):
                return [
                    self.call_ended(call, CallResult("error", error=_INTERRUPTED)) for call in calls
                ]
            case FinishAct(calls):
                return [self._act_ended(calls)]
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

    def _reason_started(self) -> EventDraft:
        data: Json = {"harness_id": self.config.harness_id, "metadata": {"model": self._model}}
        if self.config.agent_id is not None:
            data["agent_id"] = self.config.agent_id
        return self._draft(EventType.REASON_STARTED, data)

    def _reply_opened(self, iteration: int) -> EventDraft:
        data = {
            "turn_id": self._shown_turn,
            "model": self._model,
            "iteration": iteration,
            "message_id": show_id(Kind.MESSAGE, self.new_id()),
        }
        return self._draft(EventType.OUTPUT_STARTED, data)

    def _call_started(self, call: ToolCall) -> EventDraft:
        data = {"tool_call": call.to_json(), "may_repeat": self.may_repeat(call.name)}
        return self._draft(EventType.TOOL_STARTED, data)

    def _act_ended(self, calls: tuple[ToolCall, ...]) -> EventDraft:
        succeeded = sum(self.results_in_act.get(call.id, False) for call in calls)
        data = {
            "completed": True,
            "success_count": succeeded,
            "error_count": len(calls) - succeeded,
        }
        return self._draft(EventType.ACT_COMPLETED, data)

    # --- what effects brought --------------------------------------------------

    def answered(self, answer: ModelAnswer) -> list[EventDraft]:
        """The model's answer, what the call was, and the end of its step."""
        stream = self.open_stream
        phase: Phase = "commentary" if answer.calls else "final_answer"
        message = agent_message(stream.message_id, answer.text, calls=answer.calls, phase=phase)
        completed = EventDraft(
            EventType.OUTPUT_COMPLETED,
            {
                "message": message,
                "metadata": {"model": answer.model},
                "usage": answer.usage.to_json(),
            },
            {**self._context, "stream_sequence": stream.opener},
        )
        ended = {
            "success": True,
            "has_tool_calls": bool(answer.calls),
            "tool_call_count": len(answer.calls),
            "text_preview": preview(answer.text),
            "usage": answer.usage.to_json(),
            "duration_ms": answer.duration_ms,
        }
        message_id = show_id(Kind.MESSAGE, stream.message_id)
        return [
            completed,
            self._generation(answer, success=True, message_id=message_id),
            self._draft(EventType.REASON_COMPLETED, ended),
        ]

    def unanswered(self, failure: ModelFailure) -> list[EventDraft]:
        """A model call that failed, and the end of its step."""
        ended = {
            "success": False,
            "has_tool_calls": False,
            "tool_call_count": 0,
            "text_preview": None,
            "error": failure.detail,
            "failure": failure.reason,
            "duration_ms": failure.duration_ms,
        }
        return [
            self._generation(failure, success=False, message_id=None),
            self._draft(EventType.REASON_COMPLETED, ended),
        ]

    def call_ended(self, call: ToolCall, result: CallResult) -> EventDraft:
        """A tool call's one result."""
        self.results_in_act[call.id] = result.status == "success"
        data: Json = {
            "tool_call_id": call.id,
            "tool_name": call.name,
            "success": result.status == "success",
            "status": result.status,
        }
        if result.text is not None:
            data["result"] = [{"type": "text", "text": result.text}]
        if result.error is not None:
            data["error"] = result.error
        if result.duration_ms is not None:
            data["duration_ms"] = result.duration_ms
        return self._draft(EventType.TOOL_COMPLETED, data)

    def _generation(
        self, outcome: ModelAnswer | ModelFailure, *, success: bool, message_id: str | None
    ) -> EventDraft:
        metadata: dict[str, Any] = {
            "model": outcome.model or self._model,
            "provider": self._provider,
            "success": success,
            "duration_ms": outcome.duration_ms,
        }
        output: dict[str, Any] = {}
        if isinstance(outcome, ModelAnswer):
            output = {"message_id": message_id}
            metadata["usage"] = outcome.usage.to_json()
            metadata["finish_reasons"] = [outcome.finish_reason]
            metadata["response_id"] = outcome.response_id
            metadata["time_to_first_token_ms"] = outcome.first_token_ms
        else:
            metadata["error"] = outcome.detail
        if outcome.retries:
            metadata["retry"] = {
                "attempts": outcome.retries,
                "total_wait_ms": outcome.waited_ms,
            }
        # What was sent is in the log already: everything up to the step's start.
        sent = {"from_sequence": 1, "to_sequence": self.read_through}
        data = {"messages": [], **sent, "config_hash": self.config_hash}
        return self._draft(
            EventType.LLM_GENERATION, {**data, "output": output, "metadata": metadata}
        )

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
    def _model(self) -> str | None:
        model = self.config.model
        return (model.name or None) if isinstance(model, ModelMissing) else model.name

    @property
    def _provider(self) -> str | None:
        model = self.config.model
        return None if isinstance(model, ModelMissing) else model.provider_type

    @property
    def _turn_context(self) -> Json:
        return {
            "turn_id": self._shown_turn,
            "input_message_id": self.input_message_id,
            "trace_id": self.turn_id.hex,
        }

    @property
    def _context(self) -> Json:
        return {**self._turn_context, "exec_id": self.exec_id}

    def _turn_draft(self, kind: EventType, data: Json) -> EventDraft:
        return EventDraft(kind, data, self._turn_context)

    def _draft(self, kind: EventType, data: Json) -> EventDraft:
        return EventDraft(kind, data, self._context)

    def _next_step(self) -> None:
        self.exec_id = show_id(Kind.EXEC, self.new_id())


def sealing(
    turn_id: UUID, input_message_id: str, *, new_id: Callable[[], UUID]
) -> list[EventDraft]:
    """The end of a turn of which nothing else can be said."""
    shown = show_id(Kind.TURN, turn_id)
    context = {"turn_id": shown, "input_message_id": input_message_id, "trace_id": turn_id.hex}
    message = agent_message(new_id(), SEALED, phase="final_answer")
    notice = {"message": message, "metadata": None, "error_code": "sealed"}
    return [
        EventDraft(EventType.TURN_SEALED, {"turn_id": shown, "reason": "no_progress"}, context),
        EventDraft(EventType.OUTPUT_COMPLETED, notice, context),
        EventDraft(EventType.SESSION_IDLED, {"turn_id": shown}, context),
    ]


def usage_of(drafts: Iterable[EventDraft]) -> Usage:
    """The tokens that these events add to the session's total."""
    total = Usage()
    for draft in drafts:
        if draft.type is EventType.OUTPUT_COMPLETED and "usage" in draft.data:
            total += Usage.from_json(draft.data["usage"])
    return total

"""What is measured of a turn, read off its committed events.  Pure.

Whoever counts and traces needs nothing of the engine but these: they are told once, by the
worker that committed them, and all times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from common.domain.events import TERMINAL_TYPES, EventType, Json, Usage
from common.domain.ids import Kind, show_id
from common.event_codec import LoggedEvent

_OUTCOME_OF: Final = {
    EventType.TURN_COMPLETED: "completed",
    EventType.TURN_FAILED: "failed",
    EventType.TURN_SEALED: "sealed",
    EventType.TURN_CANCELLED: "cancelled",
}


# The rest is not even looked into.
_MEASURED: Final = frozenset(
    {
        EventType.TURN_STARTED,
        EventType.REASON_STARTED,
        EventType.REASON_RECOVERED,
        EventType.ACT_STARTED,
        EventType.LLM_GENERATION,
        EventType.CONTEXT_COMPACTED,
        EventType.TOOL_COMPLETED,
        EventType.REASON_COMPLETED,
        EventType.ACT_COMPLETED,
        *TERMINAL_TYPES,
    }
)


@dataclass(frozen=True, slots=True)
class Begun:
    """The turn was taken for the first time, after so long in the queue."""

    queued_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalled:
    """A model was asked, retries included.

    Attributes:
        number: of the calls of the step, from 0: the model's, then those of its fallbacks.
        failure: why it gave no answer; None when it did.
        first_token_seconds: from the call to the first piece of its answer.
    """

    exec_id: str
    number: int
    provider: str | None
    model: str | None
    ended: datetime
    seconds: float
    first_token_seconds: float | None
    finish_reason: str | None
    failure: str | None
    response_id: str | None
    usage: Usage
    retries: int
    waited_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled:
    """A call of a tool has its result.

    Attributes:
        is_known: whether the agent has such a tool; else the model made the name up.
        seconds: None when it was not made here.
    """

    exec_id: str
    call_id: str
    name: str
    is_known: bool
    status: str
    ended: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A reason or act step is over.

    Attributes:
        gap_seconds: since the step before it; None for the turn's first.
    """

    kind: Literal["reason", "act"]
    exec_id: str
    began: datetime
    ended: datetime
    is_success: bool
    gap_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The turn is over.

    Attributes:
        overhead_seconds: what of it was neither a model's nor a tool's time, nor a wait.
        first_token_seconds: from its being queued to the first piece of an answer; None when
            there was none, or on another worker.
        code: of a failure.
    """

    outcome: str
    code: str | None
    agent_id: str | None
    began: datetime
    ended: datetime
    overhead_seconds: float
    first_token_seconds: float | None
    usage: Usage
    iterations: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


Measure = Begun | ModelCalled | ToolCalled | StepEnded | TurnEnded


class TurnAccount:
    """Follows one turn on this worker."""

    def __init__(self, turn_id: UUID, *, queued_seconds: float | None) -> None:
        """`queued_seconds` is None when another worker had the turn before."""
        self._turn = show_id(Kind.TURN, turn_id)
        self._queued_seconds = queued_seconds
        self._began: datetime | None = None
        self._agent_id: str | None = None
        self._calls: dict[str, int] = {}
        self._step_began: dict[str, datetime] = {}
        self._step_ended: datetime | None = None
        self._others_seconds = 0.0
        self._first_token_seconds: float | None = None
        self._usage = Usage()

    def recall(self, events: Iterable[LoggedEvent]) -> None:
        """Take in what another worker has told already."""
        self.see(events)

    def see(self, events: Iterable[LoggedEvent]) -> list[Measure]:
        """What these events of the session say of the turn."""
        found: list[Measure] = []
        for event in events:
            if event.type not in _MEASURED:
                continue
            context = event.context
            if context.get("turn_id") == self._turn:
                measured = self._measure(event, context.get("exec_id", ""))
                if measured is not None:
                    found.append(measured)
        return found

    def _measure(self, event: LoggedEvent, exec_id: str) -> Measure | None:
        match event.type:
            case EventType.TURN_STARTED:
                self._began, self._agent_id = event.ts, event.data.get("agent_id")
                if self._queued_seconds is not None:
                    return Begun(self._queued_seconds)
            case EventType.REASON_STARTED | EventType.REASON_RECOVERED | EventType.ACT_STARTED:
                self._step_began[exec_id] = event.ts
            case EventType.LLM_GENERATION:
                return self._model_called(event, exec_id)
            case EventType.CONTEXT_COMPACTED:
                self._others_seconds += event.data["duration_ms"] / 1000
            case EventType.TOOL_COMPLETED:
                return _tool_called(event, exec_id)
            case EventType.REASON_COMPLETED | EventType.ACT_COMPLETED:
                return self._step_over(event, exec_id)
            case kind if kind in TERMINAL_TYPES:
                return self._turn_over(event)
            case _:
                pass
        return None

    def _model_called(self, event: LoggedEvent, exec_id: str) -> ModelCalled:
        metadata: Json = event.data["metadata"]
        retry: Json = metadata.get("retry") or {}
        first_token_ms = metadata.get("time_to_first_token_ms")
        reasons = metadata.get("finish_reasons") or [None]
        called = ModelCalled(
            exec_id=exec_id,
            number=self._calls.get(exec_id, 0),
            provider=metadata.get("provider"),
            model=metadata.get("model"),
            ended=event.ts,
            seconds=metadata["duration_ms"] / 1000,
            first_token_seconds=None if first_token_ms is None else first_token_ms / 1000,
            finish_reason=reasons[0],
            failure=None if metadata["success"] else metadata.get("failure", "unknown"),
            response_id=metadata.get("response_id"),
            usage=Usage.from_json(metadata.get("usage") or {}),
            retries=retry.get("attempts", 0),
            waited_seconds=retry.get("total_wait_ms", 0) / 1000,
        )
        self._calls[exec_id] = called.number + 1
        self._others_seconds += called.seconds
        self._usage += called.usage
        self._note_first_token(called)
        return called

    def _note_first_token(self, called: ModelCalled) -> None:
        if (
            called.first_token_seconds is None
            or self._first_token_seconds is not None
            or self._queued_seconds is None
            or self._began is None
        ):
            return
        until_call = (called.ended - self._began).total_seconds() - called.seconds
        since_queued = self._queued_seconds + max(0.0, until_call)
        self._first_token_seconds = since_queued + called.first_token_seconds

    def _step_over(self, event: LoggedEvent, exec_id: str) -> StepEnded:
        is_act = event.type == EventType.ACT_COMPLETED
        began = self._step_began.pop(exec_id, event.ts)
        gap = None
        if self._step_ended is not None:
            gap = max(0.0, (began - self._step_ended).total_seconds())
        self._step_ended = event.ts
        if is_act:
            self._others_seconds += (event.ts - began).total_seconds()
        return StepEnded(
            kind="act" if is_act else "reason",
            exec_id=exec_id,
            began=began,
            ended=event.ts,
            is_success=is_act or bool(event.data["success"]),
            gap_seconds=gap,
        )

    def _turn_over(self, event: LoggedEvent) -> TurnEnded:
        began, data = self._began or event.ts, event.data
        whole = (event.ts - began).total_seconds()
        return TurnEnded(
            outcome=_OUTCOME_OF[EventType(event.type)],
            code=data.get("error_code"),
            agent_id=self._agent_id,
            began=began,
            ended=event.ts,
            overhead_seconds=max(0.0, whole - self._others_seconds),
            first_token_seconds=self._first_token_seconds,
            usage=self._usage,
            iterations=data.get("iterations", 0),
        )


def _tool_called(event: LoggedEvent, exec_id: str) -> ToolCalled:
    data = event.data
    took_ms = data.get("duration_ms")
    return ToolCalled(
        exec_id=exec_id,
        call_id=data["tool_call_id"],
        name=data["tool_name"],
        is_known="capability_id" in data,
        status=data.get("status", "error"),
        ended=event.ts,
        seconds=None if took_ms is None else took_ms / 1000,
    )

"""A turn as spans, after OpenTelemetry's conventions for generative AI (contract 8.4).

invoke_agent -> reason -> chat <model>, and invoke_agent -> act -> execute_tool <name>.  All is
read off committed events, so the parts of a turn that ran on several workers are one trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from common.domain.events import EventType, Json
from common.domain.ids import Kind, show_id
from common.domain.message import text_of
from common.domain.trace import TraceContext, parse_traceparent
from common.domain.turn import Claim
from common.event_codec import LoggedEvent
from common.tracing import Span, Tracer, Value, nanoseconds
from worker.turn import places
from worker.turn.account import Measure, ModelCalled, StepEnded, ToolCalled, TurnEnded

_CONTENT_CHARACTERS: Final = 16_000


class TurnSpans:
    """Tells a tracer of one turn on this worker."""

    def __init__(self, claim: Claim, tracer: Tracer, *, worker_name: str) -> None:
        self._claim = claim
        self._tracer = tracer
        self._turn: TraceContext = claim.trace
        sent = parse_traceparent(claim.traceparent)
        self._parent_id = None if sent is None else sent.span_id
        self._ids: dict[str, Value] = {
            "gen_ai.conversation.id": show_id(Kind.SESSION, claim.session_id),
            "everturn.organization.id": show_id(Kind.ORGANIZATION, claim.organization_id),
            "everturn.turn.id": show_id(Kind.TURN, claim.turn_id),
            "everturn.turn.attempt": claim.attempt,
            "durable.worker.id": worker_name,
        }
        self._words: dict[str, dict[str, Value]] = {}

    def take(self, measures: Iterable[Measure], events: Iterable[LoggedEvent]) -> None:
        """Tell of what is over; `events` are what it was measured from."""
        if self._tracer.shows_content:
            self._remember_words(events)
        for measured in measures:
            span = self._span(measured)
            if span is not None:
                self._tracer.emit(span)

    def _span(self, measured: Measure) -> Span | None:
        match measured:
            case ModelCalled():
                return self._model_called(measured)
            case ToolCalled():
                return self._tool_called(measured)
            case StepEnded():
                return self._step(measured)
            case TurnEnded():
                return self._turn_ended(measured)
            case _:
                return None

    def _model_called(self, call: ModelCalled) -> Span:
        place = places.of_model_call(self._turn, call.exec_id, call.number)
        usage = call.usage
        facts = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": call.provider,
            "gen_ai.request.model": call.model,
            "gen_ai.response.model": None if call.failure else call.model,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.finish_reasons": [call.finish_reason] if call.finish_reason else None,
            "gen_ai.usage.input_tokens": usage.input_tokens or None,
            "gen_ai.usage.output_tokens": usage.output_tokens or None,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens or None,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_creation_tokens or None,
            "everturn.llm.retries": call.retries or None,
            "everturn.llm.first_token_seconds": call.first_token_seconds,
            **self._words.pop(call.exec_id, {}),
        }
        return self._make(
            f"chat {call.model}",
            place,
            parent=places.of_step(self._turn, call.exec_id),
            ended=call.ended,
            seconds=call.seconds,
            facts=facts,
            error=call.failure,
            is_client=True,
        )

    def _tool_called(self, call: ToolCalled) -> Span:
        failed = call.status != "success"
        facts = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.type": "function",
            **self._words.pop(call.call_id, {}),
        }
        return self._make(
            f"execute_tool {call.name}",
            places.of_tool_call(self._turn, call.call_id),
            parent=places.of_step(self._turn, call.exec_id),
            ended=call.ended,
            seconds=call.seconds or 0.0,
            facts=facts,
            error=call.status if failed else None,
        )

    def _step(self, step: StepEnded) -> Span:
        return self._make(
            step.kind,
            places.of_step(self._turn, step.exec_id),
            parent=self._turn,
            ended=step.ended,
            seconds=(step.ended - step.began).total_seconds(),
            facts={
                "durable.activity.id": step.exec_id,
                "durable.activity.type": step.kind,
                "durable.activity.attempt": self._claim.attempt,
            },
            error=None if step.is_success else "model_failed",
        )

    def _turn_ended(self, turn: TurnEnded) -> Span:
        facts = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.id": turn.agent_id,
            "gen_ai.usage.input_tokens": turn.usage.input_tokens or None,
            "gen_ai.usage.output_tokens": turn.usage.output_tokens or None,
            "everturn.turn.outcome": turn.outcome,
            "everturn.turn.iterations": turn.iterations,
            "everturn.turn.overhead_seconds": turn.overhead_seconds,
            "everturn.turn.first_token_seconds": turn.first_token_seconds,
            "durable.workflow.id": show_id(Kind.TURN, self._claim.turn_id),
            "durable.workflow.type": "turn",
            "durable.workflow.status": turn.outcome,
        }
        error = None if turn.outcome == "completed" else turn.code or turn.outcome
        name = "invoke_agent" if turn.agent_id is None else f"invoke_agent {turn.agent_id}"
        return self._make(
            name,
            self._turn,
            parent=None,
            ended=turn.ended,
            seconds=turn.seconds,
            facts=facts,
            error=error,
        )

    def _make(
        self,
        name: str,
        place: TraceContext,
        *,
        parent: TraceContext | None,
        ended: datetime,
        seconds: float,
        facts: Mapping[str, Any],
        error: str | None,
        is_client: bool = False,
    ) -> Span:
        known = {key: value for key, value in facts.items() if value is not None}
        return Span(
            name=name,
            place=place,
            parent_id=self._parent_id if parent is None else parent.span_id,
            began_ns=nanoseconds(ended - timedelta(seconds=seconds)),
            ended_ns=nanoseconds(ended),
            kind="client" if is_client else "internal",
            attributes={**self._ids, **known},
            error=error,
        )

    # --- what was said, for operators who asked for it ----------------------------

    def _remember_words(self, events: Iterable[LoggedEvent]) -> None:
        for event in events:
            exec_id, data = event.context.get("exec_id", ""), event.data
            match event.type:
                case EventType.OUTPUT_COMPLETED if exec_id:
                    said = [{"role": "assistant", "parts": _text_parts(data["message"])}]
                    self._words[exec_id] = {"gen_ai.output.messages": _shown(said)}
                case EventType.TOOL_STARTED:
                    call = data["tool_call"]
                    asked = {"gen_ai.tool.call.arguments": _shown(call["arguments"])}
                    self._words.setdefault(call["id"], {}).update(asked)
                case EventType.TOOL_COMPLETED:
                    came = _shown(data.get("result") or data.get("error"))
                    result: dict[str, Value] = {"gen_ai.tool.call.result": came}
                    self._words.setdefault(data["tool_call_id"], {}).update(result)
                case _:
                    pass


def _text_parts(message: Json) -> list[Json]:
    return [{"type": "text", "content": text_of(message)}]


def _shown(value: object) -> str:
    return orjson.dumps(value).decode()[:_CONTENT_CHARACTERS]

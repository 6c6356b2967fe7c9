"""A reason step in events: their payloads (contract 4.2, 4.3).  Pure.

What a model's provider wants back with the next request is kept beside the answer's
event, in its private part, and is in no payload.  So are a provider's own words for a
failure, where whoever asked is not to read them: an operator finds them in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from common.domain.events import EventDraft, EventType, Json
from common.domain.ids import Kind, show_id
from common.domain.message import Phase, agent_message
from common.domain.text import preview
from worker.llm.driver import ThinkingBlock
from worker.turn.config import ModelMissing, TurnConfig
from worker.turn.outcome import ModelAnswer, ModelFailure


@dataclass(frozen=True, slots=True)
class Stream:
    """A text stream: where its opener stands in the log and what it will become."""

    opener: int
    message_id: UUID


@dataclass(frozen=True, slots=True)
class ReasonStep:
    """The step that the events belong to.

    Attributes:
        turn_id: shown form.
        context: of every event of the step.
        read_through: sequence of `reason.started`; messages below it were sent.
        shows_detail: whether events may carry a provider's own words for a failure.
    """

    turn_id: str
    context: Json
    config: TurnConfig
    config_hash: str
    read_through: int = 0
    shows_detail: bool = False

    # --- as it goes on ---------------------------------------------------------

    def started(self) -> EventDraft:
        data: Json = {
            "harness_id": self.config.harness_id,
            "metadata": {"model": self.model_name},
        }
        if self.config.agent_id is not None:
            data["agent_id"] = self.config.agent_id
        return self._draft(EventType.REASON_STARTED, data)

    def recovered(self, *, lost_bytes: int) -> EventDraft:
        """Another worker begins the step anew; so much of its answer had been shown."""
        data: Json = {"turn_id": self.turn_id, "mode": "restart", "accumulated_len": lost_bytes}
        return self._draft(EventType.REASON_RECOVERED, data)

    def reply_opened(self, iteration: int, message_id: UUID) -> EventDraft:
        data = {
            "turn_id": self.turn_id,
            "model": self.model_name,
            "iteration": iteration,
            "message_id": show_id(Kind.MESSAGE, message_id),
        }
        return self._draft(EventType.OUTPUT_STARTED, data)

    def thinking_opened(self, model: str | None) -> EventDraft:
        data = {"turn_id": self.turn_id, "model": model or self.model_name}
        return self._draft(EventType.THINKING_STARTED, data)

    def thinking_completed(self, text: str, *, opener: int | None) -> EventDraft:
        """The whole of a stream of thinking, or with no opener what was not streamed."""
        context = self.context if opener is None else {**self.context, "stream_sequence": opener}
        data = {"turn_id": self.turn_id, "thinking": text}
        return EventDraft(EventType.THINKING_COMPLETED, data, context)

    # --- its end ---------------------------------------------------------------

    def answered(self, answer: ModelAnswer, stream: Stream) -> list[EventDraft]:
        """The model's answer, what the calls were, and the end of the step."""
        message_id = show_id(Kind.MESSAGE, stream.message_id)
        ended = {
            "success": True,
            "has_tool_calls": bool(answer.calls),
            "tool_call_count": len(answer.calls),
            "text_preview": preview(answer.text),
            "usage": answer.usage.to_json(),
            "duration_ms": answer.duration_ms,
        }
        late = answer.late_thinking
        return [
            # Without an opener: the answer's own text stream is still open.
            *([self.thinking_completed(late, opener=None)] if late else []),
            self._completed(answer, stream),
            *self._generations([*answer.given_up, answer], message_id=message_id),
            self._draft(EventType.REASON_COMPLETED, ended),
        ]

    def _completed(self, answer: ModelAnswer, stream: Stream) -> EventDraft:
        phase: Phase = "commentary" if answer.calls else "final_answer"
        message = agent_message(stream.message_id, answer.text, calls=answer.calls, phase=phase)
        metadata = {"model": answer.model}
        if answer.asked is not None:
            metadata["model_id"] = answer.asked.id
            if answer.asked.provider_id:
                metadata["provider_id"] = answer.asked.provider_id
        return EventDraft(
            EventType.OUTPUT_COMPLETED,
            {"message": message, "metadata": metadata, "usage": answer.usage.to_json()},
            {**self.context, "stream_sequence": stream.opener},
            private=_kept(answer.thinking, metadata.get("provider_id", "")),
        )

    def unanswered(self, failure: ModelFailure) -> list[EventDraft]:
        """Calls that failed, and the end of their step."""
        ended = {
            "success": False,
            "has_tool_calls": False,
            "tool_call_count": 0,
            "text_preview": None,
            "error": self._told(failure),
            "failure": failure.reason,
            "duration_ms": failure.duration_ms,
        }
        return [
            *self._generations([failure, *failure.given_up], message_id=None),
            self._draft(EventType.REASON_COMPLETED, ended, private={"error": failure.detail}),
        ]

    def _told(self, failure: ModelFailure) -> str:
        return failure.detail if self.shows_detail else failure.reason

    def _generations(
        self, outcomes: Sequence[ModelAnswer | ModelFailure], *, message_id: str | None
    ) -> list[EventDraft]:
        """One event a model that was tried; each but the first says what it stood in for."""
        first = self._generation(outcomes[0], message_id=message_id)
        others = [
            self._generation(outcome, message_id=message_id, instead_of=before)
            for before, outcome in pairwise(outcomes)
        ]
        return [first, *others]

    def _generation(
        self,
        outcome: ModelAnswer | ModelFailure,
        *,
        message_id: str | None,
        instead_of: ModelAnswer | ModelFailure | None = None,
    ) -> EventDraft:
        asked = outcome.asked
        metadata: dict[str, Any] = {
            "model": outcome.model or (self.model_name if asked is None else asked.name),
            "provider": self._provider_of(outcome),
            "success": isinstance(outcome, ModelAnswer),
            "duration_ms": outcome.duration_ms,
        }
        output: dict[str, Any] = {}
        private: Json | None = None
        if isinstance(outcome, ModelAnswer):
            output = {"message_id": message_id}
            metadata["usage"] = outcome.usage.to_json()
            metadata["finish_reasons"] = [outcome.finish_reason]
            metadata["response_id"] = outcome.response_id
            metadata["time_to_first_token_ms"] = outcome.first_token_ms
        else:
            metadata["error"] = self._told(outcome)
            metadata["failure"] = outcome.reason
            private = {"error": outcome.detail}
        if outcome.retries:
            metadata["retry"] = {
                "attempts": outcome.retries,
                "total_wait_ms": outcome.waited_ms,
            }
        if isinstance(instead_of, ModelFailure):
            name = instead_of.model if instead_of.asked is None else instead_of.asked.name
            metadata["fallback"] = {"from": name, "reason": instead_of.reason}
        # What was sent is in the log already: everything up to the step's start.
        sent = {"from_sequence": 1, "to_sequence": self.read_through}
        data = {"messages": [], **sent, "config_hash": self.config_hash}
        told = {**data, "output": output, "metadata": metadata}
        return self._draft(EventType.LLM_GENERATION, told, private=private)

    # --- parts -----------------------------------------------------------------

    @property
    def model_name(self) -> str | None:
        """The model that the turn was to use."""
        model = self.config.model
        return (model.name or None) if isinstance(model, ModelMissing) else model.name

    def _provider_of(self, outcome: ModelAnswer | ModelFailure) -> str | None:
        if outcome.asked is not None:
            return outcome.asked.provider_type
        model = self.config.model
        is_of_turn = isinstance(outcome, ModelAnswer) or outcome.model in (None, self.model_name)
        if isinstance(model, ModelMissing) or not is_of_turn:
            return None
        return model.provider_type

    def _draft(self, kind: EventType, data: Json, private: Json | None = None) -> EventDraft:
        return EventDraft(kind, data, self.context, private)


def _kept(thinking: tuple[ThinkingBlock, ...], provider_id: str) -> Json | None:
    """What the next request may have to give back to the provider, and to none but it."""
    if not thinking:
        return None
    blocks = [
        {
            "text": block.text,
            "provider_type": block.provider_type,
            "provider_id": provider_id,
            "replay": dict(block.replay),
        }
        for block in thinking
    ]
    return {"thinking": blocks}


def kept_thinking(private: Json) -> tuple[ThinkingBlock, ...]:
    """What `answered` kept in the private part of the answer's event."""
    return tuple(
        ThinkingBlock(
            block["text"], block["provider_type"], block["replay"], block.get("provider_id", "")
        )
        for block in private.get("thinking", ())
    )

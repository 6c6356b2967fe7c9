"""The conversation as a model is sent it, from the log's messages.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.domain.events import EventType
from common.domain.message import calls_of, text_of
from common.domain.turn import ToolCall
from common.event_codec import LoggedEvent
from worker.llm.driver import ModelMessage

_UNANSWERED: Final = '{"error":"This call was cancelled by a newer message"}'
_IMAGE_NOTE: Final = "[an image that cannot be shown here]"


@dataclass(slots=True)
class Conversation:
    """The messages so far, in log order, grown as the turn goes on.

    Attributes:
        read_through: sequence of the newest message taken in.
        controls: what the newest user message asks of the generation.
        call_ids: every tool-call id the session has used.
    """

    messages: list[ModelMessage] = field(default_factory=list)
    read_through: int = 0
    controls: Mapping[str, Any] = field(default_factory=dict)
    call_ids: set[str] = field(default_factory=set)
    _results: dict[str, str] = field(default_factory=dict)

    def extend(self, events: Iterable[LoggedEvent]) -> None:
        """Take in message events, oldest first."""
        for event in events:
            self.read_through = event.sequence
            data = event.data
            match event.type:
                case EventType.INPUT_MESSAGE:
                    self._hear_user(data["message"])
                case EventType.OUTPUT_COMPLETED if "exec_id" in event.context:
                    self._hear_agent(data["message"])
                case EventType.TOOL_COMPLETED:
                    self._results[data["tool_call_id"]] = result_text(data)
                case _:
                    # A notice of ours: for people, the model did not say it.
                    pass

    def for_model(self) -> tuple[ModelMessage, ...]:
        """The transcript: results directly after the answer that asked, in call order."""
        transcript: list[ModelMessage] = []
        for message in self.messages:
            transcript.append(message)
            transcript.extend(self._result_of(call) for call in message.tool_calls)
        return tuple(transcript)

    def _result_of(self, call: ToolCall) -> ModelMessage:
        text = self._results.get(call.id, _UNANSWERED)
        return ModelMessage("tool", text, tool_call_id=call.id)

    def _hear_user(self, message: dict[str, Any]) -> None:
        self.controls = message.get("controls") or {}
        parts = [
            part["text"] if part["type"] == "text" else _IMAGE_NOTE for part in message["content"]
        ]
        self.messages.append(ModelMessage("user", "\n".join(parts)))

    def _hear_agent(self, message: dict[str, Any]) -> None:
        calls = calls_of(message)
        self.call_ids.update(call.id for call in calls)
        self.messages.append(ModelMessage("assistant", text_of(message), calls))


def result_text(data: Mapping[str, Any]) -> str:
    """What the model is told of a call: its result, or its error."""
    if not data["success"]:
        return f"Error: {data.get('error') or 'the call failed'}"
    return "".join(part.get("text", "") for part in data.get("result") or ())

"""A turn: one answer of the agent, from its first user message to its terminal event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.domain.trace import TraceContext, parse_traceparent


class TurnStatus(StrEnum):
    """`queued`, `running` and `waiting` are open; at most one open turn a session."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SEALED = "sealed"


class SessionStatus(StrEnum):
    """Spelled as the wire spells it (contract T13)."""

    STARTED = "started"
    ACTIVE = "active"
    IDLE = "idle"
    WAITING = "waitingfortoolresults"


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn held by this worker under `epoch`.

    Attributes:
        attempt: how often it has been claimed, this time included; 1 means the
            log holds no event of the turn yet.
        reclaims: claims since the last progress that followed a lost worker.
        input_sequence: where the turn's first user message stands in the log;
            `input_message_id` is that message's.
        controls: what the session's newest user message asks of the generation.
        age_seconds: since the turn was opened.
        traceparent: where in a trace its first message was sent from; None when nobody said.
    """

    turn_id: UUID
    session_id: UUID
    organization_id: UUID
    epoch: int
    attempt: int
    reclaims: int
    input_sequence: int
    input_message_id: str
    controls: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    age_seconds: float = field(default=0.0, compare=False)
    traceparent: str | None = field(default=None, compare=False, repr=False)

    @property
    def trace(self) -> TraceContext:
        """The turn's own place: in the trace of its first message, else in one of its own.

        A trace of its own has the turn's digits, so that either is found by the other.
        """
        sent = parse_traceparent(self.traceparent)
        root = sent or TraceContext(self.turn_id.hex, "")
        return root.below("turn", self.turn_id.hex)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish to call a tool; `id` is unique within the session.

    Attributes:
        malformed: what the model wrote where JSON arguments were due, its start at least;
            `arguments` is empty then and the call is answered with an error.
        fault: what the model is told of a malformed call; None where its text says enough.
    """

    id: str
    name: str
    arguments: dict[str, Any]
    malformed: str | None = None
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "arguments": self.arguments}
        if self.malformed is not None:
            shown["malformed"] = self.malformed
        if self.fault is not None:
            shown["fault"] = self.fault
        return shown

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ToolCall:
        """What `to_json` wrote, other keys beside it allowed."""
        malformed, fault = raw.get("malformed"), raw.get("fault")
        return cls(raw["id"], raw["name"], raw["arguments"], malformed, fault)

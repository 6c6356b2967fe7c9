"""A turn: one answer of the agent, from its first user message to its terminal event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


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
    """

    turn_id: UUID
    session_id: UUID
    organization_id: UUID
    epoch: int
    attempt: int
    reclaims: int
    input_sequence: int
    input_message_id: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish to call a tool; `id` is unique within the session."""

    id: str
    name: str
    arguments: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "arguments": self.arguments}

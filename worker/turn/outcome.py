"""What effects bring back to the turn.  Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from common.domain.events import Usage
from common.domain.turn import ToolCall


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A whole answer.  `retries` are the calls that failed before it."""

    text: str
    calls: tuple[ToolCall, ...]
    usage: Usage
    model: str
    finish_reason: str
    response_id: str | None
    duration_ms: int
    first_token_ms: int | None
    retries: int = 0
    waited_ms: int = 0

    def with_calls(self, calls: tuple[ToolCall, ...]) -> ModelAnswer:
        return replace(self, calls=calls)


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """No answer.  `detail` is the provider's, secrets masked; not for everybody's eyes."""

    reason: str
    detail: str
    duration_ms: int
    model: str | None = None
    retries: int = 0
    waited_ms: int = 0


@dataclass(frozen=True, slots=True)
class CallResult:
    """A tool call's result: `text` for the model, or an error that it is shown."""

    status: Literal["success", "error", "timeout", "cancelled"]
    text: str | None = None
    error: str | None = None
    duration_ms: int | None = None

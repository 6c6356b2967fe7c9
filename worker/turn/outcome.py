"""What effects bring back to the turn.  Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from common.domain.events import Usage
from common.domain.turn import ToolCall
from worker.llm.driver import ThinkingBlock
from worker.turn.config import ModelChoice


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A whole answer.

    Attributes:
        model: as the provider names what answered; `asked` is what was asked for.
        thinking: all of it, with what the provider wants back.
        late_thinking: what of it could not be streamed, since the answer had begun.
        retries: calls that failed before it.
        given_up: the models that were tried before it, in order.
    """

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
    thinking: tuple[ThinkingBlock, ...] = ()
    late_thinking: str = ""
    asked: ModelChoice | None = None
    given_up: tuple[ModelFailure, ...] = ()

    def with_calls(self, calls: tuple[ToolCall, ...]) -> ModelAnswer:
        return replace(self, calls=calls)


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """No answer.

    Attributes:
        detail: the provider's, secrets masked; not for everybody's eyes.
        is_shown: whether a part of an answer has been shown: then no other is tried.
        given_up: the models that were tried after it, in order.
    """

    reason: str
    detail: str
    duration_ms: int
    model: str | None = None
    retries: int = 0
    waited_ms: int = 0
    is_shown: bool = False
    asked: ModelChoice | None = None
    given_up: tuple[ModelFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    """A tool call's result: `text` for the model, or an error that it is shown."""

    status: Literal["success", "error", "timeout", "cancelled"]
    text: str | None = None
    error: str | None = None
    duration_ms: int | None = None

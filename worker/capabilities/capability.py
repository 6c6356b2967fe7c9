"""What a capability is and what a tool promises.

A tool's side-effect class decides what happens when its worker dies in mid-call
(I5): `pure` and `idempotent` calls run again, others are recorded as interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class SideEffect(StrEnum):
    """What repeating a call would do."""

    PURE = "pure"
    IDEMPOTENT = "idempotent"
    AT_MOST_ONCE = "at_most_once"

    @property
    def may_repeat(self) -> bool:
        """Whether a call that may have taken effect can simply be made again."""
        return self is not SideEffect.AT_MOST_ONCE


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a call may know of its surroundings.

    Attributes:
        idempotency_key: the same for every attempt of the same call.
    """

    session_id: UUID
    turn_id: UUID
    tool_call_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class ToolSucceeded:
    """The call's result, any JSON value."""

    result: Any


@dataclass(frozen=True, slots=True)
class ToolFailed:
    """An error that the model is shown; the turn goes on."""

    message: str


ToolOutcome = ToolSucceeded | ToolFailed


class ToolFunction(Protocol):
    """Runs one call.  Arguments have passed the tool's schema; anything raised is a bug."""

    def __call__(self, arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        """Run to the end, on a thread that nobody can kill: waits must have a limit."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; `parameters` is the JSON Schema of its arguments."""

    name: str
    display_name: str
    description: str
    parameters: Mapping[str, Any]
    side_effect: SideEffect
    run: ToolFunction


@dataclass(frozen=True, slots=True)
class Capability:
    """Tools and a prompt addition under an id of `common.domain.capability_catalog`."""

    id: str
    tools: tuple[Tool, ...]
    system_prompt: str = ""

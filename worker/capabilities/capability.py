"""What a capability is and what a tool promises.

A tool's side-effect class decides what happens when its worker dies in mid-call
(I5): `pure` and `idempotent` calls run again, `reconcile` ones are asked what became of
them, all others are recorded as interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from common.domain.capability_catalog import ToolInfo

# The result of a call that may have been made by a worker that is gone (I5).
OUTCOME_UNKNOWN: Final = (
    "The worker was lost while this call was running: whether it took effect is unknown,"
    " and it was not repeated"
)


class SideEffect(StrEnum):
    """What repeating a call would do."""

    PURE = "pure"
    IDEMPOTENT = "idempotent"
    AT_MOST_ONCE = "at_most_once"
    RECONCILE = "reconcile"

    @property
    def may_repeat(self) -> bool:
        """Whether a call that may have taken effect can simply be made again."""
        return self in (SideEffect.PURE, SideEffect.IDEMPOTENT)

    @property
    def may_resume(self) -> bool:
        """Whether a call of a worker that is gone can be settled: repeated, or asked after."""
        return self is not SideEffect.AT_MOST_ONCE


class Report(Protocol):
    """How a running call tells whoever watches how it is doing: live only, never stored."""

    def progress(self, message: str) -> None:
        """One line for people (`tool.progress`)."""
        ...

    def output(self, text: str, *, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """More of what it prints (`tool.output.delta`); not part of its result."""
        ...


class Silent:
    """Reports to nobody."""

    def progress(self, message: str) -> None:
        """Drop it."""

    def output(self, text: str, *, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Drop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a call may know of its surroundings.

    Attributes:
        workspace_id: where the session's files are.
        idempotency_key: the same for every attempt of the same call.
        timeout_seconds: when its result is no longer waited for, counted from its start.
        is_stopped: whether the turn was cancelled or handed over; long calls look at it.
        network_access: the session's `{allowed, blocked}` hosts, None for no rule.
        traceparent: the call's place in the turn's trace, to be sent along with requests;
            None when nothing is traced.
        epoch: the turn's hold on the session; what changes the session is fenced by it (I3).
    """

    organization_id: UUID
    session_id: UUID
    workspace_id: UUID
    turn_id: UUID
    tool_call_id: str
    idempotency_key: str
    timeout_seconds: float
    is_stopped: Callable[[], bool] = lambda: False
    report: Report = field(default_factory=Silent)
    network_access: Mapping[str, Any] | None = None
    epoch: int | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSucceeded:
    """The call's result, any JSON value."""

    result: Any


@dataclass(frozen=True, slots=True)
class ToolFailed:
    """An error that the model is shown; the turn goes on.

    Attributes:
        is_timeout: what the tool waited for took too long; the call's status says so.
    """

    message: str
    is_timeout: bool = False


ToolOutcome = ToolSucceeded | ToolFailed


class ToolFunction(Protocol):
    """Runs one call.  Arguments have passed the tool's schema; anything raised is a bug."""

    def __call__(self, arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        """Run to the end, on a thread that nobody can kill: waits must have a limit."""
        ...


class Reconcile(Protocol):
    """Finds out what became of a call whose worker was lost."""

    def __call__(self, arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome | None:
        """The call's outcome if it took effect; None if it surely did not and may be made."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; `parameters` is the JSON Schema of its arguments.

    Attributes:
        concurrency_class: calls of one class run one after the other within a turn.
        timeout_seconds: the longest a call may take; None for the worker's default.
        output_limit_bytes: of the result's JSON; None for the worker's default.
        requires_approval: a person must allow each call.
        reconcile: asked on resume; given if and only if `side_effect` is `reconcile`.
        checks_arguments: `run` is given arguments that the schema was not held against,
            because it words what is wrong with them better.
    """

    name: str
    display_name: str
    description: str
    parameters: Mapping[str, Any]
    side_effect: SideEffect
    run: ToolFunction
    concurrency_class: str | None = None
    timeout_seconds: float | None = None
    output_limit_bytes: int | None = None
    requires_approval: bool = False
    reconcile: Reconcile | None = None
    checks_arguments: bool = False

    def __post_init__(self) -> None:
        """Refuse a promise that nobody could keep."""
        if (self.side_effect is SideEffect.RECONCILE) != (self.reconcile is not None):
            raise ValueError(f"tool {self.name}: reconcile goes with the side effect of that name")

    @classmethod
    def declared(
        cls,
        info: ToolInfo,
        *,
        side_effect: SideEffect,
        run: ToolFunction,
        concurrency_class: str | None = None,
        timeout_seconds: float | None = None,
        output_limit_bytes: int | None = None,
        requires_approval: bool = False,
        reconcile: Reconcile | None = None,
        checks_arguments: bool = False,
    ) -> Tool:
        """The tool that the catalogue declares, with what it does and promises."""
        return cls(
            name=info.name,
            display_name=info.display_name,
            description=info.description,
            parameters=info.parameters,
            side_effect=side_effect,
            run=run,
            concurrency_class=concurrency_class,
            timeout_seconds=timeout_seconds,
            output_limit_bytes=output_limit_bytes,
            requires_approval=requires_approval,
            reconcile=reconcile,
            checks_arguments=checks_arguments,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a capability is prepared for.

    Attributes:
        capability_id: as it was granted; of a family the member, such as `mcp:<uuid>`.
        is_stopped: whether nobody waits for the contribution any more; long waits look at it.
    """

    organization_id: UUID
    session_id: UUID
    workspace_id: UUID
    capability_id: str
    network_access: Mapping[str, Any] | None = None
    is_stopped: Callable[[], bool] = field(default=lambda: False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What a capability adds to one turn."""

    tools: tuple[Tool, ...] = ()
    system_prompt: str = ""


class Prepare(Protocol):
    """Makes a capability's contribution when it depends on its config or on the session."""

    def __call__(self, config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        """Called once a turn and worker, outside any transaction, beside those of others.

        What it raises is logged, and the turn goes on without the contribution; so it does
        when that is not there within 15 s.
        """
        ...


@dataclass(frozen=True, slots=True)
class Capability:
    """Tools and a prompt addition, fixed ones or those that `prepare` makes.

    Attributes:
        id: of the catalogue; one that ends with a colon, such as `mcp:`, stands for
            all ids that begin so, and its `prepare` finds the one in its scope.
    """

    id: str
    tools: tuple[Tool, ...] = ()
    system_prompt: str = ""
    prepare: Prepare | None = None

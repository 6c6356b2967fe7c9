"""The walks whose every crossing is tried, and the tools whose effects are counted outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from worker.capabilities.capability import SideEffect, Tool, ToolContext, ToolOutcome, ToolSucceeded

ANSWER: Final = "all done"


class Happening(StrEnum):
    """What belongs to a scenario and is no fault of its own."""

    MESSAGE = "a message comes"
    CANCEL = "the turn is cancelled"
    DEATH = "the worker dies"
    LEAVE = "the worker is asked to leave"


@dataclass(frozen=True)
class Scenario:
    """One walk.

    Attributes:
        calls: tools that the model calls one after the other, each in a step of its own.
        planned: what happens after the first point whose label has these words.
        is_answered: whether the client answers what it is asked; else the deadline comes.
        watches_message: whether what the api does with the first message counts: it is the
            same in all scenarios.
        breaks_statements: whether the connection breaks at each statement, too.
    """

    name: str
    calls: tuple[str, ...] = ()
    tools: tuple[SideEffect, ...] = tuple(SideEffect)
    definitions: tuple[Mapping[str, Any], ...] = ()
    planned: Mapping[str, Happening] = field(default_factory=dict)
    is_answered: bool = True
    watches_message: bool = False
    breaks_statements: bool = False

    @property
    def model(self) -> dict[str, Any]:
        """What the simulated model says: the calls, and then its answer as often as needed."""
        steps = [
            {"text": "", "tool_calls": [{"name": name, "arguments": {}}]} for name in self.calls
        ]
        turns = [*steps, {"text": ANSWER}]
        return {"response": {"type": "scripted", "turns": turns, "on_exhausted": "repeat_last"}}


class Effects:
    """What the tools did, by the key of the call: counted outside the system."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def tools(self, classes: Sequence[SideEffect]) -> list[Tool]:
        return [self._tool(side_effect) for side_effect in classes]

    def _tool(self, side_effect: SideEffect) -> Tool:
        return Tool(
            name=f"act_{side_effect}",
            display_name="Act",
            description="Has an effect that is counted",
            parameters={"type": "object"},
            side_effect=side_effect,
            run=self._act,
            reconcile=self._ask if side_effect is SideEffect.RECONCILE else None,
        )

    def _act(self, _arguments: Mapping[str, Any], context: ToolContext) -> ToolOutcome:
        self.made.append(context.idempotency_key)
        return ToolSucceeded({"done": True})

    def _ask(self, _arguments: Mapping[str, Any], context: ToolContext) -> ToolOutcome | None:
        was_made = context.idempotency_key in self.made
        return ToolSucceeded({"done": "before"}) if was_made else None


_LOOK_UP: Final = {
    "type": "client_side",
    "name": "look_up",
    "description": "Looks something up",
    "parameters": {"type": "object"},
}
_GUARDED: Final = {
    "type": "builtin",
    "name": "act_at_most_once",
    "policy": "requires_approval",
}
_ASKS: Final = "worker: ask the model"
_CALLS: Final = "worker: call act_idempotent"

SCENARIOS: Final = (
    Scenario("plain", watches_message=True, breaks_statements=True),
    Scenario("pure tool", ("act_pure",)),
    Scenario("idempotent tool", ("act_idempotent",)),
    Scenario("tool at most once", ("act_at_most_once",), breaks_statements=True),
    Scenario("reconciled tool", ("act_reconcile",)),
    Scenario("client's tool", ("look_up",), definitions=(_LOOK_UP,)),
    Scenario("client's tool, no answer", ("look_up",), definitions=(_LOOK_UP,), is_answered=False),
    Scenario("approval", ("act_at_most_once",), definitions=(_GUARDED,)),
    Scenario("steered", planned={_ASKS: Happening.MESSAGE}),
    Scenario("steered in a tool", ("act_idempotent",), planned={_CALLS: Happening.MESSAGE}),
    Scenario("cancelled", planned={_ASKS: Happening.CANCEL}),
    Scenario("cancelled in a tool", ("act_idempotent",), planned={_CALLS: Happening.CANCEL}),
    Scenario(
        "recovered",
        ("act_idempotent",),
        planned={_CALLS: Happening.DEATH},
        breaks_statements=True,
    ),
    Scenario("handed over", ("act_idempotent",), planned={_CALLS: Happening.LEAVE}),
)

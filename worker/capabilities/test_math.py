"""The four basic operations as tools: the smallest thing that shows a tool turn."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)

_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "a": {"type": "number", "description": "The first number."},
        "b": {"type": "number", "description": "The second number."},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}

_TOO_LARGE: Final = ToolFailed("The numbers or the result are too large to calculate with.")


def _operation(name: str, calculate: Callable[[float, float], float], *, description: str) -> Tool:
    def run(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        try:
            a, b = float(arguments["a"]), float(arguments["b"])
            result = calculate(a, b)
        except ZeroDivisionError:
            return ToolFailed("Division by zero is not possible.")
        except OverflowError:
            return _TOO_LARGE
        if not all(math.isfinite(number) for number in (a, b, result)):
            return _TOO_LARGE
        return ToolSucceeded({"result": result, "operation": name, "a": a, "b": b})

    return Tool(
        name=name,
        display_name=name.capitalize(),
        description=description,
        parameters=_PARAMETERS,
        side_effect=SideEffect.PURE,
        run=run,
    )


CAPABILITY: Final = Capability(
    id="test_math",
    tools=(
        _operation("add", operator.add, description="Add two numbers: a + b."),
        _operation("subtract", operator.sub, description="Subtract two numbers: a - b."),
        _operation("multiply", operator.mul, description="Multiply two numbers: a * b."),
        _operation("divide", operator.truediv, description="Divide two numbers: a / b."),
    ),
    system_prompt=(
        "You have four math tools: `add`, `subtract`, `multiply` and `divide`. "
        "Calculate with them instead of in your head, one operation a call."
    ),
)

"""The four basic operations as tools: the smallest thing that shows a tool turn."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from common.domain.capability_catalog.testing import TEST_MATH
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)

_TOO_LARGE: Final = ToolFailed("The numbers or the result are too large to calculate with.")


def _operation(name: str, calculate: Callable[[float, float], float]) -> Tool:
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

    return Tool.declared(TEST_MATH.tool(name), side_effect=SideEffect.PURE, run=run)


CAPABILITY: Final = Capability(
    id=TEST_MATH.id,
    tools=(
        _operation("add", operator.add),
        _operation("subtract", operator.sub),
        _operation("multiply", operator.mul),
        _operation("divide", operator.truediv),
    ),
    system_prompt=TEST_MATH.system_prompt,
)

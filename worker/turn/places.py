"""Where the parts of a turn are in its trace.  Pure.

What is told of a part afterwards and what was sent along with it meanwhile agree on its span.
"""

from __future__ import annotations

from common.domain.trace import TraceContext


def of_step(turn: TraceContext, exec_id: str) -> TraceContext:
    """A reason or act step."""
    return turn.below("step", exec_id)


def of_model_call(turn: TraceContext, exec_id: str, number: int) -> TraceContext:
    """The call of a step's model, and of each fallback after it; from 0."""
    return turn.below("chat", exec_id, number)


def of_tool_call(turn: TraceContext, call_id: str) -> TraceContext:
    """A tool call; its id is one within the session."""
    return turn.below("tool", call_id)

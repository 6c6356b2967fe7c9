"""Runs one tool call: checks its arguments, runs it, and makes its result storable.

Whatever a tool does, the caller gets an outcome to show to the model.  Deadlines and
threads are the turn engine's; this returns when the tool does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, assert_never

import structlog

from common.domain.turn import ToolCall
from common.logs import place_of
from worker.capabilities.argument_schema import ArgumentSchema, shown
from worker.capabilities.capability import (
    OUTCOME_UNKNOWN,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.tool_result import RESULT_LIMIT_BYTES, capped_json, storable_json

INTERNAL_ERROR: Final = "The tool could not be run because of an internal error."
_NO_OBJECT: Final = "The arguments must be a JSON object."
_FAILURE_LIMIT_BYTES: Final = 8 * 1024

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Executed:
    """What a call came to, and how long it took."""

    outcome: ToolOutcome
    duration_ms: int


class ToolExecutor:
    """Runs calls of a fixed set of tools; may be shared between threads."""

    def __init__(
        self, tools: Mapping[str, Tool], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._tools = tools
        self._schemas: dict[str, ArgumentSchema] = {}
        self._monotonic = monotonic

    def run(self, call: ToolCall, context: ToolContext, *, is_resumed: bool = False) -> Executed:
        """Run one call to its end.  Never raises: what goes wrong is an outcome.

        A call that is resumed was begun by a worker that is gone: it may have taken effect.
        """
        started_at = self._monotonic()
        tool = self._tools.get(call.name)
        if is_resumed:
            outcome = self._resumed(tool, call, context)
        elif tool is None:
            outcome = ToolFailed(f"There is no tool named {shown(call.name)}.")
        else:
            outcome = self._run(tool, call, context)
        return Executed(outcome, round((self._monotonic() - started_at) * 1000))

    def _run(self, tool: Tool, call: ToolCall, context: ToolContext) -> ToolOutcome:
        if call.malformed is not None:
            return ToolFailed(call.fault or _not_json(call.malformed))
        try:
            if not tool.checks_arguments:
                problems = self._schema_of(tool).problems(call.arguments)
                if problems:
                    return _kept(ToolFailed(" ".join(problems)), tool)
            return _kept(tool.run(call.arguments, context), tool)
        # The tool border: what a tool raises is a bug of it, and must cost neither the turn
        # its end nor the model its result.
        except Exception as bug:  # noqa: BLE001
            _log_bug(bug, tool=tool.name, tool_call_id=call.id)
            return ToolFailed(INTERNAL_ERROR)

    def _schema_of(self, tool: Tool) -> ArgumentSchema:
        # Made at its first call: what is wrong with it is that tool's trouble alone.
        schema = self._schemas.get(tool.name)
        if schema is None:
            schema = self._schemas[tool.name] = ArgumentSchema(tool.parameters)
        return schema

    def _resumed(self, tool: Tool | None, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """What the promise of the tool that is here now allows (I5)."""
        if tool is None:
            return ToolFailed(OUTCOME_UNKNOWN)
        if tool.side_effect.may_repeat:
            return self._run(tool, call, context)
        if tool.side_effect is not SideEffect.RECONCILE or tool.reconcile is None:
            return ToolFailed(OUTCOME_UNKNOWN)
        try:
            found = tool.reconcile(call.arguments, context)
            if found is not None:
                return _kept(found, tool)
        # The tool border again; not even whether it took effect is known now.
        except Exception as bug:  # noqa: BLE001
            _log_bug(bug, tool=tool.name, tool_call_id=call.id)
            return ToolFailed(OUTCOME_UNKNOWN)
        return self._run(tool, call, context)


def _not_json(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as wrong:
        place = ""
        if isinstance(wrong, json.JSONDecodeError):
            place = f": {wrong.msg} at line {wrong.lineno}, column {wrong.colno}"
        return f"The arguments were not valid JSON{place}. {_NO_OBJECT}"
    return _NO_OBJECT


def _kept(outcome: ToolOutcome, tool: Tool) -> ToolOutcome:
    match outcome:
        case ToolSucceeded():
            limit = tool.output_limit_bytes or RESULT_LIMIT_BYTES
            return ToolSucceeded(capped_json(storable_json(outcome.result), limit_bytes=limit))
        case ToolFailed():
            message = storable_json(outcome.message)
            return replace(outcome, message=capped_json(message, limit_bytes=_FAILURE_LIMIT_BYTES))
        case _:
            assert_never(outcome)


def _log_bug(bug: Exception, *, tool: str, tool_call_id: str) -> None:
    # Without the message, which may quote the arguments (I10); the place tells enough.
    error = type(bug).__name__
    _log.error("tool_raised", tool=tool, tool_call_id=tool_call_id, error=error, at=place_of(bug))

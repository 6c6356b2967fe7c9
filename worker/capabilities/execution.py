"""Runs one tool call: checks its arguments, runs it, and makes its result storable.

Whatever a tool does, the caller gets an outcome to show to the model.  Deadlines and
threads are the turn engine's; this returns when the tool does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, assert_never

import structlog
from jsonschema import Draft202012Validator, ValidationError

from common.domain.turn import ToolCall
from common.logs import place_of
from worker.capabilities.capability import (
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.tool_result import capped_json, storable_json

INTERNAL_ERROR: Final = "The tool could not be run because of an internal error."

_READ_PROBLEMS: Final = 10
_SHOWN_PROBLEMS: Final = 3
_SHOWN_CHARACTERS: Final = 100
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
        self._schemas = {
            name: Draft202012Validator(dict(tool.parameters)) for name, tool in tools.items()
        }
        self._monotonic = monotonic

    def run(self, call: ToolCall, context: ToolContext) -> Executed:
        """Run one call to its end.  Never raises: what goes wrong is an outcome."""
        started_at = self._monotonic()
        outcome = self._outcome(call, context)
        return Executed(outcome, round((self._monotonic() - started_at) * 1000))

    def _outcome(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        tool = self._tools.get(call.name)
        if tool is None:
            return ToolFailed(f"There is no tool named {_shown(call.name)}.")
        try:
            problems = self._problems(call)
            if problems:
                return _kept(ToolFailed(" ".join(problems)))
            return _kept(tool.run(call.arguments, context))
        # The tool border: what a tool raises is a bug of it, and must cost neither the turn
        # its end nor the model its result.
        except Exception as bug:  # noqa: BLE001
            _log_bug(bug, tool=tool.name, tool_call_id=call.id)
            return ToolFailed(INTERNAL_ERROR)

    def _problems(self, call: ToolCall) -> list[str]:
        """The first few sentences about what is wrong, for the model."""
        errors = islice(self._schemas[call.name].iter_errors(call.arguments), _READ_PROBLEMS)
        # Each missing name is an error of its own, whose description names all of them.
        sentences = dict.fromkeys(chain.from_iterable(_described(each) for each in errors))
        return list(sentences)[:_SHOWN_PROBLEMS]


def _described(error: ValidationError) -> Iterator[str]:
    """Sentences that name each argument at fault."""
    place = _path(error)
    match error.validator, error.validator_value, error.instance, error.schema:
        case "required", list() as names, dict() as given, _:
            for name in names:
                if name not in given:
                    yield f"Argument {_joined(place, name)} is missing."
        case "additionalProperties", False, dict() as given, {"properties": known}:
            for name in given:
                if name not in known:
                    yield f"Argument {_joined(place, _shown(name))} is not known."
        case _:
            yield f"Argument {place or '(all)'} is wrong: {_shown(error.message)}."


def _path(error: ValidationError) -> str:
    path = ""
    for step in error.absolute_path:
        path = f"{path}[{step}]" if isinstance(step, int) else _joined(path, step)
    return path


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(text: str) -> str:
    # What a value should have been stands behind it, so it is the middle that goes.
    if len(text) <= 2 * _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]} … {text[-_SHOWN_CHARACTERS:]}"


def _kept(outcome: ToolOutcome) -> ToolOutcome:
    match outcome:
        case ToolSucceeded():
            return ToolSucceeded(capped_json(storable_json(outcome.result)))
        case ToolFailed():
            message = storable_json(outcome.message)
            return ToolFailed(capped_json(message, limit_bytes=_FAILURE_LIMIT_BYTES))
        case _:
            assert_never(outcome)


def _log_bug(bug: Exception, *, tool: str, tool_call_id: str) -> None:
    # Without the message, which may quote the arguments (I10); the place tells enough.
    error = type(bug).__name__
    _log.error("tool_raised", tool=tool, tool_call_id=tool_call_id, error=error, at=place_of(bug))

"""Reads what a model wrote as a tool call's arguments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from common.domain.turn import ToolCall
from worker.llm.sizes import LONGEST_ARGUMENTS

# Enough for the model to see what it did wrong.
LONGEST_MALFORMED: Final = 4096  # characters

TOO_LONG: Final = "The arguments are longer than 1 MiB. The call was not made: write less at once."
CUT_OFF: Final = (
    "Your answer was cut off before the arguments of this call were complete, so it was not made."
)


@dataclass(slots=True)
class CallParts:
    """A tool call while it is being written; of arguments that grow too long the start is kept."""

    id: str
    name: str
    _pieces: list[str] = field(default_factory=list)
    _bytes: int = 0

    def add(self, piece: str) -> None:
        """Take in more of the arguments."""
        self._bytes += len(piece.encode("utf-8", "surrogatepass"))
        if self._bytes <= LONGEST_ARGUMENTS or not self._pieces:
            self._pieces.append(piece[:LONGEST_ARGUMENTS])

    def rewrite(self, whole: str) -> None:
        """Take in all of the arguments in place of what has come before."""
        self._pieces.clear()
        self._bytes = 0
        self.add(whole)

    @property
    def has_arguments(self) -> bool:
        return self._bytes > 0

    def to_call(self, *, is_cut: bool = False) -> ToolCall:
        """The call as it stands at the end of the answer."""
        raw = "".join(self._pieces)
        if self._bytes > LONGEST_ARGUMENTS:
            return _malformed(self.id, self.name, raw, TOO_LONG)
        return tool_call(self.id, self.name, raw, is_cut=is_cut)


def written_calls(parts: Sequence[CallParts], *, is_cut: bool) -> tuple[ToolCall, ...]:
    """The calls of an answer; of one that was cut off the last may not be whole."""
    last = len(parts) - 1
    return tuple(each.to_call(is_cut=is_cut and at == last) for at, each in enumerate(parts))


def tool_call(call_id: str, name: str, raw: str, *, is_cut: bool = False) -> ToolCall:
    """The call; arguments that are no JSON object are kept as `malformed`, cut.

    Nothing at all is what some models write for a tool without parameters; in a call that
    may have been cut off it is not taken for that.
    """
    fault = CUT_OFF if is_cut else None
    if not raw.strip():
        return _malformed(call_id, name, raw, fault) if is_cut else ToolCall(call_id, name, {})
    try:
        arguments = json.loads(raw)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return _malformed(call_id, name, raw, fault)
    return ToolCall(call_id, name, arguments)


def _malformed(call_id: str, name: str, raw: str, fault: str | None) -> ToolCall:
    return ToolCall(call_id, name, {}, malformed=raw[:LONGEST_MALFORMED], fault=fault)

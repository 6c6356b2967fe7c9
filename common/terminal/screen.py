"""What is seen of a turn: events in, text out.

On a terminal in colour; elsewhere only what the agent says goes to the output, and what it does
beside it to the error stream, so that an answer can be piped on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, TextIO

from common.terminal.server import Json

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_GREEN: Final = "\x1b[32m"
_YELLOW: Final = "\x1b[33m"
_MOST_SHOWN: Final = 200
# A terminal obeys these; what a model or a tool says must not.
_CONTROL: Final = {code: "�" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


@dataclass
class Screen:
    """Shows events as they come."""

    out: TextIO
    err: TextIO
    is_terminal: bool
    is_colourful: bool = False
    _is_mid_line: bool = False
    _is_thinking: bool = False
    _streamed: str | None = None

    def show(self, event: Json) -> None:
        """Show one event; most have nothing to show."""
        data = event["data"]
        match event["type"]:
            case "output.message.started":
                self._streamed = None
            case "output.message.delta":
                self._say(data["delta"])
                self._streamed = data.get("message_id")
            case "output.message.completed":
                self._complete(data)
            case "reason.thinking.delta" if self.is_terminal:
                self._think(data["delta"])
            case "reason.thinking.completed" | "reason.started":
                self._end_thinking()
            case "reason.recovered":
                self.note("another worker goes on; the answer begins anew", _YELLOW)
                self._streamed = None
            case "tool.started":
                call = data["tool_call"]
                self.note(f"⚙ {call['name']} {shown(call.get('arguments'))}", _DIM)
            case "tool.completed":
                self._tool_ended(data)
            case "turn.failed":
                self.note(f"✗ {data.get('error_code')}: {data.get('error')}", _RED)
            case "turn.cancelled":
                self.note("✗ cancelled", _YELLOW)
            case "turn.sealed":
                self.note("✗ given up: the turn kept losing its workers", _RED)
            case _:
                pass

    def prompt(self, name: str) -> str:
        """What stands before what a person types; `readline` counts it without its colour."""
        self.end_line()
        if not self.is_colourful:
            return f"{name}> "
        return f"\001{_BOLD}\002{name}>\001{_RESET}\002 "

    def note(self, words: str, colour: str = "") -> None:
        """A line of its own about what happens."""
        self.end_line()
        text = clean(words)
        stream = self.out if self.is_terminal else self.err
        stream.write(f"{colour}{text}{_RESET}\n" if self.is_colourful and colour else f"{text}\n")
        stream.flush()

    def end_line(self) -> None:
        """Let what comes next begin on a line of its own."""
        self._end_thinking()
        if self._is_mid_line:
            self.out.write("\n")
            self.out.flush()
            self._is_mid_line = False

    def _say(self, text: str) -> None:
        self._end_thinking()
        self.out.write(clean(text))
        self.out.flush()
        self._is_mid_line = not text.endswith("\n") if text else self._is_mid_line

    def _think(self, text: str) -> None:
        if not self._is_thinking:
            self.end_line()
            self._is_thinking = True
            self.out.write(_DIM if self.is_colourful else "(")
        self.out.write(clean(text))
        self.out.flush()

    def _end_thinking(self) -> None:
        if self._is_thinking:
            self._is_thinking = False
            self.out.write(f"{_RESET}\n" if self.is_colourful else ")\n")

    def _complete(self, data: Json) -> None:
        """The whole of what was streamed; said now when none of it was."""
        message = data["message"]
        if message["id"] != self._streamed:
            self.end_line()
            self._say(_text_of(message))
        self._streamed = None
        self.end_line()

    def _tool_ended(self, data: Json) -> None:
        took = f" {data['duration_ms'] / 1000:.1f} s" if data.get("duration_ms") else ""
        if data.get("success"):
            self.note(f"✓ {data['tool_name']}{took}", _GREEN)
        else:
            error = shown(data.get("error") or data.get("status"))
            self.note(f"✗ {data['tool_name']}{took}: {error}", _RED)


def shown(value: Any) -> str:
    """Arguments or an error, on one line that is not too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SHOWN else f"{line[: _MOST_SHOWN - 1]}…"


def clean(text: str) -> str:
    """The text without what a terminal would take for an order."""
    return text.translate(_CONTROL)


def _text_of(message: Json) -> str:
    parts = [part.get("text", "") for part in message["content"] if part.get("type") == "text"]
    return "\n".join(parts)

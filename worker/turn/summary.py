"""How the older part of a conversation is summed up: what the model is asked.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from common.domain.model import ModelProfile
from worker.llm.driver import ModelMessage
from worker.turn.context_window import Entry

SUMMARY_TOKENS: Final = 2_000
_WINDOW_SHARE: Final = 0.25
INSTRUCTION: Final = (
    "You keep the memory of a long conversation between a user and an assistant. Sum up the"
    " transcript you are given so that the assistant can go on without it. Keep what the user"
    " wants, decisions, facts, names, numbers, file paths, results of tools and what is still"
    " open. Leave out greetings and repetitions. Write plain prose or short lists, no preamble,"
    " in the language of the conversation."
)
_OPENING: Final = "Summary of the conversation so far:\n\n"
_SPEAKERS: Final = {"user": "User", "assistant": "Assistant", "tool": "Tool result"}


def limit_within(profile: ModelProfile, wanted: int) -> int:
    """How long a summary may be: no longer than the model writes, nor a quarter of its window."""
    written = profile.output_tokens or wanted
    share = int((profile.context_tokens or 0) * _WINDOW_SHARE) or wanted
    return min(wanted, written, share)


def transcript_of(entries: Sequence[Entry], *, earlier: str | None) -> str:
    """The part to be summed up as one text; `earlier` is the summary that came before it."""
    parts = [] if earlier is None else [f"Earlier summary:\n{earlier}"]
    parts += [_shown(entry) for entry in entries]
    return "\n\n".join(parts)


def summary_message(summary: str) -> ModelMessage:
    """The summary as the first message of what is sent."""
    return ModelMessage("user", _OPENING + summary)


def _shown(entry: Entry) -> str:
    message = entry.message
    lines = [f"{_SPEAKERS[message.role]}: {message.text}"]
    lines += [
        f"Assistant calls {call.name} with {orjson.dumps(call.arguments).decode()}"
        for call in message.tool_calls
    ]
    if entry.images:
        lines.append(f"[{len(entry.images)} image(s)]")
    return "\n".join(lines)

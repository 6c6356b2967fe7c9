"""What of a long conversation fits into a model's window.  Pure.

Tokens are estimated, since each model counts its own way: too high rather than too low,
so that an estimate that fits is rarely refused.  When one is refused all the same, the
caller asks again with a smaller window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson

from common.domain.model import ModelProfile
from worker.llm.driver import InlineImage, LinkedImage, ModelMessage, ToolDeclaration

# Of a model of which nobody says how much fits into it.
ASSUMED_CONTEXT_TOKENS: Final = 128_000
# What stays word for word when the older part is summed up.
KEEP_SHARE: Final = 0.3

_ANSWER_SHARE: Final = 0.25
_ASSUMED_ANSWER_TOKENS: Final = 4_096
_SAFETY_SHARE: Final = 0.05
_ASCII_PER_TOKEN: Final = 3.5
_MESSAGE_OVERHEAD_TOKENS: Final = 6
_IMAGE_TOKENS: Final = 1_600
_LEAST_TOKENS: Final = 256
_CUT_NOTE: Final = "\n[… shortened to fit the model's window …]\n"


@dataclass(frozen=True, slots=True)
class UploadedImage:
    """An image by its id, as messages name it; the bytes are looked for when it is sent."""

    image_id: UUID
    filename: str | None = None


EntryImage = InlineImage | LinkedImage | UploadedImage


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the conversation and where the log has it.

    Attributes:
        sequence: of the event that holds it; for a tool result that of the answer that asked.
        tokens: an estimate of what the model counts for it, images included.
        images: of the message; in the message itself there are none yet.
    """

    sequence: int
    message: ModelMessage
    tokens: int
    images: tuple[EntryImage, ...] = ()

    @property
    def is_user(self) -> bool:
        return self.message.role == "user"

    @property
    def opens_group(self) -> bool:
        """Whether a transcript may be cut before it: a result never stands without its call."""
        return self.message.role != "tool"


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has; letters beyond ASCII count as one each."""
    if text.isascii():
        return int(len(text) / _ASCII_PER_TOKEN) + bool(text)
    beyond = sum(1 for character in text if not character.isascii())
    return int((len(text) - beyond) / _ASCII_PER_TOKEN) + beyond + 1


def entry_of(sequence: int, message: ModelMessage, images: tuple[EntryImage, ...] = ()) -> Entry:
    """The message with its estimate."""
    tokens = _MESSAGE_OVERHEAD_TOKENS + estimated_tokens(message.text)
    tokens += _IMAGE_TOKENS * len(images)
    for call in message.tool_calls:
        shown = orjson.dumps(call.arguments).decode()
        tokens += _MESSAGE_OVERHEAD_TOKENS + estimated_tokens(call.name + call.id + shown)
    for block in message.thinking:
        tokens += estimated_tokens(block.text)
    return Entry(sequence, message, tokens, images)


def room_for_messages(
    profile: ModelProfile,
    *,
    system_prompt: str,
    tools: Sequence[ToolDeclaration],
    max_tokens: int | None,
) -> int:
    """How many tokens the messages may have, besides prompt, tools and the answer."""
    context = profile.context_tokens or ASSUMED_CONTEXT_TOKENS
    answer = max_tokens or profile.output_tokens or _ASSUMED_ANSWER_TOKENS
    fixed = estimated_tokens(system_prompt) + sum(_tokens_of_tool(tool) for tool in tools)
    reserved = min(answer, int(context * _ANSWER_SHARE)) + int(context * _SAFETY_SHARE)
    return max(context - reserved - fixed, _LEAST_TOKENS)


def total_tokens(entries: Sequence[Entry]) -> int:
    return sum(entry.tokens for entry in entries)


def is_due_for_compaction(entries: Sequence[Entry], room: int, *, threshold: float) -> bool:
    """Whether the older part is to be summed up before the model is asked."""
    return total_tokens(entries) > room * threshold and split_for_summary(entries, room) > 0


def split_for_summary(entries: Sequence[Entry], room: int) -> int:
    """How many of the oldest entries to sum up; 0 when there is nothing to gain.

    What stays is the newest part, at least the newest group, and never a result without
    its call.
    """
    budget = room * KEEP_SHARE
    kept = split = 0
    for position in range(len(entries) - 1, -1, -1):
        kept += entries[position].tokens
        if entries[position].opens_group and (split == 0 or kept <= budget):
            split = position
        if kept > budget and split:
            break
    return split


def fitting(entries: Sequence[Entry], room: int) -> tuple[Entry, ...]:
    """What of the entries is sent: the newest exchanges that fit, each from its user message.

    When not even the newest exchange fits, its user message stays with the newest of what
    followed; what is still too long is cut in its middle, a shortened question being better
    than none.
    """
    start = newest_user = None
    taken = 0
    for position in range(len(entries) - 1, -1, -1):
        taken += entries[position].tokens
        if entries[position].is_user:
            newest_user = position if newest_user is None else newest_user
            start = position if taken <= room else start
        if taken > room and newest_user is not None:
            break
    if start is not None:
        return tuple(entries[start:])
    exchange = entries[newest_user or 0 :]
    kept = (*exchange[:1], *_newest_groups(exchange[1:], room - total_tokens(exchange[:1])))
    return _shortened(kept, room)


def _newest_groups(entries: Sequence[Entry], room: int) -> Sequence[Entry]:
    """As many of the newest groups as fit, but at least one."""
    taken = 0
    start = len(entries)
    for position in range(len(entries) - 1, -1, -1):
        taken += entries[position].tokens
        if entries[position].opens_group:
            if taken > room and start < len(entries):
                break
            start = position
    return entries[start:]


def _shortened(entries: tuple[Entry, ...], room: int) -> tuple[Entry, ...]:
    """Cut the longest texts until all of it fits, or until nothing is long any more."""
    limit = max((entry.tokens for entry in entries), default=0)
    shortened = entries
    while total_tokens(shortened) > room and limit > _LEAST_TOKENS:
        limit = max(limit // 2, _LEAST_TOKENS)
        shortened = tuple(_cut(entry, limit) for entry in entries)
    return shortened


def _cut(entry: Entry, limit: int) -> Entry:
    text = entry.message.text
    overhead = entry.tokens - estimated_tokens(text)
    allowed = limit - overhead
    if entry.tokens <= limit or allowed <= 0:
        return entry
    # By share of its own estimate, so that letters beyond ASCII are cut as much as they count.
    characters = int(len(text) * allowed / max(estimated_tokens(text), 1)) - len(_CUT_NOTE)
    half = max(characters // 2, 0)
    short = text[:half] + _CUT_NOTE + text[len(text) - half :]
    return entry_of(entry.sequence, replace(entry.message, text=short), entry.images)


def _tokens_of_tool(tool: ToolDeclaration) -> int:
    schema = orjson.dumps(tool.parameters).decode()
    return _MESSAGE_OVERHEAD_TOKENS + estimated_tokens(tool.name + tool.description + schema)

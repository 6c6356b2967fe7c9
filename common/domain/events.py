"""Everything a subscriber can see: the event types and the shape of one event.

An event is append-only, numbered without gaps within its session, and never
changes (I2).  Types marked live-only are relayed but not stored (contract 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

Json = dict[str, Any]


class EventType(StrEnum):
    """The types this server emits."""

    SESSION_STARTED = "session.started"
    SESSION_ACTIVATED = "session.activated"
    SESSION_IDLED = "session.idled"
    SESSION_TITLE_UPDATED = "session.title.updated"
    INPUT_MESSAGE = "input.message"
    TURN_STARTED = "turn.started"
    TURN_COMPLETED = "turn.completed"
    TURN_FAILED = "turn.failed"
    TURN_CANCELLED = "turn.cancelled"
    TURN_SEALED = "turn.sealed"
    REASON_STARTED = "reason.started"
    REASON_COMPLETED = "reason.completed"
    REASON_RECOVERED = "reason.recovered"
    OUTPUT_STARTED = "output.message.started"
    OUTPUT_DELTA = "output.message.delta"
    OUTPUT_COMPLETED = "output.message.completed"
    LLM_GENERATION = "llm.generation"
    ACT_STARTED = "act.started"
    ACT_COMPLETED = "act.completed"
    TOOL_STARTED = "tool.started"
    TOOL_COMPLETED = "tool.completed"
    THINKING_STARTED = "reason.thinking.started"
    THINKING_DELTA = "reason.thinking.delta"
    THINKING_COMPLETED = "reason.thinking.completed"
    TOOL_PROGRESS = "tool.progress"
    TOOL_OUTPUT_DELTA = "tool.output.delta"
    TOOL_CALL_REQUESTED = "tool.call_requested"
    TOOL_APPROVAL_REQUESTED = "tool.approval_requested"
    TOOL_APPROVAL_RESOLVED = "tool.approval_resolved"
    CONTEXT_COMPACTING = "context.compacting"
    CONTEXT_COMPACTED = "context.compacted"
    CONTEXT_COMPACTION_FAILED = "context.compaction.failed"
    FILE_WRITTEN = "file.written"
    MODEL_CHANGED = "session.model.changed"


# Types of the contract that a filter may name although nothing emits them yet.
_ANNOUNCED: Final = frozenset(
    {
        "output.message.replaced",
        "reason.item",
        "tool.call_repaired",
        "transcript.repaired",
        "tool.hosted_call",
        "capability.usage",
        "schedule.triggered",
        "task.created",
        "task.updated",
        "task.message.sent",
        "task.message.received",
        "context.compaction.skipped",
        "budget.warning",
        "budget.paused",
        "budget.exhausted",
        "budget.resumed",
        "voice.session.started",
        "voice.session.ended",
        "voice.session.failed",
        "voice.input.transcript.delta",
        "voice.input.transcript.completed",
        "voice.output.transcript.delta",
        "voice.output.transcript.completed",
    }
)
KNOWN_TYPES: Final = frozenset(_ANNOUNCED | {str(kind) for kind in EventType})

TERMINAL_TYPES: Final = frozenset(
    {
        EventType.TURN_COMPLETED,
        EventType.TURN_FAILED,
        EventType.TURN_CANCELLED,
        EventType.TURN_SEALED,
    }
)
# What `GET /messages` shows; a partial index carries this list too (migration 0001).
MESSAGE_TYPES: Final = (
    EventType.INPUT_MESSAGE,
    EventType.OUTPUT_COMPLETED,
    EventType.TOOL_COMPLETED,
)
# A text stream is the text of one of these, and goes out as deltas of its type (design 4).
DELTA_TYPES: Final[Mapping[str, EventType]] = {
    EventType.OUTPUT_STARTED: EventType.OUTPUT_DELTA,
    EventType.THINKING_STARTED: EventType.THINKING_DELTA,
}
OPENER_TYPES: Final = frozenset(DELTA_TYPES)
# What may complete a text stream; it says which in `context.stream_sequence`.
COMPLETING_TYPES: Final = frozenset({EventType.OUTPUT_COMPLETED, EventType.THINKING_COMPLETED})


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before the log has given it a number and a time.

    Attributes:
        private: kept beside the event and shown to no reader: what the model's provider
            wants back with the next request, such as the signature of its thinking.
    """

    type: EventType
    data: Json
    context: Json = field(default_factory=dict)
    private: Json | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, turn or session.

    Attributes:
        input_tokens: all that was sent, what the provider had in its cache included.
        cache_read_tokens: of these, what came from the provider's cache.
        cache_creation_tokens: of these, what the provider wrote to its cache.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_creation_tokens + other.cache_creation_tokens,
        )

    def to_json(self) -> Json:
        """As TokenUsage of contract 3.0; the cache is left out where there was none."""
        shown = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        if self.cache_read_tokens:
            shown["cache_read_tokens"] = self.cache_read_tokens
        if self.cache_creation_tokens:
            shown["cache_creation_tokens"] = self.cache_creation_tokens
        return shown

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Usage:
        """What `to_json` wrote."""
        return cls(
            raw.get("input_tokens", 0),
            raw.get("output_tokens", 0),
            raw.get("cache_read_tokens", 0),
            raw.get("cache_creation_tokens", 0),
        )


NO_USAGE: Final = Usage()


def stamped(draft: EventDraft, *, ts_text: str, session_usage: Usage) -> Json:
    """The draft's data with what only the append knows: time and running totals."""
    if "message" in draft.data:
        return {**draft.data, "message": {**draft.data["message"], "created_at": ts_text}}
    if draft.type is EventType.SESSION_IDLED:
        return {**draft.data, "usage": session_usage.to_json()}
    return draft.data


def is_known_filter(pattern: str) -> bool:
    """Whether a `types`/`exclude` value names a known type, or a family as in `reason.*`."""
    if pattern.endswith(".*"):
        return any(known.startswith(pattern[:-1]) for known in KNOWN_TYPES)
    return pattern in KNOWN_TYPES


@dataclass(frozen=True, slots=True)
class TypeFilter:
    """`types` narrows, then `exclude` removes; empty `types` means all."""

    types: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def admits(self, event_type: str) -> bool:
        if self.types and not _matches(event_type, self.types):
            return False
        return not _matches(event_type, self.exclude)


def _matches(event_type: str, patterns: tuple[str, ...]) -> bool:
    return any(
        event_type == pattern or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )

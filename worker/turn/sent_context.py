"""What a model is sent of the session: read from its newest end, trimmed, summed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from common.domain.capability_catalog.compaction import COMPACTION, DEFAULT_THRESHOLD
from common.domain.events import EventDraft, EventType, Json
from worker.capabilities.composition import Composition
from worker.llm.driver import ModelMessage, ToolDeclaration
from worker.turn.compaction import Compactor
from worker.turn.config import ModelChoice, TurnConfig
from worker.turn.context_window import (
    ASSUMED_CONTEXT_TOKENS,
    Entry,
    entry_of,
    fitting,
    is_due_for_compaction,
    room_for_messages,
    total_tokens,
)
from worker.turn.conversation import Conversation, weight_of
from worker.turn.loop_hints import with_loop_hints
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.session_log import SessionLog
from worker.turn.summary import summary_message

# Of a model that a message names itself: how much it takes is known only later.
_LARGEST_CONTEXT_TOKENS: Final = 1_000_000
# Of what a provider found too large by its own count: how much is sent instead.
_SHARE_AFTER_REFUSAL: Final = 0.5


class SentContext:
    """The conversation of one turn, as far as its models can take it in."""

    def __init__(
        self, *, config: TurnConfig, compose: Callable[[], Composition], session_log: SessionLog
    ) -> None:
        self._config = config
        self._compose = compose
        self._session_log = session_log
        self._conversation = Conversation()
        self._most_by_model: dict[str, int] = {}

    @property
    def controls(self) -> Mapping[str, Any]:
        """What the newest message that was read asks of the generation."""
        return self._conversation.controls

    @property
    def has_read(self) -> bool:
        return self._conversation.read_through > 0

    @property
    def known_call_ids(self) -> set[str] | None:
        """The tool-call ids that the session has used; None when they are not all known."""
        return self._conversation.call_ids if self._conversation.is_whole else None

    @cached_property
    def system_prompt(self) -> str:
        return "\n\n".join((*self._compose().prompts, *self._config.prompts))

    @cached_property
    def tools(self) -> tuple[ToolDeclaration, ...]:
        return tuple(
            ToolDeclaration(tool.name, tool.description, tool.parameters)
            for tool in self._compose().tools.values()
        )

    def read(self, *, below: int) -> None:
        """Take in the messages below a sequence: at first as many as fit, later the new ones."""
        conversation = self._conversation
        if self.has_read:
            for events in self._session_log.messages(conversation.read_through, below=below):
                conversation.extend(events)
            return
        window = self._session_log.window(
            below=below, weigh=weight_of, enough=self._most_tokens_sent()
        )
        if window.compaction is not None:
            conversation.summary = window.compaction.data["summary"]
        conversation.is_whole = window.is_whole
        conversation.extend(window.events)

    def sent(self, model: ModelChoice) -> tuple[Entry, ...]:
        """What the model is sent: the summary, if any, and the newest messages that fit."""
        return self._fitting(self._entries(model), self._room(model))

    def sent_compact(self, model: ModelChoice, compactor: Compactor) -> tuple[Entry, ...]:
        """As `sent`; what comes near the model's window has its older part summed up first."""
        entries, room = self._entries(model), self._room(model)
        threshold = float(self._compaction_config.get("threshold", DEFAULT_THRESHOLD))
        is_due = is_due_for_compaction(entries, room, threshold=threshold)
        if is_due and compactor.compact(entries, room, "proactive_budget"):
            return self.sent(model)
        return self._fitting(entries, room)

    def shrink(self, model: ModelChoice, compactor: Compactor) -> bool:
        """Make what is sent smaller after a model found it too large; whether it is.

        How much the model does take is not known, so it is half of what it refused.
        """
        refused = self.sent(model)
        self._most_by_model[model.id] = int(total_tokens(refused) * _SHARE_AFTER_REFUSAL)
        compactor.compact(self._entries(model), self._room(model), "request_too_large")
        return total_tokens(self.sent(model)) < total_tokens(refused)

    def compactor(
        self,
        *,
        draft: Callable[[EventType, Json], EventDraft],
        append: Callable[[list[EventDraft]], None],
        ask: Callable[[str, ModelMessage, int], ModelAnswer | ModelFailure],
    ) -> Compactor:
        """What compacts this conversation in the step under way."""
        strategy = self._compaction_config.get("strategy", "summary")
        return Compactor(self._conversation, draft, append, ask, strategy)

    @property
    def _compaction_config(self) -> Mapping[str, Any]:
        return self._compose().config_of(COMPACTION.id) or {}

    def _fitting(self, entries: list[Entry], room: int) -> tuple[Entry, ...]:
        return (*self._summary(), *fitting(entries, room))

    def _summary(self) -> tuple[Entry, ...]:
        summary = self._conversation.summary
        return () if summary is None else (entry_of(0, summary_message(summary)),)

    def _entries(self, model: ModelChoice) -> list[Entry]:
        entries = self._conversation.entries(takes_images=model.profile.takes_images)
        hinted = with_loop_hints(tuple(entry.message for entry in entries), self._compose())
        return [
            entry if message is entry.message else entry_of(entry.sequence, message, entry.images)
            for entry, message in zip(entries, hinted, strict=True)
        ]

    def _room(self, model: ModelChoice) -> int:
        room = room_for_messages(
            model.profile,
            system_prompt=self.system_prompt,
            tools=self.tools,
            max_tokens=self.controls.get("max_tokens"),
        )
        room = min(room, self._most_by_model.get(model.id, room))
        return max(room - total_tokens(self._summary()), 1)

    def _most_tokens_sent(self) -> int:
        """As much as the largest window of the turn's models holds."""
        if self._session_log.lease.claim.controls.get("model_id"):
            return _LARGEST_CONTEXT_TOKENS
        models = (self._config.model, *self._config.fallbacks)
        known = [m.profile.context_tokens or 0 for m in models if isinstance(m, ModelChoice)]
        return max(ASSUMED_CONTEXT_TOKENS, *known, 0)

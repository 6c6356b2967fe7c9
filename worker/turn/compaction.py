"""Sum up the older part of a conversation before it outgrows the model.

Proactively, when what is to be sent comes near the model's window; or because a provider
found a request too large.  Where the log stands afterwards is in `context.compacted`: the
summary and the message before which nothing more is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from common.domain.events import EventDraft, EventType, Json
from worker.llm.driver import ModelMessage
from worker.turn.context_window import Entry, entry_of, fitting, split_for_summary
from worker.turn.conversation import Conversation
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.summary import INSTRUCTION, SUMMARY_TOKENS, transcript_of

Reason = Literal["proactive_budget", "request_too_large"]
Strategy = Literal["summary", "trim"]

_EMPTY: Final = "the model gave no summary"


@dataclass(frozen=True, slots=True)
class Compactor:
    """Compacts one conversation.

    Attributes:
        draft: an event of the step under way.
        append: stores events in mid-step.
        ask: the model, given system prompt, message and limit; its text goes to nobody.
        strategy: `trim` drops the older part without asking a model.
    """

    conversation: Conversation
    draft: Callable[[EventType, Json], EventDraft]
    append: Callable[[list[EventDraft]], None]
    ask: Callable[[str, ModelMessage, int], ModelAnswer | ModelFailure]
    strategy: Strategy = "summary"

    def compact(self, entries: list[Entry], room: int, reason: Reason) -> bool:
        """Make the conversation smaller; whether it is.

        A summary that cannot be had is no reason to fail a turn: when the request was too
        large the older part is dropped, else it is left to the trimming of each request.

        Raises:
            worker.turn.reasoning.Interrupted: stopped from outside.
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        split = split_for_summary(entries, room)
        if split == 0:
            return False
        began = time.monotonic()
        before = len(entries)
        facts: Json = {"reason": reason, "strategy": self.strategy, "messages_before": before}
        self.append([self.draft(EventType.CONTEXT_COMPACTING, facts)])
        answer = None if self.strategy == "trim" else self._summary_of(entries[:split], room)
        if isinstance(answer, ModelFailure) and reason == "proactive_budget":
            failed = self.draft(EventType.CONTEXT_COMPACTION_FAILED, {"reason": answer.reason})
            # The provider's own words: nobody asked for this call, so nobody reads them.
            self.append([replace(failed, private={"error": answer.detail})])
            return False
        has_summary = isinstance(answer, ModelAnswer)
        summary = answer.text if isinstance(answer, ModelAnswer) else self.conversation.summary
        before_sequence = entries[split].sequence
        data: Json = {
            "strategy_used": "summary" if has_summary else "trim",
            "messages_before": before,
            "messages_after": before - split + (summary is not None),
            "duration_ms": round((time.monotonic() - began) * 1000),
            "through_sequence": before_sequence - 1,
            "summary": summary,
        }
        if isinstance(answer, ModelAnswer):
            data["usage"] = answer.usage.to_json()
        self.append([self.draft(EventType.CONTEXT_COMPACTED, data)])
        self.conversation.compact(summary, before=before_sequence)
        return True

    def _summary_of(self, older: list[Entry], room: int) -> ModelAnswer | ModelFailure:
        transcript = transcript_of(older, earlier=self.conversation.summary)
        (asked,) = fitting([entry_of(0, ModelMessage("user", transcript))], room)
        answer = self.ask(INSTRUCTION, asked.message, SUMMARY_TOKENS)
        if isinstance(answer, ModelAnswer) and not answer.text.strip():
            return ModelFailure("processing_error", _EMPTY, answer.duration_ms)
        return answer

"""Holds a turn to what its capabilities added to the system prompt when it first asked them.

Tools are composed anew by each worker that takes the turn.  Of prompts the log names what
was kept, once something of the turn in it may rest on them (design 5, I4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from common.domain.events import EventType, Json
from common.domain.ids import Kind, show_id
from common.domain.text import storable
from common.event_codec import LoggedEvent
from worker.capabilities.composition import Composition
from worker.turn.config import digest_of


class PromptPin:
    """The prompts of one turn.

    Attributes:
        digest: what the log is to name; None while there is nothing to be held to.
    """

    def __init__(
        self, *, keep: Callable[[str, Json], None], prompts: Sequence[str] | None = None
    ) -> None:
        """`keep` stores a value under its digest; `prompts` are those of another worker."""
        self._keep = keep
        self._prompts = prompts
        self.digest: str | None = None

    def hold(self, composed: Composition) -> Composition:
        """The composition with the turn's prompts; what cannot come out otherwise is not kept."""
        if self._prompts is not None:
            return replace(composed, prompts=tuple(self._prompts))
        if not composed.is_prepared:
            return composed
        prompts = tuple(map(storable, composed.prompts))
        kept: Json = {"prompts": list(prompts)}
        digest = digest_of(kept)
        self._keep(digest, kept)
        self.digest = digest
        return replace(composed, prompts=prompts)


def digest_in(events: Iterable[LoggedEvent], turn_id: UUID) -> str | None:
    """The digest that the turn's events name; None when they name none."""
    return next(
        (
            event.data["prompts_hash"]
            for event in events
            if event.type == EventType.REASON_COMPLETED
            and event.context["turn_id"] == show_id(Kind.TURN, turn_id)
            and "prompts_hash" in event.data
        ),
        None,
    )

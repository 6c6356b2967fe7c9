"""Who reads a provider's own words for a failure."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from common.domain.events import EventDraft, EventType
from common.event_codec import LoggedEvent
from tests.unit.turn.stage import Memory, Stage, failure
from worker.turn.failure import Disclosure


@pytest.mark.parametrize("wish", ["generic", "standard", "detailed", None])
@pytest.mark.parametrize("most", ["generic", "standard", "detailed"])
def test_a_provider_s_words_are_in_events_for_who_asks_and_may_and_kept_for_the_operator(
    wish: str | None, most: Disclosure
) -> None:
    kept: list[EventDraft] = []

    class _Keeps(Memory):
        def store(self, drafts: Sequence[EventDraft]) -> list[LoggedEvent]:
            kept.extend(drafts)
            return super().store(drafts)

    detail = "HTTP 429 from upstream"
    second = replace(failure("provider_unavailable", detail), model="other")
    first = replace(failure("provider_rate_limited", detail), given_up=(second,))
    stage = Stage(
        answers=lambda: first,
        controls={"error_disclosure": wish},
        most_disclosed=most,
        memory=_Keeps(),
    )
    stage.begin().run()
    is_shown = wish == most == "detailed"
    assert any(detail in event.data_json for event in stage.memory.events) == is_shown
    reasons = ["provider_rate_limited", "provider_unavailable"]
    generations = stage.memory.of_type(EventType.LLM_GENERATION)
    told = [event.data["metadata"]["error"] for event in generations]
    assert told == ([detail, detail] if is_shown else reasons)
    private = [draft.private for draft in kept if draft.private is not None]
    assert private == [{"error": detail}] * 3

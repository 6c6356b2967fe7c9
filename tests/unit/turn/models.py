"""One reason step between models that play scripts and a log in memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

import pytest

from common.domain.events import EventDraft, EventType, Usage
from common.domain.image import Image
from common.domain.message import agent_message
from common.domain.turn import Claim
from common.event_codec import LoggedEvent
from common.live import TextChunk
from tests.unit.turn.stage import CONFIG, SESSION, TURN, Memory, Stage
from worker.capabilities.composition import Composition
from worker.lease import Lease
from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    LLMFailure,
    LLMRequest,
    ModelMessage,
    Reply,
    Stop,
    Streamed,
    TextDelta,
)
from worker.text_stream import TextStreams
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.context_window import Entry
from worker.turn.model_step import ModelAccess, ModelStep
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.reason_events import Stream
from worker.turn.reasoning import Circuit, ClosedCircuit
from worker.turn.session_log import SessionLog, Window

FIRST = ModelChoice("model_1", "first", "one", provider_id="provider_1")
SECOND = ModelChoice("model_2", "second", "two", provider_id="provider_2")
THIRD = ModelChoice("model_3", "third", "three", provider_id="provider_3")
OK: list[Streamed] = [TextDelta("hi"), Reply(Usage(7, 3), "stop", "as-named-by-provider")]
Script = list[Streamed | LLMFailure]


def down(reason: FailureReason = FailureReason.UNAVAILABLE) -> Script:
    return [LLMFailure(reason, f"{reason} it said")]


@dataclass
class World:
    """Models that play scripts by name, and a log in which user and agent spoke in turn."""

    scripts: dict[str, list[Script]]
    config: TurnConfig = CONFIG
    controls: Mapping[str, Any] = field(default_factory=dict)
    said: Sequence[str] = ("hello",)
    closed: bool = False
    asked: list[LLMRequest] = field(default_factory=list)
    stored: list[EventDraft] = field(default_factory=list)
    composition: Composition = field(default_factory=lambda: Composition((), (), {}, {}))
    unreachable: dict[str, LLMFailure] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    sent: list[TextChunk] = field(default_factory=list)
    image_limits: ImageLimits = field(default_factory=ImageLimits)

    # --- in place of the session's log -------------------------------------------

    def __post_init__(self) -> None:
        claim = Claim(TURN, SESSION, UUID(int=1), 1, 1, 0, 1, "m", controls=self.controls)
        self.lease = Lease(claim, valid_until=float("inf"))
        for number, words in enumerate(self.said):
            self._say(words, is_user=number % 2 == 0)

    def _say(self, words: str, *, is_user: bool) -> None:
        if is_user:
            content = [{"type": "text", "text": words}]
            message = {"role": "user", "content": content, "controls": dict(self.controls)}
            self.memory.store([EventDraft(EventType.INPUT_MESSAGE, {"message": message})])
            return
        reply = {"message": agent_message(UUID(int=1), words, phase="final_answer")}
        context = {"exec_id": "exec_0"}
        self.memory.store([EventDraft(EventType.OUTPUT_COMPLETED, reply, context)])

    def messages(self, after: int, *, below: int) -> list[list[LoggedEvent]]:
        return [[event for event in self.memory.events if after < event.sequence < below]]

    def window(self, *, below: int, weigh: Callable[[LoggedEvent], int], enough: int) -> Window:
        assert enough > 0
        assert all(weigh(event) > 0 for event in self.memory.events)
        (events,) = self.messages(0, below=below)
        return Window(events, None, is_whole=True)

    def patiently(self, action: Any) -> Any:
        return action()

    def newest_controls(self) -> Mapping[str, Any]:
        return self.controls

    def completed_steps(self, *, below: int) -> int:
        return below

    # --- in place of images ------------------------------------------------------

    def find(self, _organization_id: UUID, image_ids: Sequence[UUID]) -> Mapping[UUID, Image]:
        pytest.fail(f"looked for {image_ids}")

    def shown(
        self, entries: Sequence[Entry], limits: ImageLimits, **_: object
    ) -> tuple[ModelMessage, ...]:
        assert limits is self.image_limits
        return tuple(entry.message for entry in entries)

    # --- in place of providers ---------------------------------------------------

    def stream(self, request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        assert not stop.is_set()
        self.asked.append(request)
        for item in self.scripts[request.model].pop(0):
            if isinstance(item, LLMFailure):
                raise item
            yield item

    def endpoint_of(self, _organization_id: UUID, model: ModelChoice) -> Endpoint:
        if model.name in self.unreachable:
            raise self.unreachable[model.name]
        return Endpoint(model.provider_id, model.provider_type)

    def circuit_for(self, endpoint: Endpoint) -> Circuit:
        return _OpenCircuit() if self.closed and endpoint.provider_id == "provider_1" else _CLOSED

    def find_model(self, _organization_id: UUID, name: str) -> ModelChoice | ModelMissing:
        return replace(THIRD, name=name) if name in self.scripts else ModelMissing(name)

    def push_text(self, chunks: Sequence[TextChunk]) -> list[int | None]:
        self.sent += chunks
        return [None] * len(chunks)

    # --- the step ----------------------------------------------------------------

    def run(self, *, is_open: bool = True) -> ModelAnswer | ModelFailure:
        access = ModelAccess(
            find=self.find_model,
            endpoint_of=self.endpoint_of,
            driver_for=lambda _endpoint: self,
            circuit_for=self.circuit_for,
            settings_for=lambda model, _controls: {"for": model.name},
            pictures=self,
            deadline_seconds=1000,
        )
        step = ModelStep(
            config=self.config,
            compose=lambda: self.composition,
            access=access,
            session_log=cast(SessionLog, self),
            streams=TextStreams(self, flush_seconds=1),
            new_id=lambda: UUID(int=77),
        )
        narrator = Stage(answers=lambda: pytest.fail("not asked")).narrator()
        narrator.exec_id = "exec_1"
        narrator.read_through = len(self.memory.events) + 1
        narrator.stream = Stream(narrator.read_through + 1, UUID(int=8)) if is_open else None

        def append(drafts: list[EventDraft], _tail: TextChunk | None) -> None:
            self.stored += drafts
            narrator.observe(self.memory.store(drafts))

        return step.call(narrator, append)[0]


class _OpenCircuit(ClosedCircuit):
    def allows_call(self) -> bool:
        return False


_CLOSED = ClosedCircuit()


def with_models(*fallbacks: ModelChoice | ModelMissing, **fields: Any) -> TurnConfig:
    return replace(CONFIG, **{"model": FIRST, **fields}, fallbacks=fallbacks)

"""One reason step's effect: put the request together, call the model, stream what it says.

A model whose provider is down gives way to the next of the agent's fallbacks, as long as
nothing of an answer was shown; nor is a provider waited for that wants to be left alone for
long.  One that a message names itself has none: who asks for a model by name is not to be
answered by another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from common import tracing
from common.domain.image import Image
from common.domain.trace import TraceContext
from common.live import TextChunk
from worker.capabilities.composition import Composition
from worker.capabilities.tool_result import NotStorable
from worker.llm.driver import (
    Endpoint,
    FailureReason,
    ImageLimits,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    ModelMessage,
    Stop,
)
from worker.llm.generation import with_own_thinking
from worker.text_stream import TextStreams
from worker.turn import places
from worker.turn.answer_text import AnswerText, Append
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.context_window import Entry
from worker.turn.conversation import asks_to_think, effort_of
from worker.turn.narration import Narrator
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.pictures import Find
from worker.turn.reasoning import (
    Circuit,
    Interrupted,
    TextSink,
    call_model,
    storable_thinking,
    with_own_ids,
)
from worker.turn.sent_context import SentContext
from worker.turn.session_log import SessionLog
from worker.turn.summary import limit_within

# For longer than that no provider is waited for, if there is another one to ask.
MOST_PATIENCE_SECONDS: Final = 2.0
# Another provider may well answer what this one did not.
_FALLS_BACK: Final = frozenset(
    {
        FailureReason.UNAVAILABLE,
        FailureReason.RATE_LIMITED,
        FailureReason.USAGE_LIMIT_REACHED,
        FailureReason.QUOTA_EXHAUSTED,
        FailureReason.MODEL_UNAVAILABLE,
        FailureReason.MISCONFIGURED,
    }
)


class ShowsImages(Protocol):
    """Gives messages the images that they name."""

    def find(self, organization_id: UUID, image_ids: Sequence[UUID]) -> Mapping[UUID, Image]: ...

    def shown(
        self, entries: Sequence[Entry], limits: ImageLimits, *, find: Find, stop: Stop
    ) -> tuple[ModelMessage, ...]: ...


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How a worker gets at models.

    Attributes:
        find: the model that a message's controls name.
        endpoint_of: where a model is reached, as of now; raises LLMFailure.
        driver_for: the driver for an endpoint; raises LLMFailure when there is none.
        circuit_for: the breaker of an endpoint's provider.
        settings_for: a driver's own options, from the model and the message's hints.
        pictures: fetches what messages show.
        deadline_seconds: for one call with its retries.
        is_traced: whether a call is told where in the turn's trace it is.
    """

    find: Callable[[UUID, str], ModelChoice | ModelMissing]
    endpoint_of: Callable[[UUID, ModelChoice], Endpoint]
    driver_for: Callable[[Endpoint], LLMDriver]
    circuit_for: Callable[[Endpoint], Circuit]
    settings_for: Callable[[ModelChoice, Mapping[str, Any]], Mapping[str, Any]]
    pictures: ShowsImages
    deadline_seconds: float
    is_traced: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """The reason step under way; messages with a sequence under `below` are answered.

    Attributes:
        has_fallback: whether there is another model to ask, should this one be down.
        number: of the models that were asked in it, from 0.
    """

    narrator: Narrator
    append: Append
    text: AnswerText
    below: int
    has_fallback: bool = False
    number: int = 0


class _Unheard:
    """Takes in what a model says for nobody to hear, such as a summary."""

    def add(self, text: str) -> None:
        """Drop it."""

    def think(self, text: str) -> bool:  # noqa: ARG002 - TextSink's signature
        return False


class ModelStep:
    """Calls models for one turn; keeps the conversation from step to step."""

    def __init__(
        self,
        *,
        config: TurnConfig,
        compose: Callable[[], Composition],
        access: ModelAccess,
        session_log: SessionLog,
        streams: TextStreams,
        new_id: Callable[[], UUID],
    ) -> None:
        self._config = config
        self._access = access
        self._session_log = session_log
        self._streams = streams
        self._new_id = new_id
        self._context = SentContext(config=config, compose=compose, session_log=session_log)

    @property
    def controls(self) -> Mapping[str, Any]:
        """What the newest message that was read asks of the generation."""
        return self._context.controls

    def shall_think(self, *, has_unread: bool) -> bool:
        """Whether the step about to begin is to think; costs a look if messages are unread."""
        is_known = self._context.has_read and not has_unread
        controls = self.controls if is_known else self._session_log.newest_controls()
        return asks_to_think(controls)

    def call(
        self, narrator: Narrator, append: Append
    ) -> tuple[ModelAnswer | ModelFailure, TextChunk | None]:
        """Answer the messages below the step's `reason.started`, streaming what is said.

        Returns the outcome, and text that was not sent yet.

        Raises:
            worker.turn.reasoning.Interrupted: stopped from outside.
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        below = narrator.read_through
        self._context.read(below=below)
        session_id = self._session_log.lease.claim.session_id
        with AnswerText(narrator, self._streams, session_id, append) as text:
            step = _Step(narrator, append, text, below)
            outcome = self._ask_in_turn(step)
            if isinstance(outcome, ModelAnswer):
                outcome = self._made_storable(outcome)
            if isinstance(outcome, ModelFailure):
                # What was shown of it belongs to no message: the stream is closed without a tail.
                return outcome, None
            return outcome, text.finish()

    def _made_storable(self, answer: ModelAnswer) -> ModelAnswer | ModelFailure:
        try:
            calls = with_own_ids(
                answer.calls, self._context.known_call_ids, lambda: f"call_{self._new_id().hex}"
            )
            thinking = storable_thinking(answer.thinking)
        except NotStorable:
            detail = "the model's answer has parts that cannot be stored"
            reason, took = FailureReason.PROCESSING_ERROR, answer.duration_ms
            return ModelFailure(reason, detail, took, model=answer.model, asked=answer.asked)
        return replace(answer, calls=calls, thinking=thinking)

    # --- which model -------------------------------------------------------------

    def _ask_in_turn(self, step: _Step) -> ModelAnswer | ModelFailure:
        """Ask the chosen model, then each fallback; the failure told is the chosen one's."""
        failures: list[ModelFailure] = []
        candidates = self._candidates()
        for place, model in enumerate(candidates, start=1):
            others_left = any(isinstance(each, ModelChoice) for each in candidates[place:])
            outcome = self._ask(model, replace(step, has_fallback=others_left, number=place - 1))
            if isinstance(outcome, ModelAnswer):
                return replace(outcome, given_up=tuple(failures))
            failures.append(outcome)
            if outcome.is_shown or outcome.reason not in _FALLS_BACK:
                break
        first, *others = failures
        return replace(first, given_up=tuple(others))

    def _candidates(self) -> Sequence[ModelChoice | ModelMissing]:
        wish = self.controls.get("model_id")
        if not wish:
            return (self._config.model, *self._config.fallbacks)
        organization_id = self._session_log.lease.claim.organization_id
        find = partial(self._access.find, organization_id, str(wish))
        return (self._session_log.patiently(find),)

    def _ask(self, model: ModelChoice | ModelMissing, step: _Step) -> ModelAnswer | ModelFailure:
        step.text.model = model.name or None
        if isinstance(model, ModelMissing):
            missing = _missing(model)
            return ModelFailure(missing.reason, missing.detail, 0, model=model.name or None)
        compactor = self._context.compactor(
            draft=step.narrator.in_step,
            append=lambda drafts: step.append(drafts, None),
            ask=partial(self._ask_for_summary, model, step),
        )
        sent = self._context.sent_compact(model, compactor)
        outcome = self._call(model, step, partial(self._request, model, step, sent), step.text)
        if (
            isinstance(outcome, ModelFailure)
            and outcome.reason == FailureReason.REQUEST_TOO_LARGE
            and not outcome.is_shown
            and self._context.shrink(model, compactor)
        ):
            sent = self._context.sent(model)
            outcome = self._call(model, step, partial(self._request, model, step, sent), step.text)
        return replace(outcome, asked=model)

    def _ask_for_summary(
        self, model: ModelChoice, step: _Step, instruction: str, asked: ModelMessage, limit: int
    ) -> ModelAnswer | ModelFailure:
        def request(_driver: LLMDriver) -> LLMRequest:
            return LLMRequest(
                model=model.name,
                system_prompt=instruction,
                messages=(asked,),
                max_tokens=limit_within(model.profile, limit),
                step=partial(self._session_log.completed_steps, below=step.below),
                settings=self._access.settings_for(model, self.controls),
                profile=model.profile,
            )

        return self._call(model, step, request, _Unheard())

    # --- one call ----------------------------------------------------------------

    def _call(
        self,
        model: ModelChoice,
        step: _Step,
        request: Callable[[LLMDriver], LLMRequest],
        sink: TextSink,
    ) -> ModelAnswer | ModelFailure:
        lease, access = self._session_log.lease, self._access
        find = partial(access.endpoint_of, lease.claim.organization_id, model)
        lease.begin_step(longest_seconds=access.deadline_seconds)
        try:
            endpoint = self._session_log.patiently(find)
            driver = access.driver_for(endpoint)
            asked = request(driver)
        except LLMFailure as failure:
            if lease.stop.is_set():
                raise Interrupted from failure
            return ModelFailure(failure.reason, failure.detail, 0, model=model.name)
        with tracing.within(self._place(step)):
            return call_model(
                driver,
                with_own_thinking(asked, endpoint),
                sink=sink,
                lease=lease,
                deadline_seconds=access.deadline_seconds,
                circuit=access.circuit_for(endpoint),
                most_patience_seconds=MOST_PATIENCE_SECONDS if step.has_fallback else None,
            )

    def _place(self, step: _Step) -> TraceContext | None:
        if not self._access.is_traced:
            return None
        turn = self._session_log.lease.claim.trace
        return places.of_model_call(turn, step.narrator.exec_id, step.number)

    def _request(
        self, model: ModelChoice, step: _Step, sent: Sequence[Entry], driver: LLMDriver
    ) -> LLMRequest:
        controls = self.controls
        return LLMRequest(
            model=model.name,
            system_prompt=self._context.system_prompt,
            messages=self._shown(sent, driver),
            tools=self._context.tools,
            max_tokens=controls.get("max_tokens"),
            temperature=controls.get("temperature"),
            parallel_tool_calls=self._config.parallel_tool_calls,
            step=partial(self._session_log.completed_steps, below=step.below),
            settings=self._access.settings_for(model, controls),
            effort=effort_of(controls),
            profile=model.profile,
            # The same for all calls of a session, which share their beginning.
            cache_key=self._session_log.lease.claim.session_id.hex,
        )

    def _shown(self, sent: Sequence[Entry], driver: LLMDriver) -> tuple[ModelMessage, ...]:
        lease, pictures = self._session_log.lease, self._access.pictures

        def find(image_ids: Sequence[UUID]) -> Mapping[UUID, Image]:
            look = partial(pictures.find, lease.claim.organization_id, image_ids)
            return self._session_log.patiently(look)

        return pictures.shown(sent, driver.image_limits, find=find, stop=lease.stop)


def _missing(model: ModelMissing) -> LLMFailure:
    if not model.name:
        return LLMFailure(FailureReason.MODEL_NOT_CONFIGURED, "no model is configured")
    return LLMFailure(FailureReason.MODEL_UNAVAILABLE, f"no model named {model.name!r}")

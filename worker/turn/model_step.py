"""One reason step's effect: put the request together, call the driver, stream the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from common.live import TextChunk
from worker.capabilities.capability import Tool
from worker.capabilities.tool_result import NotStorable
from worker.llm.driver import FailureReason, LLMDriver, LLMFailure, LLMRequest, ToolDeclaration
from worker.text_stream import TextStreams
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig
from worker.turn.conversation import Conversation
from worker.turn.narration import Narrator
from worker.turn.outcome import ModelAnswer, ModelFailure
from worker.turn.reasoning import call_model, with_own_ids
from worker.turn.session_log import SessionLog


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How a worker gets at models.

    Attributes:
        find: the model that a message's controls name.
        driver_for: the driver of a provider type; raises LLMFailure when there is none.
        settings_for: a driver's own options, from the model and the message's hints.
    """

    find: Callable[[UUID, str], ModelChoice | ModelMissing]
    driver_for: Callable[[str], LLMDriver]
    settings_for: Callable[[ModelChoice, Mapping[str, Any]], Mapping[str, Any]]
    deadline_seconds: float


class ModelStep:
    """Calls models for one turn; keeps the conversation from step to step."""

    def __init__(
        self,
        *,
        config: TurnConfig,
        system_prompt: str,
        tools: tuple[Tool, ...],
        access: ModelAccess,
        session_log: SessionLog,
        streams: TextStreams,
        new_id: Callable[[], UUID],
    ) -> None:
        self._config = config
        self._system_prompt = system_prompt
        self._tools = tuple(
            ToolDeclaration(tool.name, tool.description, tool.parameters) for tool in tools
        )
        self._access = access
        self._session_log = session_log
        self._streams = streams
        self._new_id = new_id
        self._conversation = Conversation()

    @property
    def controls(self) -> Mapping[str, Any]:
        """What the newest message that was read asks of the generation."""
        return self._conversation.controls

    def call(self, narrator: Narrator) -> tuple[ModelAnswer | ModelFailure, TextChunk | None]:
        """Answer the messages below the step's `reason.started`, streaming the text.

        Returns the outcome, and text that was not sent yet.

        Raises:
            worker.turn.reasoning.Interrupted: stopped from outside.
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        below = narrator.read_through
        for events in self._session_log.messages(self._conversation.read_through, below=below):
            self._conversation.extend(events)
        model = self._choose_model()
        try:
            if isinstance(model, ModelMissing):
                raise _missing(model)
            request = self._request(model, below=below)
            driver = self._access.driver_for(model.provider_type)
        except LLMFailure as failure:
            return ModelFailure(failure.reason, failure.detail, duration_ms=0), None
        return self._stream(driver, request, narrator)

    def _stream(
        self, driver: LLMDriver, request: LLMRequest, narrator: Narrator
    ) -> tuple[ModelAnswer | ModelFailure, TextChunk | None]:
        lease = self._session_log.lease
        lease.begin_step(longest_seconds=self._access.deadline_seconds)
        with self._streams.opened(lease.claim.session_id, narrator.open_stream.opener) as text:
            outcome = call_model(
                driver,
                request,
                sink=text,
                lease=lease,
                deadline_seconds=self._access.deadline_seconds,
            )
        if isinstance(outcome, ModelFailure):
            # What was shown of it belongs to no message: the stream is closed without a tail.
            return outcome, None
        try:
            calls = with_own_ids(
                outcome.calls, self._conversation.call_ids, lambda: f"call_{self._new_id().hex}"
            )
        except NotStorable:
            detail = "the model asked for a tool with arguments that cannot be stored"
            reason, took = FailureReason.PROCESSING_ERROR, outcome.duration_ms
            return ModelFailure(reason, detail, took, model=outcome.model), None
        return outcome.with_calls(calls), text.tail()

    def _choose_model(self) -> ModelChoice | ModelMissing:
        wish = self.controls.get("model_id")
        if not wish:
            return self._config.model
        organization_id = self._session_log.lease.claim.organization_id
        return self._session_log.patiently(partial(self._access.find, organization_id, str(wish)))

    def _request(self, model: ModelChoice, *, below: int) -> LLMRequest:
        controls = self.controls
        return LLMRequest(
            model=model.name,
            system_prompt=self._system_prompt,
            messages=self._conversation.for_model(),
            tools=self._tools,
            max_tokens=controls.get("max_tokens"),
            temperature=controls.get("temperature"),
            parallel_tool_calls=self._config.parallel_tool_calls,
            step=partial(self._session_log.completed_steps, below=below),
            settings=self._access.settings_for(model, controls),
        )


def _missing(model: ModelMissing) -> LLMFailure:
    if not model.name:
        return LLMFailure(FailureReason.MODEL_NOT_CONFIGURED, "no model is configured")
    return LLMFailure(FailureReason.MODEL_UNAVAILABLE, f"no model named {model.name!r}")

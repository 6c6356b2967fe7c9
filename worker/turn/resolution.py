"""Resolve what a new turn runs on, from what session, agent and harness say now."""

from __future__ import annotations

from uuid import UUID

from common.domain.ids import Kind, show_id
from common.settings import Settings
from common.storage import configs
from common.storage.engine import Tx
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig


def resolve(tx: Tx, organization_id: UUID, session_id: UUID, settings: Settings) -> TurnConfig:
    """The configuration as of now; the most specific of session, agent and harness wins."""
    given = configs.of_session(tx, organization_id, session_id)
    prompts = (given.harness_prompt, given.agent_prompt, given.session_prompt)
    agent_id = given.agent_id
    return TurnConfig(
        harness_id=show_id(Kind.HARNESS, given.harness_id),
        agent_id=None if agent_id is None else show_id(Kind.AGENT, agent_id),
        agent_version=given.agent_version,
        prompts=tuple(prompt for prompt in prompts if prompt),
        capabilities=(
            *given.harness_capabilities,
            *given.agent_capabilities,
            *given.session_capabilities,
        ),
        model=find_model(tx, organization_id, given.model_ref or settings.default_model),
        max_iterations=given.max_iterations or settings.max_iterations,
        parallel_tool_calls=given.parallel_tool_calls is not False,
    )


def find_model(tx: Tx, organization_id: UUID, ref: str) -> ModelChoice | ModelMissing:
    """The model that a reference names; one that is named and missing is an error, no fallback."""
    model = configs.find_model(tx, organization_id, ref) if ref else None
    if model is None:
        return ModelMissing(ref)
    return ModelChoice(
        show_id(Kind.MODEL, model.id), model.name, model.provider_type, model.settings
    )

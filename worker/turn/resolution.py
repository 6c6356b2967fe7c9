"""Resolve what a new turn runs on, from what session, agent and harness say now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from common.domain.ids import Kind, show_id
from common.domain.mcp_server import INLINE_PREFIX
from common.domain.model_catalog import profile_of
from common.settings import Settings
from common.storage import configs
from common.storage.configs import SessionConfiguration
from common.storage.engine import Tx
from worker.turn.config import ModelChoice, ModelMissing, TurnConfig

Json = Mapping[str, Any]


def resolve(given: SessionConfiguration, settings: Settings) -> TurnConfig:
    """The configuration that a turn runs on; the most specific of session, agent, harness wins."""
    prompts = (given.harness_prompt, given.agent_prompt, given.session_prompt)
    agent_id = given.agent_id
    refs = (given.model_ref, *given.fallback_models)
    model, *fallbacks = [_choice(*each) for each in zip(refs, given.models, strict=True)]
    return TurnConfig(
        harness_id=show_id(Kind.HARNESS, given.harness_id),
        agent_id=None if agent_id is None else show_id(Kind.AGENT, agent_id),
        agent_version=given.agent_version,
        prompts=tuple(prompt for prompt in prompts if prompt),
        capabilities=(
            *given.harness_capabilities,
            *given.agent_capabilities,
            *given.session_capabilities,
            *_inline_servers(given.mcp_servers),
        ),
        model=model,
        max_iterations=given.max_iterations or settings.max_iterations,
        parallel_tool_calls=given.parallel_tool_calls is not False,
        fallbacks=tuple(fallbacks),
        tools=_tools(given.agent_tools, given.session_tools),
        network_access=given.network_access,
    )


def _inline_servers(servers: Json) -> list[Json]:
    """Each `mcpServers` entry as a capability of its own, configured by what it says."""
    return [
        {"ref": f"{INLINE_PREFIX}:{name}", "config": server}
        for name, server in sorted(servers.items())
        if isinstance(server, Mapping)
    ]


def find_model(tx: Tx, organization_id: UUID, ref: str) -> ModelChoice | ModelMissing:
    """The model that a reference names; one that is named and missing is an error, no fallback."""
    (model,) = configs.find_models(tx, organization_id, (ref,))
    return _choice(ref, model)


def _choice(ref: str, model: configs.Model | None) -> ModelChoice | ModelMissing:
    if model is None:
        return ModelMissing(ref)
    return ModelChoice(
        show_id(Kind.MODEL, model.id),
        model.name,
        model.provider_type,
        model.settings,
        show_id(Kind.PROVIDER, model.provider_id),
        profile_of(model.name, model.profile),
    )


def _tools(agents: Sequence[Json], sessions: Sequence[Json]) -> tuple[Json, ...]:
    """The agent's in their places, replaced by the session's of the same name; then the rest.

    The policy of a built-in tool is replaced by another one only, never by a client's tool.
    """
    by_name = {(tool.get("type"), tool.get("name")): tool for tool in (*agents, *sessions)}
    return tuple(by_name.values())

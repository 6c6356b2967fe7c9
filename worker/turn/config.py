"""What a turn runs on: resolved once at its start, pinned by hash, kept to its end.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from common.domain.model import UNKNOWN_MODEL, ModelProfile


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model row.

    Attributes:
        id: shown form of the row's id.
        name: the provider's name for it.
        provider_type: picks the driver.
        settings: the driver's own options.
        provider_id: shown form of the row with address and key; looked up at each call, so
            that a key can be changed under a running turn.
    """

    id: str
    name: str
    provider_type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    provider_id: str = ""
    profile: ModelProfile = UNKNOWN_MODEL


@dataclass(frozen=True, slots=True)
class ModelMissing:
    """No model: none is named anywhere (`name` empty), or the named one is not available."""

    name: str


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """The resolved configuration.

    Attributes:
        prompts: harness, agent and session prompt, in that order, empty ones left out.
        capabilities: `{ref, config}` of harness, agent and session, in that order.
        fallbacks: models to try in order when the first one's provider is down.
        tools: ToolDefinition objects (contract 3.0) of agent and session: client-side
            tools, and policies for built-in ones.
        network_access: `{allowed, blocked}` hosts, None for no rule.
    """

    harness_id: str
    agent_id: str | None
    agent_version: int | None
    prompts: tuple[str, ...]
    capabilities: tuple[Mapping[str, Any], ...]
    model: ModelChoice | ModelMissing
    max_iterations: int
    parallel_tool_calls: bool
    fallbacks: tuple[ModelChoice | ModelMissing, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    network_access: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "harness_id": self.harness_id,
            "agent_id": self.agent_id,
            "agent_version": self.agent_version,
            "prompts": list(self.prompts),
            "capabilities": [dict(capability) for capability in self.capabilities],
            "model": _model_to_json(self.model),
            "max_iterations": self.max_iterations,
            "parallel_tool_calls": self.parallel_tool_calls,
            "fallbacks": [_model_to_json(model) for model in self.fallbacks],
            "tools": [dict(tool) for tool in self.tools],
            "network_access": self.network_access,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TurnConfig:
        return cls(
            harness_id=raw["harness_id"],
            agent_id=raw["agent_id"],
            agent_version=raw["agent_version"],
            prompts=tuple(raw["prompts"]),
            capabilities=tuple(raw["capabilities"]),
            model=_model_from_json(raw["model"]),
            max_iterations=raw["max_iterations"],
            parallel_tool_calls=raw["parallel_tool_calls"],
            # Turns that the previous release pinned have none of these.
            fallbacks=tuple(_model_from_json(each) for each in raw.get("fallbacks", ())),
            tools=tuple(raw.get("tools", ())),
            network_access=raw.get("network_access"),
        )

    def digest(self) -> str:
        """A stable name for this configuration."""
        return digest_of(self.to_json())


def digest_of(pinned: Mapping[str, Any]) -> str:
    """A stable name for what a turn is held to."""
    body = orjson.dumps(pinned, option=orjson.OPT_SORT_KEYS)
    return blake2b(body, digest_size=16).hexdigest()


def _model_to_json(model: ModelChoice | ModelMissing) -> dict[str, Any]:
    if isinstance(model, ModelMissing):
        return {"missing": model.name}
    return {
        "id": model.id,
        "name": model.name,
        "provider_type": model.provider_type,
        "settings": dict(model.settings),
        "provider_id": model.provider_id,
        "profile": model.profile.to_json(),
    }


def _model_from_json(raw: Mapping[str, Any]) -> ModelChoice | ModelMissing:
    if "missing" in raw:
        return ModelMissing(raw["missing"])
    return ModelChoice(
        raw["id"],
        raw["name"],
        raw["provider_type"],
        raw["settings"],
        raw.get("provider_id", ""),
        ModelProfile.from_json(raw.get("profile", {})),
    )

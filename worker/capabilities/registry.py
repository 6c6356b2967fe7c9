"""The capabilities that are built, and how those that are granted come together.

A new one is a module beside this one, a line in `built_capabilities` and its status in
`common.domain.capability_catalog`; a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import structlog

from common.domain.capability_catalog import canonical_id
from worker.capabilities import current_time, noop, test_math, test_weather
from worker.capabilities.capability import Capability, Tool
from worker.capabilities.services import Services

_log = structlog.get_logger()


def built_capabilities(services: Services) -> Mapping[str, Capability]:
    """All of them by id."""
    built = (
        noop.CAPABILITY,
        current_time.capability(services.now),
        test_math.CAPABILITY,
        test_weather.capability(services.now),
    )
    return MappingProxyType({each.id: each for each in built})


@dataclass(frozen=True, slots=True)
class CapabilityGrant:
    """A capability that a harness, an agent or a session asks for."""

    ref: str
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CapabilityGrant:
        """From `{ref, config}`, as it is stored."""
        return cls(raw["ref"], raw.get("config") or {})


@dataclass(frozen=True, slots=True)
class Composition:
    """What all grants of a turn come to.

    Attributes:
        grants: those that contribute, each id once, in configured order.
        prompts: their additions to the system prompt, in the same order.
        tools: by name, in the order in which a model is offered them.
    """

    grants: tuple[CapabilityGrant, ...]
    prompts: tuple[str, ...]
    tools: Mapping[str, Tool]


def compose(grants: Iterable[CapabilityGrant], *, built: Mapping[str, Capability]) -> Composition:
    """Combine grants, given in order: harness, agent, session.

    A repeated id keeps its first place and its last config.  An id that is not built
    contributes nothing: it is announced only, or a newer version stored it.
    """
    effective: dict[str, CapabilityGrant] = {}
    for grant in grants:
        capability_id = canonical_id(grant.ref)
        if capability_id in built:
            effective[capability_id] = CapabilityGrant(capability_id, grant.config)
    capabilities = [built[capability_id] for capability_id in effective]
    return Composition(
        grants=tuple(effective.values()),
        prompts=tuple(each.system_prompt for each in capabilities if each.system_prompt),
        tools=_tools_by_name(capabilities),
    )


def _tools_by_name(capabilities: Iterable[Capability]) -> Mapping[str, Tool]:
    tools: dict[str, Tool] = {}
    for capability in capabilities:
        for tool in capability.tools:
            if tool.name in tools:
                _log.warning("tool_name_taken", tool=tool.name, capability=capability.id)
            else:
                tools[tool.name] = tool
    return MappingProxyType(tools)

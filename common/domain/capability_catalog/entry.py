"""What an entry of the catalogue says; data only, no code that does anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CapabilityStatus(StrEnum):
    """`coming_soon` is accepted on agents and sessions but contributes nothing."""

    AVAILABLE = "available"
    COMING_SOON = "coming_soon"
    DEPRECATED = "deprecated"


class RiskLevel(StrEnum):
    """What granting it lets an agent do: look, change its own session, or reach outside."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolInfo:
    """What a model and an API client are told of a tool; the worker's `Tool` takes it over.

    Attributes:
        description: for the model.
        parameters: the JSON Schema of its arguments, an object.
    """

    name: str
    display_name: str
    description: str
    parameters: Mapping[str, Any]


def _any_object() -> Mapping[str, Any]:
    return {"type": "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityInfo:
    """One entry, spelled as the wire spells it.

    Attributes:
        icon: a name of the Lucide set.
        category: the heading it is listed under.
        tools: in the order in which a model is offered them.
        announced_tools: names, of an entry whose tools are not declared yet or that finds
            them only at run time.
        system_prompt: its fixed addition to the system prompt.
        dependencies: ids of what is granted together with it.
        features: what its sessions can do, for `session.features`.
        config_schema: the JSON Schema of a reference's `config`.
    """

    id: str
    name: str
    description: str
    status: CapabilityStatus = CapabilityStatus.COMING_SOON
    icon: str = "puzzle"
    category: str = "Other"
    tools: tuple[ToolInfo, ...] = ()
    announced_tools: tuple[str, ...] = ()
    system_prompt: str = ""
    dependencies: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    config_schema: Mapping[str, Any] = field(default_factory=_any_object)
    risk_level: RiskLevel = RiskLevel.LOW

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The names of its tools, declared or only announced."""
        return tuple(tool.name for tool in self.tools) or self.announced_tools

    def tool(self, name: str) -> ToolInfo:
        """The declaration of one of its tools.

        Raises:
            KeyError: it declares no tool of that name.
        """
        for tool in self.tools:
            if tool.name == name:
                return tool
        raise KeyError(name)

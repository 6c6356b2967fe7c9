"""A harness: the base configuration below agents and sessions, which may stand on another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from common.domain.agent import AgentStatus, NamedRef, read_named_ref
from common.domain.ids import Kind

MAX_PARENTS = 8

# A harness lives through the same states as an agent.
HarnessStatus = AgentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessConfig:
    """What a caller writes.

    Attributes:
        parent_harness_id: whose configuration this one adds to.
        system_prompt: empty takes the parent's.
        embedder_metadata: kept for the caller, never read.
    """

    name: str
    system_prompt: str = ""
    display_name: str | None = None
    description: str | None = None
    parent_harness_id: UUID | None = None
    default_model_id: str | None = None
    tags: list[str] = field(default_factory=list)
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    initial_files: list[dict[str, Any]] = field(default_factory=list)
    mcp_servers: dict[str, Any] = field(default_factory=dict)
    network_access: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    embedder_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """A stored harness; a built-in one is every organization's and nobody's to change."""

    id: UUID
    slug: str
    config: HarnessConfig
    status: AgentStatus
    is_built_in: bool
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class MergedHarness:
    """A harness with all it inherits; lists from the root of its chain to itself."""

    system_prompt: str
    default_model_id: str | None
    network_access: dict[str, Any] | None
    parallel_tool_calls: bool | None
    capabilities: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    initial_files: list[dict[str, Any]]
    mcp_servers: dict[str, Any]


def harness_ref(text: str) -> NamedRef:
    """Read an id or a name.

    Raises:
        InvalidId: it has the form of an id, but of another kind of thing.
    """
    return read_named_ref(Kind.HARNESS, text)

"""A session: a conversation's configuration and identity; its course is in its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from common.domain.events import Usage
from common.domain.turn import SessionStatus
from common.domain.waiting import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What a caller writes when creating a session.

    Attributes:
        agent: the agent's id or name as given, None for none.
        capabilities: `{ref, config}` each, in addition to the agent's.
    """

    agent_id: UUID | None = None
    agent_name: str | None = None
    harness_id: UUID | None = None
    harness_name: str | None = None
    workspace_id: UUID | None = None
    title: str | None = None
    locale: str | None = None
    model_id: str | None = None
    system_prompt: str | None = None
    tags: list[str] = field(default_factory=list)
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    initial_files: list[dict[str, Any]] = field(default_factory=list)
    mcp_servers: dict[str, Any] = field(default_factory=dict)
    hints: dict[str, Any] | None = None
    network_access: dict[str, Any] | None = None
    max_iterations: int | None = None
    parallel_tool_calls: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPatch:
    """What may change on a session; `given` names the fields that do, null clearing one."""

    given: frozenset[str]
    title: str | None = None
    locale: str | None = None
    model_id: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkChanges:
    """What a fork is to have otherwise; `given` names the fields that are looked at.

    Attributes:
        up_to_sequence: the last event to copy, None for all.
    """

    given: frozenset[str] = frozenset()
    title: str | None = None
    tags: list[str] = field(default_factory=list)
    model_id: str | None = None
    agent_id: UUID | None = None
    locale: str | None = None
    system_prompt: str | None = None
    up_to_sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A stored session with what its head says.

    Attributes:
        preview: start of the first user message, None before there is one.
        output_preview: start of the last agent message.
        is_pinned: by the caller it was read for.
        waiting: what it waits for, None when it does not wait.
        granted: references of the capabilities of harness, agent and session.
    """

    id: UUID
    organization_id: UUID
    agent_id: UUID | None
    harness_id: UUID
    workspace_id: UUID
    owner_principal_id: UUID
    config: SessionConfig
    status: SessionStatus
    usage: Usage
    preview: str | None
    output_preview: str | None
    is_pinned: bool
    started_at: datetime | None
    created_at: datetime
    updated_at: datetime
    parent_session_id: UUID | None = None
    forked_from_session_id: UUID | None = None
    forked_from_sequence: int | None = None
    waiting: Waiting | None = None
    granted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """How many sessions an organization has, by status."""

    total: int
    started: int
    active: int
    idle: int
    waiting: int

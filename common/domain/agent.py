"""An agent: what configures a session beside its harness, and the rules of its name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from common.domain.ids import Kind, parse_id

NAME_CHARACTERS: Final = 64
DESCRIPTION_BYTES: Final = 10 * 1024
PROMPT_BYTES: Final = 1024 * 1024
CAPABILITIES: Final = 250
CLIENT_TOOLS: Final = 50
FALLBACK_MODELS: Final = 10
MODEL_CHARACTERS: Final = 256
TOOL_NAME_CHARACTERS: Final = 64
TOOL_DESCRIPTION_BYTES: Final = 1024
TOOL_PARAMETERS_BYTES: Final = 10 * 1024

# One letter may become eighteen, and an index entry has to stay small.
_SLUG_CHARACTERS: Final = 200
_SEPARATORS: Final = re.compile(r"[^\w]+")
_ID_SHAPE: Final = re.compile(r"[a-z]+(_[a-z]+)*_[0-9a-f]{8}[0-9a-f-]{24,28}", re.IGNORECASE)


class AgentStatus(StrEnum):
    """A deleted agent is one that does not exist any more for callers."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """What a caller writes: the whole of it is replaced by a create or a put.

    Attributes:
        harness_id: None stands for the default harness.
        capabilities: `{ref, config}` each.
        fallback_models: tried in order when the provider of the one before is down.
    """

    name: str
    system_prompt: str
    display_name: str | None = None
    description: str | None = None
    harness_id: UUID | None = None
    harness_name: str | None = None
    default_model_id: str | None = None
    fallback_models: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    initial_files: list[dict[str, Any]] = field(default_factory=list)
    mcp_servers: dict[str, Any] = field(default_factory=dict)
    network_access: dict[str, Any] | None = None
    max_iterations: int | None = None
    parallel_tool_calls: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A stored agent; `harness_name` is its harness's.

    Attributes:
        default_version_id: the version that sessions run on, None for the agent as it is.
        version: the number of its newest version.
    """

    id: UUID
    organization_id: UUID
    slug: str
    config: AgentConfig
    status: AgentStatus
    root_agent_id: UUID | None
    forked_from_agent_id: UUID | None
    forked_from_version_id: UUID | None
    default_version_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None


def slug_of(name: str) -> str:
    """The name as it is looked up: case, punctuation and composition of letters do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    slug = _SEPARATORS.sub("-", folded).strip("-")[:_SLUG_CHARACTERS]
    # A name of signs alone still has to be told from another one.
    return slug or f"sign-{blake2b(name.encode(), digest_size=6).hexdigest()}"


def copy_name(name: str, *, number: int) -> str:
    """The name of the n-th copy, within the limit: `Assistant (copy)`, `Assistant (copy 2)`."""
    suffix = " (copy)" if number == 1 else f" (copy {number})"
    return name[: NAME_CHARACTERS - len(suffix)] + suffix


@dataclass(frozen=True, slots=True)
class NamedRef:
    """How a path or a body names an agent or a harness: by id, or by a name in any letter case."""

    id: UUID | None
    slug: str | None
    text: str

    def __str__(self) -> str:
        """The same for every spelling of the id, and for every spelling of the name."""
        return str(self.id or self.slug)


AgentRef = NamedRef


def agent_ref(text: str) -> AgentRef:
    """Read an id or a name.

    Raises:
        InvalidId: it has the form of an id, but of another kind of thing.
    """
    return read_named_ref(Kind.AGENT, text)


def read_named_ref(kind: Kind, text: str) -> NamedRef:
    """Read an id of that kind, or a name.

    Raises:
        InvalidId: it has the form of an id, but of another kind of thing.
    """
    if _ID_SHAPE.fullmatch(text.strip()):
        return NamedRef(parse_id(kind, text), None, text)
    bare = re.fullmatch(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text)
    return NamedRef(UUID(text) if bare else None, slug_of(text), text)

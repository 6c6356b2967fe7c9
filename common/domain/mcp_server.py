"""MCP servers: tools of others, reached over HTTP with the organization's credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

NAME_CHARACTERS: Final = 64
DESCRIPTION_BYTES: Final = 10 * 1024
HEADERS: Final = 32
HEADER_BYTES: Final = 8 * 1024
KEY_BYTES: Final = 8 * 1024
DEFAULT_TIMEOUT_SECONDS: Final = 60.0
LONGEST_TIMEOUT_SECONDS: Final = 600.0
TOOLS_LIFE: Final = timedelta(hours=24)
CAPABILITY_PREFIX: Final = "mcp"
# Of servers that an agent or session describes in place; nobody can name it in a request.
INLINE_PREFIX: Final = "mcp_inline"

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
# What the transport says itself, and what would change where a request goes.
_RESERVED_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "expect", "host", "idempotency-key", "keep-alive", "last-event-id"),
        *("mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "proxy-connection"),
        *("proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")


class McpServerStatus(StrEnum):
    """Only an active one is asked; a deleted one does not exist any more for callers."""

    ACTIVE = "active"
    DISABLED = "disabled"
    ARCHIVED = "archived"
    DELETED = "deleted"


class AuthMode(StrEnum):
    """How the server is told who calls: not at all, or by `Authorization: Bearer <api_key>`."""

    NONE = "none"
    API_KEY = "api_key"
    O_AUTH = "o_auth"


class ProtocolMode(StrEnum):
    """Which revision of the protocol is spoken; `auto` asks the server."""

    AUTO = "auto"
    LEGACY = "legacy"
    STABLE = "stable"
    RC = "rc"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServerConfig:
    """What a caller writes, but for the secrets."""

    name: str
    url: str
    description: str | None = None
    auth_mode: AuthMode = AuthMode.NONE
    protocol_mode: ProtocolMode = ProtocolMode.AUTO
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """A stored server.

    Attributes:
        header_names: of the headers in the envelope `headers`, a JSON object of texts.
        tools: as the server listed them at `tools_fetched_at`; None when it was not asked yet.
    """

    id: UUID
    organization_id: UUID
    slug: str
    config: McpServerConfig
    status: McpServerStatus
    header_names: list[str] = field(default_factory=list)
    headers: dict[str, Any] | None = None
    api_key: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tools_fetched_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None

    @property
    def capability_id(self) -> str:
        """What agents and sessions refer to it by."""
        return f"{CAPABILITY_PREFIX}:{self.id}"


def headers_purpose(server_id: UUID) -> str:
    """What a server's headers are encrypted as."""
    return f"mcp_server:{server_id}:headers"


def key_purpose(server_id: UUID) -> str:
    """What a server's API key is encrypted as."""
    return f"mcp_server:{server_id}:api_key"


def problem_of_header(name: str, value: object) -> str | None:
    """What is wrong with a header of the caller's; None when nothing is."""
    if not _HEADER_NAME.fullmatch(name):
        return "Is no valid header name"
    if name.lower() in _RESERVED_HEADERS:
        return "Is a header that the connection sets itself"
    if not isinstance(value, str):
        return "Must be a string"
    if len(value) > HEADER_BYTES or not _HEADER_VALUE.fullmatch(value):
        return f"Must be 1 to {HEADER_BYTES} visible ASCII characters"
    return None


def server_of(capability_id: str) -> UUID | None:
    """The server that a reference `mcp:<uuid>` names; None for any other reference."""
    prefix, mark, member = capability_id.partition(":")
    if not mark or prefix != CAPABILITY_PREFIX:
        return None
    return _uuid(member)


def is_server_reference(member: str) -> bool:
    """Whether what follows `mcp:` is a UUID as responses show it."""
    return _uuid(member) is not None


def _uuid(text: str) -> UUID | None:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        return None
    return UUID(text)

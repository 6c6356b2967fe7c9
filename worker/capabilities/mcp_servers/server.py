"""How a server is reached, what is asked of it, and what can go wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.domain.mcp_server import ProtocolMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a server is reached; `headers` hold its secrets."""

    name: str
    url: str
    timeout_seconds: float
    protocol_mode: ProtocolMode = ProtocolMode.AUTO
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """One call of one tool."""

    name: str
    arguments: Mapping[str, Any]
    idempotency_key: str
    progress: Callable[[str], None]


class ServerTrouble(Exception):
    """The server gave no usable answer; the message is a sentence for the model."""


class ServerTimedOut(ServerTrouble):
    """It gave none in time."""

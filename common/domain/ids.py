"""Public identifiers: a UUID with a prefix that names its kind (contract 1.1).

Ids come in as `session_<32 hex>`, `session_<dashed>`, `<dashed>` or `<32 hex>` in
any letter case, and go out in one form a kind: bare and dashed for messages, images and
users, as clients know them, prefixed hex for all else.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final
from uuid import UUID

from common.domain.errors import InvalidId


class Kind(Enum):
    """What an id names.  The value is the prefix it is shown with."""

    ORGANIZATION = "org"
    AGENT = "agent"
    AGENT_VERSION = "agentver"
    HARNESS = "harness"
    SESSION = "session"
    MESSAGE = "message"
    EVENT = "event"
    TURN = "turn"
    EXEC = "exec"
    IMAGE = "img"
    MODEL = "model"
    PROVIDER = "provider"
    WORKSPACE = "wsp"
    MCP_SERVER = "mcp"
    PARTICIPANT = "part"
    WORKER = "worker"
    TASK = "task"
    DEAD_LETTER = "dlq"
    API_KEY = "key"
    WEBHOOK = "webhook"
    WEBHOOK_DELIVERY = "whd"
    USER = "user"
    LOGIN = "login"
    INVITATION = "invite"
    AUDIT_ENTRY = "audit"


_SYNONYMS: Final = {Kind.IMAGE: ("img", "image")}
_BARE: Final = frozenset({Kind.MESSAGE, Kind.IMAGE, Kind.USER})
_FORM: Final = re.compile(r"(?:([a-z]+(?:_[a-z]+)*)_)?([0-9a-f-]{32,36})", re.IGNORECASE)

DEFAULT_ORGANIZATION: Final = UUID("00000000-0000-0000-0000-000000000001")
# Where a user acts who has not said in which of their organizations; nothing is ever in it.
NO_ORGANIZATION: Final = UUID(int=0)
ANONYMOUS_PRINCIPAL: Final = UUID("00000000-0000-0000-0000-000000000001")
OPERATOR_PRINCIPAL: Final = UUID("00000000-0000-0000-0000-000000000002")
GENERIC_HARNESS: Final = UUID("01933b5a-0000-7000-8000-000000000301")
OPENAI_PROVIDER: Final = UUID("01933b5a-0000-7000-8000-000000000001")
ANTHROPIC_PROVIDER: Final = UUID("01933b5a-0000-7000-8000-000000000002")
SIMULATED_PROVIDER: Final = UUID("01933b5a-0000-7000-8000-000000000003")


def parse_id(kind: Kind, text: str) -> UUID:
    """The UUID behind any accepted spelling.

    Raises:
        InvalidId: no accepted form, or the prefix of another kind.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidId(f"Not a valid {kind.name.lower()} id")
    prefix, digits = match.group(1), match.group(2).replace("-", "")
    if prefix is not None and prefix.lower() not in _SYNONYMS.get(kind, (kind.value,)):
        raise InvalidId(f"Not a valid {kind.name.lower()} id: it names something else")
    if len(digits) != 32:  # noqa: PLR2004 - a UUID has 32 hex digits
        raise InvalidId(f"Not a valid {kind.name.lower()} id")
    return UUID(hex=digits)


def show_id(kind: Kind, value: UUID) -> str:
    """The one spelling that responses and events carry."""
    return str(value) if kind in _BARE else f"{kind.value}_{value.hex}"

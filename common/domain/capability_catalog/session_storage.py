"""Declaration of `session_storage`."""

from __future__ import annotations

from typing import Any, Final

from common.domain.capability_catalog.entry import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)
from common.domain.session_storage import KEY_CHARACTERS, VALUE_BYTES

_OPERATIONS: Final = ("set", "get", "delete", "list")


def _parameters(key: str, described: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "operation": {"type": "string", "enum": list(_OPERATIONS)},
            key: {"type": "string", "minLength": 1, **described},
            "value": {
                "type": "string",
                "maxLength": VALUE_BYTES,
                "description": "For set.",
            },
        },
        "required": ["operation"],
        "additionalProperties": False,
    }


SESSION_STORAGE: Final = CapabilityInfo(
    id="session_storage",
    name="Session Storage",
    description="Values and secrets by key, kept with the session.",
    status=CapabilityStatus.AVAILABLE,
    icon="database",
    category="Session",
    risk_level=RiskLevel.MEDIUM,
    tools=(
        ToolInfo(
            name="kv_store",
            display_name="Key-value store",
            description="Keep values with the session: set, get, delete one, or list all keys.",
            parameters=_parameters(
                "key", {"maxLength": KEY_CHARACTERS, "description": "Needed but for list."}
            ),
        ),
        ToolInfo(
            name="secret_store",
            display_name="Secret store",
            description=(
                "Keep secrets with the session, encrypted: set, get, delete one, or list the "
                "names. A secret that you get is part of this conversation from then on."
            ),
            parameters=_parameters(
                "name",
                {
                    "maxLength": 128,
                    "description": "Letters, digits and _. Needed but for list.",
                },
            ),
        ),
    ),
)

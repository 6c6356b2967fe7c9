"""Declaration of `compaction`."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus

DEFAULT_THRESHOLD: Final = 0.85

COMPACTION: Final = CapabilityInfo(
    id="compaction",
    name="Compaction",
    description=(
        "Says how a conversation that outgrows the model is made smaller. Without it, the older"
        " part is summed up at 85 % of the model's window."
    ),
    status=CapabilityStatus.AVAILABLE,
    icon="shrink",
    category="Context",
    config_schema={
        "type": "object",
        "properties": {
            "threshold": {
                "type": "number",
                "minimum": 0.3,
                "maximum": 0.95,
                "default": DEFAULT_THRESHOLD,
                "description": "The share of the model's window at which it happens.",
            },
            "strategy": {
                "type": "string",
                "enum": ["summary", "trim"],
                "default": "summary",
                "description": "Sum the older part up, or leave it out.",
            },
        },
        "additionalProperties": False,
    },
)

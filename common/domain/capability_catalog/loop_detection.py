"""Declaration of `loop_detection`."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus

DEFAULT_THRESHOLD: Final = 3

LOOP_DETECTION: Final = CapabilityInfo(
    id="loop_detection",
    name="Loop Detection",
    description="Notices when the agent makes the same call again and again.",
    status=CapabilityStatus.AVAILABLE,
    icon="repeat",
    category="Control",
    config_schema={
        "type": "object",
        "properties": {
            "threshold": {
                "type": "integer",
                "minimum": 2,
                "maximum": 100,
                "default": DEFAULT_THRESHOLD,
                "description": "The same call with the same result this often is a loop.",
            }
        },
        "additionalProperties": False,
    },
)

"""Declaration of `current_time`."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus, ToolInfo

CURRENT_TIME: Final = CapabilityInfo(
    id="current_time",
    name="Current Time",
    description="Tells the date and time in any time zone.",
    status=CapabilityStatus.AVAILABLE,
    icon="clock",
    category="Utilities",
    tools=(
        ToolInfo(
            name="get_current_time",
            display_name="Get current time",
            description="Get the current date and time, in UTC or in a given time zone.",
            parameters={
                "type": "object",
                "properties": {
                    "timezone": {
                        "type": "string",
                        "maxLength": 100,
                        "description": "IANA name such as Europe/Berlin; UTC when left out.",
                    },
                    "format": {
                        "type": "string",
                        "enum": ["iso8601", "unix", "human"],
                        "description": "iso8601 when left out; unix is in whole seconds.",
                    },
                },
                "additionalProperties": False,
            },
        ),
    ),
)

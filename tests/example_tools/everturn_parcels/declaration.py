"""What agents, people and the API are told of the capability.  Data only."""

from common.domain.capability_catalog import (
    CapabilityInfo,
    CapabilityStatus,
    RiskLevel,
    ToolInfo,
)

PARCELS = CapabilityInfo(
    id="parcels",
    name="Parcels",
    description="Prices parcels and hands them to the courier.",
    status=CapabilityStatus.AVAILABLE,
    icon="package",
    category="Shipping",
    risk_level=RiskLevel.HIGH,
    tools=(
        ToolInfo(
            name="parcel_price",
            display_name="Price a parcel",
            description="What it costs to send a parcel of a given weight.",
            parameters={
                "type": "object",
                "properties": {
                    "weight_kg": {"type": "number", "exclusiveMinimum": 0, "maximum": 30}
                },
                "required": ["weight_kg"],
                "additionalProperties": False,
            },
        ),
        ToolInfo(
            name="send_parcel",
            display_name="Send a parcel",
            description="Hand a parcel to the courier. It is paid for at once.",
            parameters={
                "type": "object",
                "properties": {
                    "weight_kg": {"type": "number", "exclusiveMinimum": 0, "maximum": 30},
                    "address": {"type": "string", "minLength": 1, "maxLength": 500},
                },
                "required": ["weight_kg", "address"],
                "additionalProperties": False,
            },
        ),
    ),
    system_prompt="Tell the price with `parcel_price` before you use `send_parcel`.",
    config_schema={
        "type": "object",
        "properties": {"currency": {"type": "string", "enum": ["EUR", "USD"]}},
        "additionalProperties": False,
    },
)

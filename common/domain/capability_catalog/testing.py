"""Declarations of the capabilities that are there for testing."""

from __future__ import annotations

from typing import Final

from common.domain.capability_catalog.entry import CapabilityInfo, CapabilityStatus, ToolInfo

NOOP: Final = CapabilityInfo(
    id="noop",
    name="No-op",
    description="Adds nothing; for testing that capabilities are stored and listed.",
    status=CapabilityStatus.AVAILABLE,
    icon="circle-off",
    category="Testing",
)

_NUMBERS: Final = {
    "type": "object",
    "properties": {
        "a": {"type": "number", "description": "The first number."},
        "b": {"type": "number", "description": "The second number."},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}


def _operation(name: str, description: str) -> ToolInfo:
    return ToolInfo(
        name=name, display_name=name.capitalize(), description=description, parameters=_NUMBERS
    )


TEST_MATH: Final = CapabilityInfo(
    id="test_math",
    name="Test Math",
    description="The four basic operations as tools; for testing tool calls.",
    status=CapabilityStatus.AVAILABLE,
    icon="calculator",
    category="Testing",
    tools=(
        _operation("add", "Add two numbers: a + b."),
        _operation("subtract", "Subtract two numbers: a - b."),
        _operation("multiply", "Multiply two numbers: a * b."),
        _operation("divide", "Divide two numbers: a / b."),
    ),
    system_prompt=(
        "You have four math tools: `add`, `subtract`, `multiply` and `divide`. "
        "Calculate with them instead of in your head, one operation a call."
    ),
)

_LOCATION: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "A place, for example Tokyo.",
}
_UNITS: Final = {
    "type": "string",
    "enum": ["celsius", "fahrenheit"],
    "description": "Unit of the temperatures; celsius when left out.",
}

TEST_WEATHER: Final = CapabilityInfo(
    id="test_weather",
    name="Test Weather",
    description="Invented weather, the same for the same place; for testing tool calls.",
    status=CapabilityStatus.AVAILABLE,
    icon="cloud-sun",
    category="Testing",
    tools=(
        ToolInfo(
            name="get_weather",
            display_name="Get weather",
            description="Get the current weather at a place.",
            parameters={
                "type": "object",
                "properties": {"location": _LOCATION, "units": _UNITS},
                "required": ["location"],
                "additionalProperties": False,
            },
        ),
        ToolInfo(
            name="get_forecast",
            display_name="Get forecast",
            description="Get the weather forecast for a place, day by day.",
            parameters={
                "type": "object",
                "properties": {
                    "location": _LOCATION,
                    "days": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 7,
                        "description": "Number of days, today included; 3 when left out.",
                    },
                    "units": _UNITS,
                },
                "required": ["location"],
                "additionalProperties": False,
            },
        ),
    ),
    system_prompt=(
        "For weather you have two tools: `get_weather` tells how it is now, "
        "`get_forecast` how the next days will be."
    ),
)

"""Invented weather, computed from the name of the place: the same on every machine.

The numbers are those of contract 7.3, so that a test can know them beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolSucceeded,
)

_CONDITIONS: Final = ("sunny", "partly cloudy", "cloudy", "rainy", "windy")
_DEFAULT_DAYS: Final = 3

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
_WEATHER_PARAMETERS: Final = {
    "type": "object",
    "properties": {"location": _LOCATION, "units": _UNITS},
    "required": ["location"],
    "additionalProperties": False,
}
_FORECAST_PARAMETERS: Final = {
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
}


def capability(now: Callable[[], datetime]) -> Capability:
    """The capability; `now` returns an aware time, and days are days in UTC."""

    def weather(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        return ToolSucceeded(_weather(arguments, now=now()))

    def forecast(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        return ToolSucceeded(_forecast(arguments, now=now()))

    return Capability(
        id="test_weather",
        tools=(
            Tool(
                name="get_weather",
                display_name="Get weather",
                description="Get the current weather at a place.",
                parameters=_WEATHER_PARAMETERS,
                side_effect=SideEffect.PURE,
                run=weather,
            ),
            Tool(
                name="get_forecast",
                display_name="Get forecast",
                description="Get the weather forecast for a place, day by day.",
                parameters=_FORECAST_PARAMETERS,
                side_effect=SideEffect.PURE,
                run=forecast,
            ),
        ),
        system_prompt=(
            "For weather you have two tools: `get_weather` tells how it is now, "
            "`get_forecast` how the next days will be."
        ),
    )


def _weather(arguments: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    location, units = arguments["location"], arguments.get("units", "celsius")
    seed = _seed(location)
    return {
        "location": location,
        "temperature": _in_units(_celsius(seed), units),
        "units": units,
        "conditions": _conditions(seed),
        "humidity": seed % 50 + 30,
        "wind_speed_kmh": seed % 30 + 5,
        "timestamp": now.astimezone(UTC).isoformat(timespec="seconds"),
    }


def _forecast(arguments: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    location, units = arguments["location"], arguments.get("units", "celsius")
    # JSON Schema counts 3.0 as an integer.
    days = int(arguments.get("days", _DEFAULT_DAYS))
    return {
        "location": location,
        "units": units,
        "days": days,
        "forecast": [
            _day(_seed(location) + 7 * ahead, units, at=now.astimezone(UTC) + timedelta(ahead))
            for ahead in range(days)
        ],
    }


def _day(seed: int, units: str, *, at: datetime) -> dict[str, Any]:
    high = _celsius(seed)
    return {
        "date": at.date().isoformat(),
        "high": _in_units(high, units),
        "low": _in_units(high - 8 - seed % 5, units),
        "conditions": _conditions(seed),
        "precipitation_chance": seed % 100,
    }


def _seed(location: str) -> int:
    return sum(location.encode(errors="replace"))


def _celsius(seed: int) -> int:
    return seed % 35 + 5


def _conditions(seed: int) -> str:
    return _CONDITIONS[seed % len(_CONDITIONS)]


def _in_units(celsius: int, units: str) -> float:
    return round(celsius * 9 / 5 + 32, 1) if units == "fahrenheit" else celsius

"""Invented weather, computed from the name of the place: the same on every machine.

The numbers are those of contract 7.3, so that a test can know them beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from common.domain.capability_catalog.testing import TEST_WEATHER
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


def capability(now: Callable[[], datetime]) -> Capability:
    """The capability; `now` returns an aware time, and days are days in UTC."""

    def weather(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        return ToolSucceeded(_weather(arguments, now=now()))

    def forecast(arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
        return ToolSucceeded(_forecast(arguments, now=now()))

    return Capability(
        id=TEST_WEATHER.id,
        tools=(
            Tool.declared(
                TEST_WEATHER.tool("get_weather"), side_effect=SideEffect.PURE, run=weather
            ),
            Tool.declared(
                TEST_WEATHER.tool("get_forecast"), side_effect=SideEffect.PURE, run=forecast
            ),
        ),
        system_prompt=TEST_WEATHER.system_prompt,
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

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from common.domain.turn import ToolCall
from tests.fakes.scopes import scope_for
from tests.fakes.services import unconnected_services
from worker.capabilities.capability import SideEffect, ToolContext, ToolFailed, ToolSucceeded
from worker.capabilities.composition import CapabilityGrant, compose
from worker.capabilities.execution import ToolExecutor
from worker.capabilities.registry import built_capabilities

_NOW = datetime(2026, 2, 27, 23, 30, 5, 123456, tzinfo=UTC)
_TOOLS = compose(
    [CapabilityGrant(each) for each in ("current_time", "test_math", "test_weather")],
    built=built_capabilities(unconnected_services(lambda: _NOW)),
    scope_for=scope_for,
).tools
_EXECUTOR = ToolExecutor(_TOOLS)
_CONTEXT = ToolContext(
    organization_id=UUID(int=1),
    session_id=UUID(int=2),
    workspace_id=UUID(int=3),
    turn_id=UUID(int=4),
    tool_call_id="call_0_0",
    idempotency_key="key",
    timeout_seconds=10,
)
_OPERATIONS = ("add", "subtract", "multiply", "divide")


def _run(tool: str, **arguments: Any) -> Any:
    outcome = _EXECUTOR.run(ToolCall("call_0_0", tool, arguments), _CONTEXT).outcome
    assert isinstance(outcome, ToolSucceeded), outcome
    return outcome.result


def _fail(tool: str, **arguments: Any) -> str:
    outcome = _EXECUTOR.run(ToolCall("call_0_0", tool, arguments), _CONTEXT).outcome
    assert isinstance(outcome, ToolFailed), outcome
    return outcome.message


@pytest.mark.parametrize("name", sorted(_TOOLS))
def test_a_tool_describes_itself_and_may_be_repeated(name: str) -> None:
    tool = _TOOLS[name]
    Draft202012Validator.check_schema(dict(tool.parameters))
    assert tool.parameters["additionalProperties"] is False
    assert all(each["description"] for each in tool.parameters["properties"].values())
    assert tool.display_name
    assert tool.description
    assert tool.side_effect is SideEffect.PURE
    assert tool.side_effect.may_repeat


def test_the_time_is_utc_in_iso_8601_by_default() -> None:
    assert _run("get_current_time") == {
        "datetime": "2026-02-27T23:30:05+00:00",
        "format": "iso8601",
        "timezone": "UTC",
    }


def test_the_time_zone_is_honoured() -> None:
    tokyo = _run("get_current_time", timezone="Asia/Tokyo")
    assert tokyo["datetime"] == "2026-02-28T08:30:05+09:00"
    assert tokyo["timezone"] == "Asia/Tokyo"


def test_the_time_can_be_unix_or_for_people() -> None:
    assert _run("get_current_time", format="unix", timezone="Asia/Tokyo") == {
        "timestamp": 1772235005,
        "format": "unix",
        "timezone": "Asia/Tokyo",
    }
    shown = _run("get_current_time", format="human", timezone="Europe/Berlin")
    assert shown["datetime"] == "Saturday, 28 February 2026, 00:30:05 CET"


@pytest.mark.parametrize(
    "timezone",
    [
        "Nowhere/City",
        "",
        ".",
        "..",
        "../UTC",
        "/etc/passwd",
        "Europe",
        "a\x00b",
        "\ud800",
        "x" * 99,
    ],
)
def test_a_bad_time_zone_is_an_error_for_the_model(timezone: str) -> None:
    assert "time zone" in _fail("get_current_time", timezone=timezone)


@given(st.text(max_size=100))
def test_no_time_zone_breaks_the_tool(timezone: str) -> None:
    outcome = _EXECUTOR.run(
        ToolCall("c", "get_current_time", {"timezone": timezone}), _CONTEXT
    ).outcome
    assert isinstance(outcome, ToolSucceeded) or "Unknown time zone" in outcome.message


def test_the_four_operations() -> None:
    assert _run("add", a=2, b=3) == {"result": 5.0, "operation": "add", "a": 2.0, "b": 3.0}
    assert _run("subtract", a=2, b=3)["result"] == -1.0
    assert _run("multiply", a=2, b=3)["result"] == 6.0
    assert _run("divide", a=3, b=2)["result"] == 1.5


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_division_by_zero_is_an_error_for_the_model(zero: float) -> None:
    assert "zero" in _fail("divide", a=1, b=zero)


@pytest.mark.parametrize(
    ("tool", "a", "b"),
    [
        ("add", 1e308, 1e308),
        ("multiply", 1e200, 1e200),
        ("divide", 1e300, 1e-300),
        ("add", 10**400, 1),
        ("add", math.inf, 1),
        ("subtract", math.inf, math.inf),
        ("multiply", math.nan, 1),
    ],
)
def test_what_is_not_a_number_any_more_is_an_error(tool: str, a: float, b: float) -> None:
    assert "too large" in _fail(tool, a=a, b=b)


@pytest.mark.parametrize("wrong", ["1", None, True, [1], {}])
def test_only_numbers_are_calculated_with(wrong: object) -> None:
    assert "Argument b " in _fail("add", a=1, b=wrong)


@given(st.sampled_from(_OPERATIONS), st.floats() | st.integers(), st.floats() | st.integers())
def test_a_result_is_finite_or_an_error(tool: str, a: float, b: float) -> None:
    outcome = _EXECUTOR.run(ToolCall("c", tool, {"a": a, "b": b}), _CONTEXT).outcome
    if isinstance(outcome, ToolSucceeded):
        assert math.isfinite(outcome.result["result"])
        assert all(isinstance(outcome.result[name], float) for name in ("result", "a", "b"))
    else:
        assert "too large" in outcome.message or (tool == "divide" and b == 0)


def test_the_weather_in_tokyo() -> None:
    assert _run("get_weather", location="Tokyo") == {
        "location": "Tokyo",
        "temperature": 14,
        "units": "celsius",
        "conditions": "windy",
        "humidity": 64,
        "wind_speed_kmh": 29,
        "timestamp": "2026-02-27T23:30:05+00:00",
    }


def test_the_weather_in_fahrenheit() -> None:
    weather = _run("get_weather", location="Tokyo", units="fahrenheit")
    assert (weather["temperature"], weather["units"]) == (57.2, "fahrenheit")


def test_the_forecast_goes_day_by_day_from_today() -> None:
    forecast = _run("get_forecast", location="Tokyo")
    assert forecast["days"] == 3
    # 534, 541 and 548, by hand.
    assert forecast["forecast"] == [
        {
            "date": "2026-02-27",
            "high": 14,
            "low": 2,
            "conditions": "windy",
            "precipitation_chance": 34,
        },
        {
            "date": "2026-02-28",
            "high": 21,
            "low": 12,
            "conditions": "partly cloudy",
            "precipitation_chance": 41,
        },
        {
            "date": "2026-03-01",
            "high": 28,
            "low": 17,
            "conditions": "rainy",
            "precipitation_chance": 48,
        },
    ]


@given(
    st.text(min_size=1, max_size=200),
    st.integers(min_value=1, max_value=7),
    st.sampled_from(["celsius", "fahrenheit"]),
)
def test_the_first_day_of_a_forecast_agrees_with_the_weather(
    location: str, days: int, units: str
) -> None:
    weather = _run("get_weather", location=location, units=units)
    forecast = _run("get_forecast", location=location, units=units, days=days)["forecast"]
    assert len(forecast) == days
    assert forecast[0]["high"] == weather["temperature"]
    assert forecast[0]["conditions"] == weather["conditions"]
    assert all(day["low"] < day["high"] for day in forecast)


def test_days_may_be_written_as_a_float() -> None:
    forecast = _run("get_forecast", location="Tokyo", days=2.0)
    assert len(forecast["forecast"]) == forecast["days"] == 2


@pytest.mark.parametrize("days", [0, 8, 2.5, "3", True])
def test_days_are_one_to_seven(days: object) -> None:
    assert "Argument days " in _fail("get_forecast", location="Tokyo", days=days)


def test_a_place_must_have_a_name() -> None:
    assert "Argument location is missing." in _fail("get_weather")
    assert "Argument location " in _fail("get_weather", location="")

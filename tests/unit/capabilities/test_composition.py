from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from common.domain.capability_catalog import ALIASES, CAPABILITIES
from tests.fakes.services import unconnected_services
from worker.capabilities.capability import (
    Capability,
    SideEffect,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.registry import CapabilityGrant, built_capabilities, compose

_BUILT = built_capabilities(unconnected_services())


def _nothing(_arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
    return ToolSucceeded(None)


def _tool(name: str, *, description: str) -> Tool:
    return Tool(name, name, description, {"type": "object"}, SideEffect.PURE, _nothing)


def _grants(*refs: str) -> list[CapabilityGrant]:
    return [CapabilityGrant(ref) for ref in refs]


def test_prompts_and_tools_keep_the_configured_order() -> None:
    composed = compose(_grants("test_weather", "noop", "test_math"), built=_BUILT)
    assert [grant.ref for grant in composed.grants] == ["test_weather", "noop", "test_math"]
    assert list(composed.tools) == [
        *("get_weather", "get_forecast"),
        *("add", "subtract", "multiply", "divide"),
    ]
    weather, math = composed.prompts
    assert "get_weather" in weather
    assert "get_forecast" in weather
    assert all(name in math for name in ("add", "subtract", "multiply", "divide"))


def test_nothing_granted_is_nothing_composed() -> None:
    composed = compose([], built=_BUILT)
    assert (composed.grants, composed.prompts, dict(composed.tools)) == ((), (), {})


def test_what_is_coming_soon_or_unknown_contributes_nothing() -> None:
    composed = compose(_grants("web_fetch", "virtual_bash", "from_the_future"), built=_BUILT)
    assert composed == compose([], built=_BUILT)


def test_duplicates_collapse_to_the_first_place_with_the_last_config() -> None:
    composed = compose(
        [
            CapabilityGrant("noop", {"a": 1}),
            CapabilityGrant("test_math"),
            CapabilityGrant("noop", {"b": 2}),
        ],
        built=_BUILT,
    )
    assert composed.grants == (CapabilityGrant("noop", {"b": 2}), CapabilityGrant("test_math"))


def test_an_alias_and_its_id_are_duplicates() -> None:
    built = {"bashkit_shell": Capability("bashkit_shell", (), system_prompt="Shell.")}
    composed = compose(_grants("virtual_bash", "bashkit_shell"), built=built)
    assert composed.grants == (CapabilityGrant("bashkit_shell"),)
    assert composed.prompts == ("Shell.",)
    assert compose(_grants("virtual_bash"), built=built) == composed


def test_the_first_of_two_tools_of_one_name_wins_and_the_log_says_so() -> None:
    first, second = _tool("add", description="first"), _tool("add", description="second")
    built = {"one": Capability("one", (first,)), "two": Capability("two", (second,))}
    with capture_logs() as logs:
        composed = compose(_grants("one", "two"), built=built)
    assert composed.tools["add"] is first
    assert logs == [
        {"event": "tool_name_taken", "log_level": "warning", "tool": "add", "capability": "two"}
    ]


def test_a_grant_is_read_from_its_stored_form() -> None:
    assert CapabilityGrant.from_json({"ref": "noop"}) == CapabilityGrant("noop", {})
    stored = {"ref": "noop", "config": {"x": 1}}
    assert CapabilityGrant.from_json(stored) == CapabilityGrant("noop", {"x": 1})


@given(st.lists(st.sampled_from([*CAPABILITIES, *ALIASES, "unknown"])))
def test_composing_what_was_composed_changes_nothing(refs: list[str]) -> None:
    composed = compose(_grants(*refs), built=_BUILT)
    assert compose(composed.grants, built=_BUILT) == composed
    assert len({grant.ref for grant in composed.grants}) == len(composed.grants)

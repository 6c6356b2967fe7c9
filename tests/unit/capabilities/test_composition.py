from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from common.domain.capability_catalog import ALIASES, CAPABILITIES, CapabilityInfo
from tests.conditions import wait_until
from tests.fakes.scopes import scope_for
from tests.fakes.services import unconnected_services
from worker.capabilities.capability import (
    Capability,
    Contribution,
    Scope,
    SideEffect,
    Tool,
    ToolContext,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.composition import CapabilityGrant, Composition
from worker.capabilities.composition import compose as compose_for
from worker.capabilities.preparation import Preparation
from worker.capabilities.registry import built_capabilities

_BUILT = built_capabilities(unconnected_services())


def _nothing(_arguments: Mapping[str, Any], _context: ToolContext) -> ToolOutcome:
    return ToolSucceeded(None)


def _tool(name: str, *, description: str) -> Tool:
    return Tool(name, name, description, {"type": "object"}, SideEffect.PURE, _nothing)


def _adds_nothing(_config: Mapping[str, Any], _scope: Scope, /) -> Contribution:
    return Contribution()


def compose(grants: Iterable[CapabilityGrant], *, built: Mapping[str, Capability]) -> Composition:
    return compose_for(grants, built=built, scope_for=scope_for)


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
    composed = compose(_grants("research", "virtual_bash", "from_the_future"), built=_BUILT)
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


# --- what depends on others ----------------------------------------------------


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "base": _entry("base"),
        "middle": _entry("middle", "base"),
        "top": _entry("top", "middle", "missing"),
        "ring_a": _entry("ring_a", "ring_b"),
        "ring_b": _entry("ring_b", "ring_a"),
    }
    monkeypatch.setattr("worker.capabilities.composition.find_capability", entries.get)


def _entry(capability_id: str, *dependencies: str) -> CapabilityInfo:
    return CapabilityInfo(id=capability_id, name="", description="", dependencies=dependencies)


def _named(*ids: str) -> dict[str, Capability]:
    return {each: Capability(each, system_prompt=each.upper()) for each in ids}


@pytest.mark.usefixtures("catalogue")
def test_what_a_capability_depends_on_is_granted_before_it() -> None:
    composed = compose(_grants("top"), built=_named("base", "middle", "top"))
    assert composed.prompts == ("BASE", "MIDDLE", "TOP")


@pytest.mark.usefixtures("catalogue")
def test_a_dependency_that_is_granted_itself_keeps_its_config() -> None:
    built = _named("base", "middle")
    first = compose([CapabilityGrant("base", {"x": 1}), CapabilityGrant("middle")], built=built)
    last = compose([CapabilityGrant("middle"), CapabilityGrant("base", {"x": 1})], built=built)
    assert first.grants == last.grants == (CapabilityGrant("base", {"x": 1}), _grants("middle")[0])


@pytest.mark.usefixtures("catalogue")
def test_capabilities_that_depend_on_each_other_are_both_granted() -> None:
    composed = compose(_grants("ring_a"), built=_named("ring_a", "ring_b"))
    assert sorted(composed.prompts) == ["RING_A", "RING_B"]


# --- what is prepared ------------------------------------------------------------


def test_a_capability_is_prepared_with_its_config_and_its_scope() -> None:
    seen: list[tuple[Mapping[str, Any], Scope]] = []

    def prepare(config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        seen.append((config, scope))
        return Contribution(tools=(_tool("made", description="made"),), system_prompt="Made.")

    fixed = _tool("fixed", description="fixed")
    built = {"one": Capability("one", (fixed,), "Fixed.", prepare)}
    composed = compose([CapabilityGrant("one", {"k": 1})], built=built)
    assert seen == [({"k": 1}, scope_for("one"))]
    assert list(composed.tools) == ["fixed", "made"]
    assert composed.owners == {"fixed": "one", "made": "one"}
    assert composed.prompts == ("Fixed.\n\nMade.",)


def test_a_capability_that_cannot_be_prepared_costs_the_others_nothing() -> None:
    def prepare(_config: Mapping[str, Any], _scope: Scope, /) -> Contribution:
        raise ValueError("secret")

    built = {
        "broken": Capability("broken", (_tool("lost", description=""),), "Lost.", prepare),
        "whole": Capability("whole", (_tool("kept", description=""),)),
    }
    with capture_logs() as logs:
        composed = compose(_grants("broken", "whole"), built=built)
    assert (list(composed.tools), composed.prompts) == (["kept"], ())
    (line,) = logs
    assert (line["event"], line["error"]) == ("capability_not_prepared", "ValueError")
    assert "secret" not in str(logs)


def test_a_capability_that_is_late_costs_the_others_nothing() -> None:
    seen: list[Scope] = []

    def waits(_config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        seen.append(scope)
        wait_until(scope.is_stopped, description="nobody waits any more")
        raise ValueError("too late to be heard")

    def made(_config: Mapping[str, Any], _scope: Scope, /) -> Contribution:
        return Contribution(system_prompt="Made.")

    built = {"late": Capability("late", prepare=waits), "made": Capability("made", prepare=made)}
    with capture_logs() as logs:
        composed = compose_for(
            _grants("late", "made"),
            built=built,
            scope_for=scope_for,
            preparation=Preparation(seconds=1.0),
        )
    assert composed.prompts == ("Made.",)
    assert seen[0].is_stopped()
    (line,) = logs
    assert (line["event"], line["capability"]) == ("capability_not_prepared", "late")


def test_what_is_prepared_may_come_out_otherwise_another_time() -> None:
    built = {
        "fixed": Capability("fixed", system_prompt="Fixed."),
        "made": Capability("made", prepare=_adds_nothing),
    }
    assert not compose(_grants("fixed"), built=built).is_prepared
    assert compose(_grants("fixed", "made"), built=built).is_prepared


def test_a_family_is_prepared_for_the_member_that_was_granted() -> None:
    def prepare(_config: Mapping[str, Any], scope: Scope, /) -> Contribution:
        return Contribution(system_prompt=scope.capability_id)

    built = {"mcp:": Capability("mcp:", prepare=prepare)}
    composed = compose(_grants("mcp:1", "mcp:2"), built=built)
    assert composed.prompts == ("mcp:1", "mcp:2")
    assert [grant.ref for grant in composed.grants] == ["mcp:1", "mcp:2"]

import pytest
from jsonschema import Draft202012Validator

from common.domain.capability_catalog import (
    ALIASES,
    CAPABILITIES,
    CapabilityStatus,
    canonical_id,
    is_known_capability,
)
from tests.fakes.services import unconnected_services
from worker.capabilities.registry import built_capabilities

_BUILT = built_capabilities(unconnected_services())

_FIXED_IDS = [
    *("noop", "current_time", "test_math", "test_weather"),
    *("session_file_system", "web_fetch", "stateless_todo_list", "bashkit_shell"),
    *("session", "session_storage", "session_sql_database", "session_schedule"),
    *("subagents", "skills", "ask_user", "agent_instructions"),
    *("compaction", "infinity_context", "budgeting", "loop_detection"),
    *("guardrails", "error_disclosure", "tool_call_repair", "tool_search"),
    *("prompt_caching", "research", "sandbox", "fake_warehouse"),
    *("fake_aws", "fake_crm", "fake_financial"),
]


def test_what_is_built_is_what_is_available() -> None:
    available = {
        each.id for each in CAPABILITIES.values() if each.status is CapabilityStatus.AVAILABLE
    }
    assert {each for each in _BUILT if not each.endswith(":")} == available
    assert {"noop", "current_time", "test_math", "test_weather"} <= available


@pytest.mark.parametrize("capability_id", sorted(set(_BUILT) & set(CAPABILITIES)))
def test_the_tools_are_those_that_the_catalogue_lists(capability_id: str) -> None:
    capability, entry = _BUILT[capability_id], CAPABILITIES[capability_id]
    if capability.prepare is None:
        assert tuple(tool.name for tool in capability.tools) == entry.tool_names
        assert capability.system_prompt == entry.system_prompt
    for tool in capability.tools:
        declared = entry.tool(tool.name)
        assert (tool.display_name, tool.description) == (
            declared.display_name,
            declared.description,
        )
        assert tool.parameters is declared.parameters


def test_every_declared_schema_is_one() -> None:
    for entry in CAPABILITIES.values():
        Draft202012Validator.check_schema(entry.config_schema)
        for tool in entry.tools:
            Draft202012Validator.check_schema(tool.parameters)


@pytest.mark.parametrize("capability_id", _FIXED_IDS)
def test_every_fixed_id_is_known(capability_id: str) -> None:
    assert is_known_capability(capability_id)
    assert CAPABILITIES[capability_id].id == capability_id


def test_an_alias_means_another_id() -> None:
    assert is_known_capability("virtual_bash")
    assert canonical_id("virtual_bash") == "bashkit_shell"
    assert canonical_id("noop") == "noop"
    assert all(meant in CAPABILITIES for meant in ALIASES.values())
    assert not set(ALIASES) & set(CAPABILITIES)


@pytest.mark.parametrize(
    "ref",
    ["", "nope", "NOOP", "mcp:nope", "declarative:mine", "mcp:"],
)
def test_other_references_are_not_known(ref: str) -> None:
    assert not is_known_capability(ref)


def test_tool_names_are_unique() -> None:
    names = [name for each in CAPABILITIES.values() for name in each.tool_names]
    assert len(names) == len(set(names))

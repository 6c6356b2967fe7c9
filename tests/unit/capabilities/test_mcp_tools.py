import re
import time
from typing import Any

import mcp_types
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.mcp_names import NAME_CHARACTERS, offered_name
from common.domain.mcp_server import problem_of_header, server_of
from worker.capabilities.argument_schema import ArgumentSchema
from worker.capabilities.capability import SideEffect, ToolFailed, ToolSucceeded
from worker.capabilities.mcp_servers.results import outcome_of
from worker.capabilities.mcp_servers.schema import NODES, tidy_schema
from worker.capabilities.mcp_servers.tools import SCHEMA_BYTES, ListedTool, listed

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


# --- names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "tool", "offered"),
    [
        ("Tools", "add", "mcp_tools__add"),
        ("My Tools!", "get-it_2", "mcp_my-tools__get-it_2"),
        ("a_b", "add", "mcp_a_b__add"),
        ("a b", "add", "mcp_a-b__add"),
        ("Größe", "add", "mcp_grosse_7bc6306b__add"),
        ("日本", "add", "mcp_server_ce47dfba__add"),
    ],
)
def test_a_tools_name_says_whose_it_is(server: str, tool: str, offered: str) -> None:
    assert offered_name(server, tool) == offered


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_every_name_fits_what_models_take(server: str, tool: str) -> None:
    name = offered_name(server, tool)
    assert _SAFE.fullmatch(name)
    assert name == offered_name(server, tool)
    assert len(name) <= NAME_CHARACTERS


@given(st.sets(st.text(min_size=1, max_size=100), min_size=2, max_size=10))
def test_tools_of_one_server_keep_different_names(tools: set[str]) -> None:
    assert len({offered_name("S", tool) for tool in tools}) == len(tools)


@pytest.mark.parametrize(
    "ref",
    ["mcp:", "mcp:x", "noop", "mcp", "mcp:00000000000000000000000000000007", "MCP:" + "0" * 32],
)
def test_a_reference_that_names_no_server(ref: str) -> None:
    assert server_of(ref) is None


# --- what a server lists ------------------------------------------------------------


def tool(name: str = "t", **fields: Any) -> mcp_types.Tool:
    return mcp_types.Tool(name=name, **{"input_schema": {"type": "object"}, **fields})


@pytest.mark.parametrize(
    ("hints", "side_effect"),
    [
        (None, SideEffect.AT_MOST_ONCE),
        ({}, SideEffect.AT_MOST_ONCE),
        ({"destructive_hint": False}, SideEffect.AT_MOST_ONCE),
        ({"idempotent_hint": True}, SideEffect.IDEMPOTENT),
        ({"read_only_hint": True}, SideEffect.PURE),
        ({"read_only_hint": False, "idempotent_hint": False}, SideEffect.AT_MOST_ONCE),
    ],
)
def test_only_what_a_server_vouches_for_is_repeated(
    hints: dict[str, Any] | None, side_effect: SideEffect
) -> None:
    annotations = None if hints is None else mcp_types.ToolAnnotations(**hints)
    (found,) = listed([tool(annotations=annotations)])
    assert found.side_effect is side_effect


def test_a_listed_tool_is_cut_to_size_and_comes_back_from_storage() -> None:
    (found,) = listed([tool(title="T" * 500, description="d\0" * 5000)])

    assert (len(found.title), len(found.description)) == (200, 4000)
    assert "\0" not in found.description
    assert ListedTool.from_json(orjson.loads(orjson.dumps(found.to_json()))) == found


def test_of_two_tools_of_one_name_the_first_counts() -> None:
    found = listed([tool(description="one"), tool(description="two"), tool("x" * 300)])
    assert [each.description for each in found] == ["one"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": 5}}},
        {"type": "object", "description": "x" * SCHEMA_BYTES},
        {"type": "object", "properties": {"a": {"const": float("nan") and "\0"}}},
        {"type": "object", "properties": {"a": {"minimum": 10**30}}},
    ],
)
def test_a_schema_that_cannot_be_used_takes_any_object(schema: dict[str, Any]) -> None:
    (found,) = listed([tool(input_schema=schema)])
    assert found.parameters == {"type": "object"}


# --- strangers' schemas ----------------------------------------------------------------


def test_references_are_written_out() -> None:
    tidied = tidy_schema(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {"$ref": {"$ref": "#/$defs/A"}, "definitions": {"type": "string"}},
            "required": ["$ref"],
            "$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/B"}}, "B": {"enum": [1]}},
        }
    )
    assert tidied == {
        "type": "object",
        "properties": {
            "$ref": {"type": "array", "items": {"enum": [1]}},
            "definitions": {"type": "string"},
        },
        "required": ["$ref"],
    }


@pytest.mark.parametrize(
    "ref",
    ["https://example.com/schema.json", "file:///etc/passwd", "#anchor", "#/$defs/none", "#", 5],
)
def test_what_a_reference_elsewhere_means_is_left_open(ref: object) -> None:
    tidied = tidy_schema({"type": "object", "properties": {"a": {"$ref": ref}}})
    assert tidied["properties"] == {"a": {}}


def test_a_circle_ends_where_it_closes() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    tidied = tidy_schema({"$ref": "#/$defs/Node", "$defs": {"Node": node}})
    assert tidied == {"type": "object", "properties": {"next": {}}}


def nodes(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(nodes, value.values()))
    return 1 + sum(map(nodes, value)) if isinstance(value, list) else 1


def test_references_to_references_do_not_explode() -> None:
    doubled = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(60)
    }
    began = time.monotonic()

    tidied = tidy_schema({"$ref": "#/$defs/d0", "$defs": {**doubled, "d60": {"type": "object"}}})
    ArgumentSchema(tidied).problems({"a": 1})

    assert nodes(tidied) <= 3 * NODES
    assert time.monotonic() - began < 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$ref", "properties", "type", "allOf", "items", "$defs", "enum", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5))
def test_any_schema_becomes_one_of_an_object(schema: dict[str, Any]) -> None:
    assert tidy_schema(schema)["type"] == "object"
    (found,) = listed([tool(input_schema=schema)])
    assert ArgumentSchema(found.parameters).problems({"x": 1}) is not None


# --- results -----------------------------------------------------------------------------


def text(words: str) -> mcp_types.TextContent:
    return mcp_types.TextContent(type="text", text=words)


def result(*content: Any, **fields: Any) -> mcp_types.CallToolResult:
    return mcp_types.CallToolResult(content=list(content), **fields)


_IMAGE = mcp_types.ImageContent(type="image", data="QUJD", mime_type="image/png")
_LINK = mcp_types.ResourceLink(type="resource_link", uri="file:///a", name="a")


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (result(text("hi")), {"result": "hi"}),
        (result(text("hi"), structured_content={"result": "hi"}), {"result": "hi"}),
        (result(text('{"a":1}'), structured_content={"a": 1}), {"result": '{"a":1}'}),
        (
            result(text("see"), structured_content={"a": 1}),
            {"result": "see", "structured_content": {"a": 1}},
        ),
        (result(structured_content={"a": 1}), {"content": [], "structured_content": {"a": 1}}),
        (
            result(text("a"), _IMAGE, _LINK),
            {
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image", "mime_type": "image/png", "size": 3},
                    {"type": "resource_link", "uri": "file:///a", "name": "a"},
                ]
            },
        ),
    ],
)
def test_a_result_as_the_model_sees_it(answer: mcp_types.CallToolResult, shown: object) -> None:
    assert outcome_of(answer) == ToolSucceeded(shown)


def test_an_error_is_a_failure_in_the_servers_words() -> None:
    assert outcome_of(result(text("no"), text("paper"), is_error=True)) == ToolFailed("no\npaper")
    silent = outcome_of(result(is_error=True))
    assert isinstance(silent, ToolFailed)
    assert silent.message


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("X-Team", "red", True),
        ("Authorization", "Bearer x", True),
        ("Cookie", "a=b; c=d", True),
        ("X Team", "red", False),
        ("", "red", False),
        ("Host", "other", False),
        ("Mcp-Session-Id", "x", False),
        ("idempotency-key", "x", False),
        ("X-Team", "", False),
        ("X-Team", "a\nb", False),
        ("X-Team", "é", False),
        ("X-Team", 5, False),
    ],
)
def test_a_header_of_the_callers(name: str, value: object, *, fine: bool) -> None:
    assert (problem_of_header(name, value) is None) is fine

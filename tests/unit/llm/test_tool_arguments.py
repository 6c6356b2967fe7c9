import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.llm.tool_arguments import LONGEST_MALFORMED, tool_call

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    st.lists,
    max_leaves=5,
)


@given(st.dictionaries(st.text(), _JSON))
def test_an_object_is_read(arguments: dict[str, object]) -> None:
    call = tool_call("id", "name", json.dumps(arguments))
    assert (call.arguments, call.malformed) == (arguments, None)


@pytest.mark.parametrize("raw", ["", " ", "\n"])
def test_nothing_is_no_arguments(raw: str) -> None:
    call = tool_call("id", "name", raw)
    assert (call.arguments, call.malformed) == ({}, None)


@pytest.mark.parametrize(
    "raw", ['{"a": ', "[1]", '"text"', "null", "1", "{'a': 1}", "[" * 100_000, '{"a": 1} and so on']
)
def test_anything_else_is_kept_as_it_is_but_cut(raw: str) -> None:
    call = tool_call("id", "name", raw)
    assert (call.id, call.name, call.arguments) == ("id", "name", {})
    assert call.malformed == raw[:LONGEST_MALFORMED]

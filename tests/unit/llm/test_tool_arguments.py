import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.turn import ToolCall
from worker.llm.sizes import LONGEST_ARGUMENTS
from worker.llm.tool_arguments import (
    CUT_OFF,
    LONGEST_MALFORMED,
    TOO_LONG,
    CallParts,
    tool_call,
    written_calls,
)

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


@pytest.mark.parametrize("raw", ["", " ", '{"a": ', '{"a": "b'])
def test_what_was_cut_off_is_not_taken_for_whole(raw: str) -> None:
    call = tool_call("id", "name", raw, is_cut=True)
    assert (call.arguments, call.malformed, call.fault) == ({}, raw, CUT_OFF)


def test_what_is_whole_is_not_taken_for_cut_off() -> None:
    call = tool_call("id", "name", '{"a": 1}', is_cut=True)
    assert (call.arguments, call.malformed, call.fault) == ({"a": 1}, None, None)


def _parts(*pieces: str) -> CallParts:
    parts = CallParts("id", "name")
    for piece in pieces:
        parts.add(piece)
    return parts


def test_arguments_come_in_pieces() -> None:
    parts = _parts('{"a"', ": 1", "}")
    assert parts.has_arguments
    assert parts.to_call() == ToolCall("id", "name", {"a": 1})
    parts.rewrite('{"a": 2}')
    assert parts.to_call() == ToolCall("id", "name", {"a": 2})
    assert not CallParts("id", "name").has_arguments


@pytest.mark.parametrize("piece", ["x" * 1000, "é" * 500, "y" * (LONGEST_ARGUMENTS + 1)])
def test_arguments_without_end_are_malformed_and_not_kept(piece: str) -> None:
    parts = _parts('{"a": "', *[piece] * (LONGEST_ARGUMENTS // 1000 + 1), '"}')
    assert sum(map(len, parts._pieces)) <= LONGEST_ARGUMENTS
    call = parts.to_call()
    assert (call.arguments, call.fault) == ({}, TOO_LONG)
    assert call.malformed is not None
    assert 0 < len(call.malformed) <= LONGEST_MALFORMED


def test_arguments_at_the_bound_are_read() -> None:
    text = "x" * (LONGEST_ARGUMENTS - len('{"a":""}'))
    assert _parts('{"a":"', text, '"}').to_call().arguments == {"a": text}


def test_of_an_answer_that_was_cut_off_only_the_last_call_may_not_be_whole() -> None:
    first, last = written_calls([_parts(), _parts()], is_cut=True)
    assert (first.malformed, last.malformed, last.fault) == (None, "", CUT_OFF)
    assert written_calls([], is_cut=True) == ()
    whole = written_calls([_parts(), _parts()], is_cut=False)
    assert [call.malformed for call in whole] == [None, None]

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from worker.capabilities.argument_schema import ArgumentSchema


def _problems(of_list: dict[str, Any], items: list[Any]) -> list[str]:
    schema = {"type": "object", "properties": {"a": {"type": "array", **of_list}}}
    return ArgumentSchema(schema).problems({"a": items})


_VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, 1.5, 1e300, "", "1", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.lists(_VALUES, max_size=5))
def test_the_same_items_are_found_as_the_standard_means_it(items: list[Any]) -> None:
    is_unique = Draft202012Validator({"uniqueItems": True}).is_valid(items)
    assert bool(_problems({"uniqueItems": True}, items)) is not is_unique
    assert _problems({"uniqueItems": False}, items) == []


@pytest.mark.parametrize(
    "of_list",
    [
        {"uniqueItems": True},
        {"contains": {"type": "object"}, "unevaluatedItems": {"type": "object"}},
    ],
)
def test_a_long_list_is_checked_in_time(of_list: dict[str, Any]) -> None:
    # By comparing each with each this took minutes.
    items = [{"i": number} for number in range(50_000)]
    began = time.monotonic()
    assert _problems(of_list, items) == []
    assert time.monotonic() - began < 5

"""What a model asks tools for is made storable at the driver's border."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.turn import ToolCall
from worker.llm.driver import ThinkingBlock
from worker.llm.tool_arguments import LONGEST_MALFORMED
from worker.turn.reasoning import storable_thinking, with_own_ids


def test_names_and_arguments_are_made_storable() -> None:
    (call,) = with_own_ids(
        (ToolCall("c1", "lo\x00ok", {"q\ud800": ["a\x00b", 1.5, None]}),), set(), lambda: "own"
    )
    assert call == ToolCall("c1", "lo�ok", {"q�": ["a�b", 1.5, None]})


def _nested(depth: int) -> object:
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
        (2**70, "beyond 64 bits"),
        (10**4000, "beyond 64 bits"),
        (_nested(500), "nested deeper"),
        (object(), "not JSON"),
    ],
    ids=["nan", "infinite", "2**70", "huge", "deep", "no json"],
)
def test_arguments_that_cannot_be_stored_are_that_call_s_trouble_alone(
    value: object, problem: str
) -> None:
    calls = (ToolCall("c1", "look", {"q": value}), ToolCall("c2", "look", {"q": 1}))
    refused, fine = with_own_ids(calls, set(), lambda: "own")
    assert (refused.id, refused.name, refused.arguments) == ("c1", "look", {})
    assert refused.malformed is not None
    assert len(refused.malformed) <= LONGEST_MALFORMED
    assert refused.fault is not None
    assert problem in refused.fault
    assert fine == calls[1]
    assert ToolCall.from_json(orjson.loads(orjson.dumps(refused.to_json()))) == refused


def test_what_a_provider_wants_back_can_be_stored() -> None:
    block = ThinkingBlock("a\x00", "anthropic", {"signature": "s\ud800"})
    (kept,) = storable_thinking((block,))
    assert (kept.text, kept.replay) == ("a\ufffd", {"signature": "s\ufffd"})


_ids = st.one_of(
    st.sampled_from(["", "call_1", "call_2", "own_1", "\x00", "\ufffd"]), st.text(max_size=3)
)


@given(given_ids=st.lists(_ids, max_size=6), used=st.sets(_ids, max_size=4))
def test_ids_are_unique_in_the_session_and_kept_where_they_can_be(
    given_ids: list[str], used: set[str]
) -> None:
    fresh = iter(f"fresh_{n}_{'x' * 10}" for n in range(10))
    calls = tuple(ToolCall(each, f"tool{n}", {"n": n}) for n, each in enumerate(given_ids))
    named = with_own_ids(calls, used, lambda: next(fresh))
    ids = [call.id for call in named]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & used
    assert "" not in ids
    assert [(call.name, call.arguments) for call in named] == [
        (call.name, call.arguments) for call in calls
    ]
    for position, (call, before) in enumerate(zip(named, given_ids, strict=True)):
        if before and before.isascii() and before.isprintable() and before not in used:
            is_first = before not in ids[:position]
            assert (call.id == before) == is_first


def test_names_can_be_stored() -> None:
    (call,) = with_own_ids((ToolCall("a\x00", "tool\ud800", {}),), set(), lambda: "never")
    assert (call.id, call.name) == ("a\ufffd", "tool\ufffd")


def test_when_not_all_ids_are_known_each_call_gets_its_own() -> None:
    calls = (ToolCall("call_1", "a", {}), ToolCall("call_2", "b", {}))
    fresh = iter(("own_1", "own_2"))
    assert [call.id for call in with_own_ids(calls, None, lambda: next(fresh))] == [
        "own_1",
        "own_2",
    ]

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.llm.driver import FailureReason
from worker.llm.llmsim.json_reader import InvalidSimulation
from worker.llm.llmsim.settings import (
    GREETING,
    CallRule,
    CallSequence,
    ConditionalCalls,
    Echo,
    Empty,
    ErrorKind,
    Failing,
    Fixed,
    FixedCalls,
    Lorem,
    ModelNotAvailable,
    OnExhausted,
    Response,
    Scripted,
    ScriptedTurn,
    SimulatedCall,
    SimulatedFailure,
    Simulation,
    TextSequence,
    parse_simulation,
)

_ADD = {"name": "add", "arguments": {"a": 1, "b": 2}}
_ADD_CALL = SimulatedCall("add", {"a": 1, "b": 2})


def _failed(message: str) -> SimulatedFailure:
    return SimulatedFailure(FailureReason.PROCESSING_ERROR, message)


_WORDS = st.sampled_from(
    [
        *("type", "response", "text", "texts", "turns", "tool_calls", "error", "echo", "fixed"),
        *("lorem", "target_tokens", "sequence", "scripted", "conditional", "rules", "steps"),
        *("name", "contains", "arguments", "on_exhausted"),
        *("first_token_delay_ms", "tokens_per_second", "thinking", "finish_reason", "kind"),
        *("fail_times", "retry_after_seconds", "malformed", "malformed_arguments"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_an_empty_object_is_an_instant_echo() -> None:
    assert parse_simulation({}) == Simulation(
        response=Echo(), tool_calls=None, first_token_delay_ms=0, tokens_per_second=0
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"type": "echo"}, Echo()),
        ({"type": "fixed"}, Fixed(GREETING)),
        ({"type": "fixed", "text": "Hi"}, Fixed("Hi")),
        ({"type": "lorem"}, Lorem(100)),
        ({"type": "lorem", "target_tokens": 7}, Lorem(7)),
        ({"type": "sequence", "texts": ["one", ""]}, TextSequence(("one", ""))),
        ({"type": "empty"}, Empty()),
        ({"type": "error"}, Failing(_failed("simulated failure"))),
        ({"type": "error", "message": "boom"}, Failing(_failed("boom"))),
        ({"type": "model_not_available"}, ModelNotAvailable()),
        (
            {"type": "scripted", "turns": [{"text": "a"}], "on_exhausted": "loop"},
            Scripted((ScriptedTurn("a"),), OnExhausted.LOOP),
        ),
        (
            {"type": "scripted", "turns": [{"tool_calls": [_ADD]}, {"error": "rate_limit"}]},
            Scripted(
                (
                    ScriptedTurn(tool_calls=(_ADD_CALL,)),
                    ScriptedTurn(error=SimulatedFailure(ErrorKind.RATE_LIMIT)),
                ),
                OnExhausted.REPEAT_LAST,
            ),
        ),
    ],
)
def test_each_response_type_is_read(raw: dict[str, Any], expected: Response) -> None:
    assert parse_simulation({"response": raw}).response == expected


def test_each_plan_of_tool_calls_is_read() -> None:
    def plan(raw: dict[str, Any]) -> object:
        return parse_simulation({"tool_calls": raw}).tool_calls

    assert plan({"type": "fixed", "tool_calls": [_ADD]}) == FixedCalls((_ADD_CALL,))
    assert plan({"type": "sequence", "steps": [[_ADD], []]}) == CallSequence(((_ADD_CALL,), ()))
    assert plan(
        {"type": "conditional", "rules": [{"contains": "sum", "tool_calls": [_ADD]}]}
    ) == ConditionalCalls((CallRule("sum", (_ADD_CALL,)),))
    with_id = {"type": "fixed", "tool_calls": [{"name": "noop", "id": "call_x"}]}
    assert plan(with_id) == FixedCalls((SimulatedCall("noop", {}, "call_x"),))


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ([], "llmsim"),
        ({"respnse": {}}, "llmsim.respnse"),
        ({"response": "echo"}, "llmsim.response"),
        ({"response": {}}, "llmsim.response.type"),
        ({"response": {"type": "shout"}}, "llmsim.response.type"),
        ({"response": {"type": ["echo"]}}, "llmsim.response.type"),
        ({"response": {"type": "echo", "text": "x"}}, "llmsim.response.text"),
        ({"response": {"type": "fixed", "text": 1}}, "llmsim.response.text"),
        ({"response": {"type": "lorem", "target_tokens": 0}}, "llmsim.response.target_tokens"),
        ({"response": {"type": "lorem", "target_tokens": 1.5}}, "llmsim.response.target_tokens"),
        (
            {"response": {"type": "lorem", "target_tokens": 10**400}},
            "llmsim.response.target_tokens",
        ),
        ({"response": {"type": "sequence", "texts": []}}, "llmsim.response.texts"),
        ({"response": {"type": "sequence", "texts": ["a", 1]}}, "llmsim.response.texts[1]"),
        ({"response": {"type": "scripted"}}, "llmsim.response.turns"),
        ({"response": {"type": "scripted", "turns": [{}]}}, "llmsim.response.turns[0]"),
        (
            {"response": {"type": "scripted", "turns": [{"error": "fire"}]}},
            "llmsim.response.turns[0].error",
        ),
        (
            {"response": {"type": "scripted", "turns": [{"tool_calls": [{"name": ""}]}]}},
            "llmsim.response.turns[0].tool_calls[0].name",
        ),
        (
            {
                "response": {"type": "scripted", "turns": [{"text": "a"}]},
                "tool_calls": {"type": "fixed", "tool_calls": []},
            },
            "llmsim.tool_calls",
        ),
        ({"tool_calls": [_ADD]}, "llmsim.tool_calls"),
        ({"tool_calls": {"type": "fixed"}}, "llmsim.tool_calls.tool_calls"),
        ({"tool_calls": {"type": "sequence", "steps": []}}, "llmsim.tool_calls.steps"),
        ({"thinking": 1}, "llmsim.thinking"),
        ({"finish_reason": ""}, "llmsim.finish_reason"),
        ({"response": {"type": "error", "kind": "fire"}}, "llmsim.response.kind"),
        ({"response": {"type": "error", "fail_times": -1}}, "llmsim.response.fail_times"),
        (
            {"response": {"type": "scripted", "turns": [{"error": {"fail_times": 1}}]}},
            "llmsim.response.turns[0].error.kind",
        ),
        (
            {"tool_calls": {"type": "fixed", "tool_calls": [{**_ADD, "malformed": "x"}]}},
            "llmsim.tool_calls.tool_calls[0].arguments",
        ),
        (
            {
                "tool_calls": {
                    "type": "fixed",
                    "tool_calls": [{"name": "a", "malformed_arguments": 1}],
                }
            },
            "llmsim.tool_calls.tool_calls[0].malformed_arguments",
        ),
        ({"first_token_delay_ms": -1}, "llmsim.first_token_delay_ms"),
        ({"first_token_delay_ms": True}, "llmsim.first_token_delay_ms"),
        ({"tokens_per_second": float("nan")}, "llmsim.tokens_per_second"),
        ({"tokens_per_second": 1e-300}, "llmsim.tokens_per_second"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(raw: object, path: str) -> None:
    with pytest.raises(InvalidSimulation) as caught:
        parse_simulation(raw)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@given(_VALUES)
def test_nothing_but_its_own_error_is_raised(raw: object) -> None:
    try:
        parsed = parse_simulation(raw)
    except InvalidSimulation:
        return
    assert isinstance(parsed, Simulation)


@given(st.fixed_dictionaries({"type": _WORDS}, optional={"text": _VALUES, "turns": _VALUES}))
def test_nothing_but_its_own_error_is_raised_inside_a_response(raw: dict[str, Any]) -> None:
    for key in ("response", "tool_calls"):
        try:
            parse_simulation({key: raw})
        except InvalidSimulation:
            continue

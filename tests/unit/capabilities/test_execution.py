from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from common.domain.text import is_storable
from common.domain.turn import ToolCall
from worker.capabilities.capability import (
    OUTCOME_UNKNOWN,
    SideEffect,
    Tool,
    ToolContext,
    ToolFailed,
    ToolOutcome,
    ToolSucceeded,
)
from worker.capabilities.execution import INTERNAL_ERROR, Executed, ToolExecutor
from worker.capabilities.tool_result import RESULT_LIMIT_BYTES, capped_json, storable_json

_CONTEXT = ToolContext(
    organization_id=UUID(int=1),
    session_id=UUID(int=2),
    workspace_id=UUID(int=3),
    turn_id=UUID(int=4),
    tool_call_id="call_0_0",
    idempotency_key="key",
    timeout_seconds=10,
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "maxLength": 1000},
        "edits": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"old": {"type": "string"}, "new": {"type": "string"}},
                "required": ["old", "new"],
            },
        },
    },
    "required": ["path"],
    "additionalProperties": False,
}


class _Probe:
    """A tool that returns or raises what it is given and remembers its calls."""

    def __init__(self, outcome: ToolOutcome | BaseException) -> None:
        self.calls: list[tuple[Mapping[str, Any], ToolContext]] = []
        self._outcome = outcome

    def __call__(self, arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome:
        self.calls.append((arguments, context))
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def run(self, arguments: dict[str, Any] | None = None, **promises: Any) -> Executed:
        tool = Tool("probe", "Probe", "", _SCHEMA, SideEffect.PURE, self, **promises)
        ticks = iter([10.0, 10.25])
        executor = ToolExecutor({"probe": tool}, monotonic=lambda: next(ticks))
        given_arguments = {"path": "/a"} if arguments is None else arguments
        return executor.run(ToolCall("call_0_0", "probe", given_arguments), _CONTEXT)


def _kept(result: object) -> ToolOutcome:
    return _Probe(ToolSucceeded(result)).run().outcome


def _size(value: object) -> int:
    return len(orjson.dumps(value))


def test_a_call_gives_the_tools_result_and_its_duration() -> None:
    probe = _Probe(ToolSucceeded({"x": [1, 2.5, None, True, "é"]}))
    executed = probe.run({"path": "/b"})
    assert executed == Executed(ToolSucceeded({"x": [1, 2.5, None, True, "é"]}), 250)
    assert probe.calls == [({"path": "/b"}, _CONTEXT)]


def test_an_unknown_tool_is_named() -> None:
    outcome = ToolExecutor({}).run(ToolCall("c", "frobnicate", {}), _CONTEXT).outcome
    assert outcome == ToolFailed("There is no tool named frobnicate.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Argument path is missing."),
        ({"path": 1}, "Argument path is wrong: 1 is not of type 'string'."),
        ({"path": "/a", "mode": "x"}, "Argument mode is not known."),
        (
            {"path": "/a", "edits": [{"old": "", "new": ""}, {}]},
            "Argument edits[1].old is missing. Argument edits[1].new is missing.",
        ),
        (
            {"path": "/a", "edits": [{"old": 1, "new": ""}]},
            "Argument edits[0].old is wrong: 1 is not of type 'string'.",
        ),
    ],
)
def test_wrong_arguments_are_named_and_the_tool_not_run(
    arguments: dict[str, Any], message: str
) -> None:
    probe = _Probe(ToolSucceeded(None))
    assert probe.run(arguments).outcome == ToolFailed(message)
    assert probe.calls == []


def test_the_message_about_a_long_argument_is_short_and_says_what_is_wrong() -> None:
    outcome = _Probe(ToolSucceeded(None)).run({"path": "x" * 100_000}).outcome
    assert isinstance(outcome, ToolFailed)
    assert len(outcome.message) < 300
    assert "too long" in outcome.message


def test_a_tool_that_raises_is_a_bug_whose_message_nobody_sees() -> None:
    with capture_logs() as logs:
        outcome = _Probe(ValueError("secret of /a")).run({"path": "/a-private"}).outcome
    assert outcome == ToolFailed(INTERNAL_ERROR)
    (line,) = logs
    assert (line["event"], line["tool"], line["error"]) == ("tool_raised", "probe", "ValueError")
    assert "test_execution" in line["at"][-1]
    assert "secret" not in str(logs)
    assert "private" not in str(logs)


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        float("inf"),
        {"x": [float("-inf")]},
        {1: "a"},
        {"x": {1, 2}},
        b"raw",
        object(),
        datetime(2026, 1, 1, tzinfo=UTC),
        2**64,
        -(2**63) - 1,
    ],
)
def test_a_result_that_is_not_json_is_a_bug(result: object) -> None:
    with capture_logs() as logs:
        assert _kept(result) == ToolFailed(INTERNAL_ERROR)
    assert logs[0]["error"] == "NotStorable"


def test_a_result_that_contains_itself_is_a_bug() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with capture_logs() as logs:
        assert _kept(endless) == ToolFailed(INTERNAL_ERROR)
    assert logs[0]["error"] == "NotStorable"


def test_texts_and_keys_become_storable() -> None:
    assert _kept({"a\x00": "\ud83d\ude00 \ud800", "t": ("x",)}) == ToolSucceeded(
        {"a�": "😀 �", "t": ["x"]}
    )
    failed = _Probe(ToolFailed("no \x00")).run().outcome
    assert failed == ToolFailed("no �")


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    outcome = _kept("é" * 100_000)
    assert isinstance(outcome, ToolSucceeded)
    assert outcome.result.endswith("é\n[truncated: the whole text has 200000 bytes]")
    assert RESULT_LIMIT_BYTES - 4 < _size(outcome.result) <= RESULT_LIMIT_BYTES


def test_an_object_that_is_too_large_becomes_a_marked_piece_of_its_json() -> None:
    outcome = _kept({"lines": ['say "hi"'] * 20_000})
    assert isinstance(outcome, ToolSucceeded)
    assert outcome.result["truncated"] is True
    assert outcome.result["size_bytes"] == _size({"lines": ['say "hi"'] * 20_000})
    assert outcome.result["content"].startswith('{"lines":["say \\"hi\\"",')
    assert RESULT_LIMIT_BYTES - 4 < _size(outcome.result) <= RESULT_LIMIT_BYTES


def test_a_long_failure_is_cut_as_well() -> None:
    outcome = _Probe(ToolFailed("x" * 1_000_000)).run().outcome
    assert isinstance(outcome, ToolFailed)
    assert len(outcome.message) <= 8 * 1024
    assert outcome.message.endswith("[truncated: the whole text has 1000000 bytes]")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for each in value for text in _texts(each)]
        case dict():
            return [*value, *(text for each in value.values() for text in _texts(each))]
        case _:
            return []


@given(_JSON)
def test_any_json_becomes_storable_and_stays_so(value: object) -> None:
    kept = storable_json(value)
    assert storable_json(kept) == kept
    assert orjson.loads(orjson.dumps(kept)) == kept
    assert all(is_storable(text) for text in _texts(kept))


@given(_JSON, st.integers(min_value=100, max_value=400))
def test_what_is_capped_fits_and_what_fits_is_not_touched(value: object, limit: int) -> None:
    kept = storable_json(value)
    capped = capped_json(kept, limit_bytes=limit)
    assert _size(capped) <= limit
    if _size(kept) <= limit:
        assert capped is kept
    else:
        assert capped != kept


# --- arguments that are no JSON, or that the tool checks ---------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"path": "/a"',
            (
                "The arguments were not valid JSON: Expecting ',' delimiter at line 1, column 14."
                " The arguments must be a JSON object."
            ),
        ),
        ("[1]", "The arguments must be a JSON object."),
    ],
)
def test_arguments_that_are_no_json_object_are_an_error_that_says_where(
    text: str, message: str
) -> None:
    probe = _Probe(ToolSucceeded(None))
    tool = Tool("probe", "Probe", "", {"type": "object"}, SideEffect.PURE, probe)
    call = ToolCall("c", "probe", {}, malformed=text)
    assert ToolExecutor({"probe": tool}).run(call, _CONTEXT).outcome == ToolFailed(message)
    assert probe.calls == []


def test_a_tool_that_checks_its_arguments_itself_gets_them_unchecked() -> None:
    probe = _Probe(ToolSucceeded(None))
    probe.run({"unknown": 1}, checks_arguments=True)
    assert probe.calls == [({"unknown": 1}, _CONTEXT)]


def test_a_tool_has_its_own_limit_of_output() -> None:
    outcome = _Probe(ToolSucceeded("x" * 500)).run(output_limit_bytes=200).outcome
    assert isinstance(outcome, ToolSucceeded)
    assert _size(outcome.result) <= 200
    assert "truncated" in outcome.result


@pytest.mark.timeout(10)
def test_a_pattern_that_would_take_for_ever_is_matched_at_once() -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}, "patternProperties": {"(a+)+$": {}}}
    tool = Tool("probe", "Probe", "", schema, SideEffect.PURE, _Probe(ToolSucceeded(None)))
    call = ToolCall("c", "probe", {"a": "a" * 50 + "!", "a" * 50 + "!": 1})
    outcome = ToolExecutor({"probe": tool}).run(call, _CONTEXT).outcome
    assert isinstance(outcome, ToolFailed)
    assert "does not match" in outcome.message


# --- calls of a worker that is gone (I5) --------------------------------------------


def _resume(tool: Tool | None) -> ToolOutcome:
    tools = {} if tool is None else {"probe": tool}
    call = ToolCall("c", "probe", {"path": "/a"})
    return ToolExecutor(tools).run(call, _CONTEXT, is_resumed=True).outcome


def _asked(found: ToolOutcome | BaseException | None, probe: _Probe) -> Tool:
    def reconcile(arguments: Mapping[str, Any], context: ToolContext, /) -> ToolOutcome | None:
        assert (arguments, context) == ({"path": "/a"}, _CONTEXT)
        if isinstance(found, BaseException):
            raise found
        return found

    return Tool("probe", "Probe", "", _SCHEMA, SideEffect.RECONCILE, probe, reconcile=reconcile)


@pytest.mark.parametrize("kind", [SideEffect.PURE, SideEffect.IDEMPOTENT])
def test_a_call_that_may_be_repeated_is(kind: SideEffect) -> None:
    probe = _Probe(ToolSucceeded(1))
    assert _resume(Tool("probe", "Probe", "", _SCHEMA, kind, probe)) == ToolSucceeded(1)
    assert len(probe.calls) == 1


def test_a_call_that_took_effect_gets_the_result_that_it_had() -> None:
    probe = _Probe(ToolSucceeded("new"))
    assert _resume(_asked(ToolSucceeded("had"), probe)) == ToolSucceeded("had")
    assert _resume(_asked(ToolFailed("refused"), probe)) == ToolFailed("refused")
    assert probe.calls == []


def test_a_call_that_surely_did_not_is_made() -> None:
    probe = _Probe(ToolSucceeded("new"))
    assert _resume(_asked(None, probe)) == ToolSucceeded("new")
    assert len(probe.calls) == 1


def test_a_call_of_which_nothing_can_be_found_out_is_not_repeated() -> None:
    probe = _Probe(ToolSucceeded("new"))
    with capture_logs() as logs:
        assert _resume(_asked(ConnectionError("secret"), probe)) == ToolFailed(OUTCOME_UNKNOWN)
    assert probe.calls == []
    assert "secret" not in str(logs)


def test_a_call_whose_tool_is_gone_or_promises_less_now_is_not_repeated() -> None:
    probe = _Probe(ToolSucceeded("new"))
    tool = Tool("probe", "Probe", "", _SCHEMA, SideEffect.AT_MOST_ONCE, probe)
    assert _resume(tool) == _resume(None) == ToolFailed(OUTCOME_UNKNOWN)
    assert probe.calls == []


def test_a_tool_cannot_promise_to_be_asked_without_saying_how() -> None:
    probe = _Probe(ToolSucceeded(None))
    with pytest.raises(ValueError, match="reconcile"):
        Tool("probe", "Probe", "", _SCHEMA, SideEffect.RECONCILE, probe)

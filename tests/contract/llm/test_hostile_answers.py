"""Answers that no provider should give, in every format: each has a defined outcome."""

from typing import Any

import pytest

from tests.contract.llm.playback import Answer, Playback
from tests.contract.llm.stage import KEY, REMOTE, Heard, a_request, hear
from tests.contract.llm.wire import (
    ANSWERS,
    ENDINGS,
    chat,
    chat_chunk,
    messages,
    response_end,
    responses,
)
from worker.llm.border import MOST_TOKENS
from worker.llm.driver import Endpoint, FailureReason
from worker.llm.sizes import LONGEST_ARGUMENTS, LONGEST_TOOL_NAME, MOST_CALLS, MOST_PARTS
from worker.llm.tool_arguments import CUT_OFF, TOO_LONG


def _hear(playback: Playback, provider_type: str) -> Heard:
    endpoint = Endpoint("provider_test", provider_type, playback.url, KEY)
    return hear(endpoint, a_request())


# --- types ---------------------------------------------------------------------------


def _call(call_id: Any = "c1", name: Any = "add", arguments: Any = "{}") -> Any:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]}


_TEXT_BLOCK = {"type": "content_block_start", "index": 0, "content_block": None}
_WRONG = [
    ("openai_completions", chat({"content": 5})),
    ("openai_completions", chat({"content": [5]})),
    ("openai_completions", chat({"content": {"a": 1}})),
    ("openai_completions", chat({"refusal": True})),
    ("openai_completions", chat(_call(call_id=77))),
    ("openai_completions", chat(_call(name=5))),
    ("openai_completions", chat(_call(arguments={"x": 1}))),
    ("openai_completions", chat({"content": "x"}, end=5)),  # type: ignore[arg-type]
    ("openai_completions", chat({"content": "x"}, end={"a": 1})),  # type: ignore[arg-type]
    ("openai_completions", [chat_chunk({"content": "x"}, "stop", model={"a": 1})]),
    ("openai_completions", [{"id": "c", "model": "m", "choices": {"a": 1}}]),
    ("openai_completions", [{"id": "c", "model": "m", "choices": ["x"]}]),
    ("openai", responses(5)),
    ("openai", responses(["x"])),
    ("openai", responses(calls=[(None, "add", ["{}"])])),
    ("openai", responses(calls=[("c1", 5, ["{}"])])),
    ("openai", responses(calls=[("c1", "add", [7])])),
    ("openai", [{"type": "response.completed"}]),
    ("anthropic", messages(["x"])),
    ("anthropic", messages(5)),
    ("anthropic", messages(calls=[(None, "add", ["{}"])])),
    ("anthropic", messages(calls=[("c1", None, ["{}"])])),
    ("anthropic", messages(calls=[("c1", "add", [7])])),
    ("anthropic", [_TEXT_BLOCK]),
    ("anthropic", messages("x", end=5)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("provider_type", "events"), _WRONG)
def test_values_of_another_type_are_an_answer_that_cannot_be_read(
    playback: Playback, provider_type: str, events: list[Any]
) -> None:
    playback.plays_events(*events)
    fault = _hear(playback, provider_type).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert "could not be read" in fault.detail


def test_text_in_parts_is_read_as_text(playback: Playback) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "thinking", "thinking": []}, {"text": "lo"}]
    playback.plays_events(*chat({"content": parts}, {"content": []}))
    assert _hear(playback, "openai_completions").text == "Hello"


_COUNTS = {
    "openai_completions": ("prompt_tokens", "completion_tokens"),
    "openai": ("input_tokens", "output_tokens"),
    "anthropic": ("input_tokens", "cache_read_input_tokens"),
}


@pytest.mark.parametrize("provider_type", REMOTE)
@pytest.mark.parametrize(
    ("count", "counted"),
    [
        ("five", 0),
        (-5, 0),
        (5.5, 5),
        (10**30, MOST_TOKENS),
        (2**62, MOST_TOKENS),
        ([1], 0),
        (None, 0),
    ],
    ids=str,
)
def test_usage_that_is_no_count_costs_no_answer(
    playback: Playback, provider_type: str, count: object, counted: int
) -> None:
    usage = dict.fromkeys(_COUNTS[provider_type], count)
    delta: Any = {"content": "Hello"} if provider_type == "openai_completions" else "Hello"
    playback.plays_events(*ANSWERS[provider_type](delta, usage=usage))
    heard = _hear(playback, provider_type)
    assert heard.text == "Hello"
    assert 0 <= heard.end.usage.input_tokens <= MOST_TOKENS
    assert heard.end.usage.input_tokens in (counted, 2 * counted)


@pytest.mark.parametrize("usage", [[1], "x", {}, 5])
def test_usage_of_another_shape_is_none(playback: Playback, usage: Any) -> None:
    playback.plays_events(*chat({"content": "Hello"}, usage=usage))
    assert _hear(playback, "openai_completions").end.usage.input_tokens == 0
    playback.plays_events(*responses("Hello", usage=usage))
    assert _hear(playback, "openai").end.usage.output_tokens == 0


# --- answers that end before their calls do ---------------------------------------------


_CUT = [
    (provider_type, ending)
    for provider_type, endings in ENDINGS.items()
    for kind, ending in endings.items()
    if kind in ("length", "filter")
]


@pytest.mark.parametrize("pieces", [[], [""], ['{"city": "To']], ids=["none", "empty", "half"])
@pytest.mark.parametrize(("provider_type", "ending"), _CUT)
def test_the_last_call_of_an_answer_that_was_cut_off_is_not_taken_for_whole(
    playback: Playback, provider_type: str, ending: str, pieces: list[str]
) -> None:
    calls = [("c1", "now", ["{}"]), ("c2", "get_weather", pieces)]
    playback.plays_events(*ANSWERS[provider_type](calls=calls, end=ending))
    whole, cut = _hear(playback, provider_type).end.tool_calls
    assert (whole.name, whole.arguments, whole.malformed) == ("now", {}, None)
    assert (cut.name, cut.arguments, cut.malformed) == ("get_weather", {}, "".join(pieces))
    assert cut.fault == CUT_OFF


@pytest.mark.parametrize(("provider_type", "ending"), _CUT)
def test_a_call_that_was_whole_before_the_cut_is_made(
    playback: Playback, provider_type: str, ending: str
) -> None:
    calls = [("c1", "get_weather", ['{"city": "Tokyo"}'])]
    playback.plays_events(*ANSWERS[provider_type](calls=calls, end=ending))
    (call,) = _hear(playback, provider_type).end.tool_calls
    assert (call.arguments, call.malformed) == ({"city": "Tokyo"}, None)


_REFUSED = [
    ("anthropic", messages(calls=[("c1", "add", ["{}"])], end="refusal")),
    (
        "openai_completions",
        chat({"refusal": "No."}, calls=[("c1", "add", ["{}"])], end="tool_calls"),
    ),
    ("openai_completions", chat(calls=[("c1", "add", ["{}"])], end="refusal")),
    (
        "openai",
        [
            {"type": "response.refusal.delta", "output_index": 0, "delta": "No."},
            *responses(calls=[("c1", "add", ["{}"])]),
        ],
    ),
]


@pytest.mark.parametrize(("provider_type", "events"), _REFUSED)
def test_nothing_is_done_of_an_answer_that_was_refused(
    playback: Playback, provider_type: str, events: list[Any]
) -> None:
    playback.plays_events(*events)
    end = _hear(playback, provider_type).end
    assert (end.finish_reason, end.tool_calls) == ("refusal", ())


# --- sizes ---------------------------------------------------------------------------


@pytest.mark.parametrize("provider_type", REMOTE)
def test_arguments_without_end_are_malformed(playback: Playback, provider_type: str) -> None:
    pieces = ['{"x": "', *["y" * (LONGEST_ARGUMENTS // 4)] * 5, '"}']
    playback.plays_events(*ANSWERS[provider_type](calls=[("c1", "add", pieces)]))
    (call,) = _hear(playback, provider_type).end.tool_calls
    assert (call.arguments, call.fault) == ({}, TOO_LONG)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_names_are_cut_and_ids_left_out_when_they_are_long(
    playback: Playback, provider_type: str
) -> None:
    playback.plays_events(*ANSWERS[provider_type](calls=[("i" * 100_000, "n" * 100_000, ["{}"])]))
    (call,) = _hear(playback, provider_type).end.tool_calls
    assert (call.id, call.name) == ("", "n" * LONGEST_TOOL_NAME)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_so_many_calls_are_made_and_no_more(playback: Playback, provider_type: str) -> None:
    calls = [(f"c{at}", "add", ["{}"]) for at in range(MOST_CALLS + 1)]
    playback.plays_events(*ANSWERS[provider_type](calls=calls))
    made = _hear(playback, provider_type).end.tool_calls
    assert [call.id for call in made] == [call_id for call_id, _, _ in calls[:MOST_CALLS]]


@pytest.mark.parametrize("provider_type", REMOTE)
def test_calls_without_end_are_not_collected(playback: Playback, provider_type: str) -> None:
    calls = [(f"c{at}", "add", ["{}"]) for at in range(MOST_PARTS + 1)]
    playback.plays_events(*ANSWERS[provider_type](calls=calls))
    fault = _hear(playback, provider_type).fault
    assert (fault.may_retry, "too large" in fault.detail) == (False, True)


_MIB = 1024 * 1024


@pytest.mark.parametrize("provider_type", REMOTE)
@pytest.mark.parametrize("status", [200, 400])
def test_a_line_without_end_is_not_read(
    playback: Playback, provider_type: str, status: int
) -> None:
    playback.plays(Answer(status=status, raw=b"data: " + b"x" * (17 * _MIB)))
    fault = _hear(playback, provider_type).fault
    assert (fault.reason, fault.may_retry) == (FailureReason.UNAVAILABLE, False)
    assert "too large" in fault.detail
    assert (fault.__cause__, fault.__context__) == (None, None)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_an_answer_without_end_is_not_read(playback: Playback, provider_type: str) -> None:
    playback.plays(Answer(raw=(b": " + b"x" * _MIB + b"\n\n") * 65))
    fault = _hear(playback, provider_type).fault
    assert (fault.may_retry, "too large" in fault.detail) == (False, True)


@pytest.mark.parametrize("provider_type", REMOTE)
def test_compression_is_not_asked_for_and_not_opened(
    playback: Playback, provider_type: str
) -> None:
    playback.plays(Answer(raw=b"bomb", headers={"content-encoding": "gzip"}))
    fault = _hear(playback, provider_type).fault
    assert (fault.may_retry, "compressed" in fault.detail) == (False, True)
    assert playback.received[0].headers["accept-encoding"] == "identity"


# --- a response without deltas -----------------------------------------------------------


_SAID = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello.", "annotations": []}],
}
_CALLED = {
    "type": "function_call",
    "id": "fc",
    "call_id": "c1",
    "name": "add",
    "arguments": '{"a": 1}',
}
_THOUGHT = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "ENC"}


def _done(index: int, item: Any) -> Any:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


@pytest.mark.parametrize(
    "events",
    [
        [_done(0, _THOUGHT), _done(1, _SAID), _done(2, _CALLED), response_end()],
        [response_end(_THOUGHT, _SAID, _CALLED)],
        [
            _done(0, _THOUGHT),
            _done(1, _SAID),
            _done(2, _CALLED),
            response_end(_THOUGHT, _SAID, _CALLED),
        ],
        [*responses("Hel", "lo.")[:-1], _done(0, _SAID), response_end(_THOUGHT, _SAID, _CALLED)],
    ],
    ids=["items", "response", "both", "deltas too"],
)
def test_what_comes_only_whole_is_told_once(playback: Playback, events: list[Any]) -> None:
    playback.plays_events(*events)
    heard = _hear(playback, "openai")
    assert heard.text == "Hello."
    assert [(call.id, call.arguments) for call in heard.end.tool_calls] == [("c1", {"a": 1})]
    assert [block.replay["encrypted_content"] for block in heard.end.thinking] == ["ENC"]
    assert heard.end.finish_reason == "tool_calls"


def test_a_refusal_that_comes_only_whole_is_one(playback: Playback) -> None:
    refused = {**_SAID, "content": [{"type": "refusal", "refusal": "I will not."}]}
    playback.plays_events(response_end(refused))
    heard = _hear(playback, "openai")
    assert (heard.text, heard.end.finish_reason) == ("I will not.", "refusal")

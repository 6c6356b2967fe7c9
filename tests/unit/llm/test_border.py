"""What a driver may yield, and what becomes of anything else."""

import threading
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.events import Usage
from common.domain.turn import ToolCall
from tests.unit.llm.requests import a_request
from worker.llm.border import MOST_TOKENS, answer_of, token_count
from worker.llm.driver import (
    FailureReason,
    ImageLimits,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolDeclaration,
)
from worker.llm.sizes import LONGEST_ID, LONGEST_TOOL_NAME, MOST_CALLS
from worker.llm.tool_names import legal_name


class _Driver:
    """Yields what it is given, and notes whether its stream was closed."""

    image_limits = ImageLimits()

    def __init__(self, *items: Any) -> None:
        self._items = items
        self.is_closed = False

    def stream(self, _request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
        try:
            for item in self._items:
                assert not stop.is_set()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.is_closed = True


def _heard(*items: Any, request: LLMRequest | None = None) -> list[Streamed]:
    driver = _Driver(*items)
    return list(answer_of(driver, request or a_request(), stop=threading.Event()))


def _reply(**fields: Any) -> Any:
    return Reply(**{"usage": Usage(1, 2), "finish_reason": "stop", "model": "m", **fields})


def _read(**fields: Any) -> Reply:
    (reply,) = _heard(_reply(**fields))
    assert isinstance(reply, Reply)
    return reply


def test_what_is_in_order_passes_as_it_is() -> None:
    call = ToolCall("c1", "add", {"a": 1}, malformed="x", fault="y")
    thought = ThinkingBlock("hm", "anthropic", {"signature": "s"})
    items = [
        ThinkingDelta("hm"),
        TextDelta("Hello"),
        _reply(tool_calls=(call,), thinking=(thought,), response_id="r1"),
    ]
    assert _heard(*items) == items


@pytest.mark.parametrize(
    "item",
    [
        TextDelta(5),  # type: ignore[arg-type]  # all of these as an SDK passes them on
        TextDelta(True),  # type: ignore[arg-type]  # noqa: FBT003
        TextDelta([{"text": "a"}]),  # type: ignore[arg-type]
        ThinkingDelta(None),  # type: ignore[arg-type]
        "text",
        _reply(finish_reason=5),
        _reply(model={"a": 1}),
        _reply(response_id=7),
        _reply(tool_calls=(ToolCall(77, "add", {}),)),  # type: ignore[arg-type]
        _reply(tool_calls=(ToolCall(None, "add", {}),)),  # type: ignore[arg-type]
        _reply(tool_calls=(ToolCall("c", 5, {}),)),  # type: ignore[arg-type]
        _reply(tool_calls=(ToolCall("c", "add", []),)),  # type: ignore[arg-type]
        _reply(tool_calls=5),
        _reply(usage=None),
        _reply(thinking=(ThinkingBlock(5, "x"),)),  # type: ignore[arg-type]
        _reply(thinking=(ThinkingBlock("", "x", "y"),)),  # type: ignore[arg-type]
        RuntimeError("secret"),
        RecursionError(),
    ],
    ids=repr,
)
def test_what_is_of_another_type_is_an_answer_that_cannot_be_read(item: Any) -> None:
    with pytest.raises(LLMFailure) as caught:
        _heard(item)
    failure = caught.value
    assert (failure.reason, failure.may_retry) == (FailureReason.UNAVAILABLE, True)
    assert failure.detail.startswith("the answer could not be read")
    assert "secret" not in failure.detail
    assert (failure.__cause__, failure.__context__) == (None, None)


def test_a_driver_that_does_not_even_begin_has_failed() -> None:
    class _None:
        image_limits = ImageLimits()

        def stream(self, _request: LLMRequest, *, stop: Stop) -> Generator[Streamed, None, None]:
            raise TypeError(stop)

    with pytest.raises(LLMFailure):
        list(answer_of(_None(), a_request(), stop=threading.Event()))


def test_a_failure_of_the_driver_s_own_stays_what_it_is() -> None:
    mine = LLMFailure(FailureReason.RATE_LIMITED, "slow", may_retry=True, retry_after_seconds=3)
    with pytest.raises(LLMFailure) as caught:
        _heard(mine)
    assert caught.value is mine


def test_closing_it_closes_the_driver_s_stream() -> None:
    driver = _Driver(TextDelta("a"), TextDelta("b"))
    stream = answer_of(driver, a_request(), stop=threading.Event())
    next(stream)
    assert not driver.is_closed
    stream.close()
    assert driver.is_closed


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (5, 5),
        (0, 0),
        (-5, 0),
        (5.7, 5),
        (-0.5, 0),
        (10**30, MOST_TOKENS),
        (10**400, MOST_TOKENS),
        (float("inf"), MOST_TOKENS),
        (float("nan"), 0),
        ("5", 0),
        (True, 0),
        (None, 0),
        ([1], 0),
    ],
)
def test_a_count_of_tokens_is_one_that_can_be_stored(told: object, counted: int) -> None:
    assert token_count(told) == counted
    usage = Usage(told, told, told, told)  # type: ignore[arg-type]  # as a driver passes it on
    assert _read(usage=usage).usage == Usage(counted, counted, counted, counted)


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
def test_no_count_is_ever_out_of_bounds(told: object) -> None:
    assert 0 <= token_count(told) <= MOST_TOKENS


def test_words_are_made_storable_and_short() -> None:
    reply = _read(model="m\x00\ud800" + "x" * 1000, finish_reason="y" * 1000, response_id="\x00")
    assert reply.model.startswith("m��x")
    assert len(reply.model) == LONGEST_ID
    assert len(reply.finish_reason) < 1000
    assert reply.response_id == "�"
    assert _read(model="").model == a_request().model


def test_names_and_ids_of_calls_are_no_longer_than_anybody_needs() -> None:
    (call,) = _read(tool_calls=(ToolCall("i" * 100_000, "n" * 1_000_000, {}),)).tool_calls
    assert call.name == "n" * LONGEST_TOOL_NAME
    assert call.id == "", "the turn gives it one of its own"


def test_calls_beyond_any_need_are_left_out() -> None:
    calls = tuple(ToolCall(f"c{at}", "add", {}) for at in range(MOST_CALLS + 50))
    assert _read(tool_calls=calls).tool_calls == calls[:MOST_CALLS]


def test_a_tool_that_was_offered_under_another_name_is_called_by_its_own() -> None:
    dotted = ToolDeclaration("files.read", "", {})
    calls = (ToolCall("c1", legal_name("files.read"), {}), ToolCall("c2", "files_read", {}))
    (reply,) = _heard(_reply(tool_calls=calls), request=a_request(tools=(dotted,)))
    assert isinstance(reply, Reply)
    assert [call.name for call in reply.tool_calls] == ["files.read", "files_read"]

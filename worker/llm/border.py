"""What drivers say, checked before anybody else hears it.

The SDKs do not validate what a provider sends, so any value may be of any type and any
size.  Here, for every driver, an answer of the wrong shape becomes an `LLMFailure`, as
does whatever a driver raises while it is read.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Final

from common.domain.events import Usage
from common.domain.text import storable
from common.domain.turn import ToolCall
from worker.llm.driver import (
    FailureReason,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
)
from worker.llm.sizes import LONGEST_ID, LONGEST_TOOL_NAME, LONGEST_WORD, MOST_CALLS
from worker.llm.tool_names import legal_name

MOST_TOKENS: Final = 2**31 - 1


def answer_of(
    driver: LLMDriver, request: LLMRequest, *, stop: Stop
) -> Generator[Streamed, None, None]:
    """Yield what the driver does; closing it closes the driver's stream.

    Raises:
        LLMFailure: no answer, none to the end, or none that can be read.
    """
    failure: LLMFailure
    try:
        with closing(driver.stream(request, stop=stop)) as stream:
            while (item := next(stream, None)) is not None:
                yield _checked(item, request)
            return
    except LLMFailure:
        raise
    except Exception as bug:  # noqa: BLE001 - whatever reading a value of the wrong type ends in
        failure = _unreadable(bug)
    # Outside of the handler: what was raised may hold the response, so it is not chained.
    raise failure


def token_count(value: object) -> int:
    """A provider's count of tokens within what can be stored; 0 for what is no count."""
    match value:
        case bool():
            return 0
        case int():
            return min(max(value, 0), MOST_TOKENS)
        case float() if not math.isnan(value):
            return int(min(max(value, 0.0), MOST_TOKENS))
        case _:
            return 0


def _unreadable(bug: Exception) -> LLMFailure:
    detail = f"the answer could not be read: {type(bug).__name__}"
    return LLMFailure(FailureReason.UNAVAILABLE, detail, may_retry=True)


def _checked(item: Streamed, request: LLMRequest) -> Streamed:
    match item:
        case TextDelta(text=str()) | ThinkingDelta(text=str()):
            return item
        case Reply():
            return _checked_reply(item, request)
        case _:
            raise TypeError


def _checked_reply(reply: Reply, request: LLMRequest) -> Reply:
    declared = {legal_name(tool.name): tool.name for tool in request.tools}
    calls = (_checked_call(call, declared) for call in reply.tool_calls[:MOST_CALLS])
    return replace(
        reply,
        usage=_checked_usage(reply.usage),
        finish_reason=_text(reply.finish_reason)[:LONGEST_WORD],
        model=_text(reply.model)[:LONGEST_ID] or request.model,
        tool_calls=tuple(calls),
        response_id=None if reply.response_id is None else _text(reply.response_id)[:LONGEST_ID],
        thinking=tuple(map(_checked_thought, reply.thinking)),
    )


def _checked_usage(usage: Usage) -> Usage:
    return Usage(
        input_tokens=token_count(usage.input_tokens),
        output_tokens=token_count(usage.output_tokens),
        cache_read_tokens=token_count(usage.cache_read_tokens),
        cache_creation_tokens=token_count(usage.cache_creation_tokens),
    )


def _checked_call(call: ToolCall, declared: Mapping[str, str]) -> ToolCall:
    if not isinstance(call.arguments, dict):
        raise TypeError
    call_id, name = _text(call.id), _text(call.name)[:LONGEST_TOOL_NAME]
    # An id that nobody would write is as good as none: the turn makes its own.
    short_id = call_id if len(call_id) <= LONGEST_ID else ""
    return replace(call, id=short_id, name=declared.get(name, name))


def _checked_thought(block: ThinkingBlock) -> ThinkingBlock:
    if not isinstance(block.replay, Mapping):
        raise TypeError
    _text(block.text)
    return block


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return storable(value)

"""Effect: one model call, its thinking and text streamed as they come.

The one layer that retries a model (contract 5.4): before the first piece was shown only,
with jitter, honouring the provider's own wish, and not against an open circuit.  To a
circuit a call with its retries is one: it is asked once and told how the last of them ended.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Final, Protocol

from common.domain.text import StorableStream, storable
from common.domain.turn import ToolCall
from worker.capabilities.tool_result import NotStorable, storable_json
from worker.lease import Lease
from worker.llm.border import answer_of
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
)
from worker.llm.tool_arguments import LONGEST_MALFORMED
from worker.turn.failure import REFUSED
from worker.turn.outcome import ModelAnswer, ModelFailure

MAX_RETRIES: Final = 2
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_JITTER: Final = 0.25


class Interrupted(Exception):
    """The call was stopped from outside: the lease is lost or the worker shuts down."""


class TextSink(Protocol):
    """Where thinking and text go while they are being written."""

    def add(self, text: str) -> None: ...

    def think(self, text: str) -> bool:
        """Take in thinking; False when it can no longer be shown as it comes."""
        ...


class Circuit(Protocol):
    """Whether a provider is to be called, after what became of the last calls to it."""

    def allows_call(self) -> bool: ...

    def note(self, reason: FailureReason | None) -> None:
        """Take in how a call ended, None for well."""
        ...


class ClosedCircuit:
    """Lets every call through."""

    def allows_call(self) -> bool:
        return True

    def note(self, reason: FailureReason | None) -> None:
        """Nothing comes of it."""


class CallStop:
    """Set when the lease says stop or the call's own deadline has passed."""

    def __init__(self, lease: Lease, *, deadline_seconds: float) -> None:
        self._lease = lease
        self._deadline = time.monotonic() + deadline_seconds

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self._deadline

    def is_set(self) -> bool:
        return self._lease.stop.is_set() or self.is_late

    def wait(self, timeout: float | None = None, /) -> bool:
        left = max(0.0, self._deadline - time.monotonic())
        self._lease.stop.wait(left if timeout is None else min(timeout, left))
        return self.is_set()


class _Attempt:
    """One try of a call: what has come of it so far.

    Attributes:
        late: thinking that could not be streamed.
        first_piece_at: when the first text or thinking was there.
        is_shown: whether any of it was shown; thinking that is late was not.
    """

    def __init__(self, sink: TextSink) -> None:
        self._sink = sink
        self._clean = StorableStream()
        self._clean_thinking = StorableStream()
        self._has_thought = False
        self.parts: list[str] = []
        self.late: list[str] = []
        self.first_piece_at: float | None = None
        self.is_shown = False

    def take(self, stream: Iterator[Streamed], stop: Stop) -> Reply | None:
        """Read the stream to its end; None when it was stopped before."""
        for item in stream:
            if isinstance(item, Reply):
                self._end(item)
                return item
            if stop.is_set():
                return None
            if isinstance(item, TextDelta):
                self._emit(self._clean.feed(item.text))
            else:
                self._has_thought = True
                self._think(self._clean_thinking.feed(item.text))
        return None

    def _end(self, reply: Reply) -> None:
        if not self._has_thought:
            # Of a provider that tells its thinking only afterwards.
            for block in reply.thinking:
                self._think(self._clean_thinking.feed(block.text))
        self._end_thinking()
        self._emit(self._clean.close())
        if reply.finish_reason == "refusal" and not self.parts and not reply.tool_calls:
            self._emit(REFUSED)

    def _end_thinking(self) -> None:
        self._think(self._clean_thinking.close())

    def _emit(self, text: str) -> None:
        if not text:
            return
        if not self.parts:
            self._end_thinking()
        self._note_piece()
        self.is_shown = True
        self.parts.append(text)
        self._sink.add(text)

    def _think(self, text: str) -> None:
        if not text:
            return
        self._note_piece()
        if self._sink.think(text):
            self.is_shown = True
        else:
            self.late.append(text)

    def _note_piece(self) -> None:
        if self.first_piece_at is None:
            self.first_piece_at = time.monotonic()


class _Course:
    """How a call with its retries has gone so far, in time and number."""

    def __init__(self, request: LLMRequest) -> None:
        self._request = request
        self._began = time.monotonic()
        self.retries = 0
        self.waited = 0.0

    def answered(self, reply: Reply, attempt: _Attempt) -> ModelAnswer:
        first = attempt.first_piece_at
        return ModelAnswer(
            text="".join(attempt.parts),
            calls=reply.tool_calls,
            usage=reply.usage,
            model=reply.model,
            finish_reason=reply.finish_reason,
            response_id=reply.response_id,
            duration_ms=_milliseconds(time.monotonic() - self._began),
            first_token_ms=None if first is None else _milliseconds(first - self._began),
            retries=self.retries,
            waited_ms=_milliseconds(self.waited),
            thinking=reply.thinking,
            late_thinking="".join(attempt.late),
        )

    def failed(self, failure: LLMFailure, *, is_shown: bool) -> ModelFailure:
        return ModelFailure(
            reason=failure.reason,
            detail=storable(failure.detail),
            duration_ms=_milliseconds(time.monotonic() - self._began),
            model=self._request.model,
            retries=self.retries,
            waited_ms=_milliseconds(self.waited),
            is_shown=is_shown,
        )


def call_model(
    driver: LLMDriver,
    request: LLMRequest,
    *,
    sink: TextSink,
    lease: Lease,
    deadline_seconds: float,
    circuit: Circuit | None = None,
    jitter: Callable[[], float] = random.random,
    most_patience_seconds: float | None = None,
) -> ModelAnswer | ModelFailure:
    """Ask the model once, or up to three times while nothing has been shown.

    A provider that wants to be left alone for longer than `most_patience_seconds` is not
    asked again.

    Raises:
        Interrupted: stopped from outside; nothing is to be recorded.
        common.domain.errors.LeaseLost: what was to be shown could not be stored.
    """
    circuit = circuit or ClosedCircuit()
    stop = CallStop(lease, deadline_seconds=deadline_seconds)
    course = _Course(request)
    if not circuit.allows_call():
        return course.failed(_circuit_open(), is_shown=False)
    while True:
        attempt = _Attempt(sink)
        tried = replace(request, attempt=course.retries)
        outcome = _try_once(driver, tried, attempt, stop)
        if isinstance(outcome, Reply):
            circuit.note(None)
            return course.answered(outcome, attempt)
        if lease.stop.is_set():
            raise Interrupted
        pause = _pause(outcome, course.retries, jitter(), most=most_patience_seconds)
        is_last = attempt.is_shown or course.retries == MAX_RETRIES
        if pause is None or is_last or stop.wait(pause):
            if lease.stop.is_set():
                raise Interrupted
            circuit.note(outcome.reason)
            return course.failed(outcome, is_shown=attempt.is_shown)
        course.waited += pause
        course.retries += 1


def _circuit_open() -> LLMFailure:
    detail = "the provider failed too often: its circuit breaker is open, no call was made"
    return LLMFailure(FailureReason.UNAVAILABLE, detail)


def _try_once(
    driver: LLMDriver, request: LLMRequest, attempt: _Attempt, stop: CallStop
) -> Reply | LLMFailure:
    reply = None
    try:
        with closing(answer_of(driver, request, stop=stop)) as stream:
            reply = attempt.take(stream, stop)
    except LLMFailure as failure:
        # An answer that is whole stays so, however its connection is closed.
        if reply is None:
            return failure
    if reply is not None:
        return reply
    if stop.is_late:
        return LLMFailure(FailureReason.UNAVAILABLE, "the call took longer than its deadline")
    return LLMFailure(FailureReason.UNAVAILABLE, "the stream ended without a reply")


def _pause(failure: LLMFailure, retries: int, jitter: float, *, most: float | None) -> float | None:
    """Seconds to wait before the next try; None when there is no point in one."""
    if not failure.may_retry:
        return None
    pause: float = min(_FIRST_PAUSE_SECONDS * 2.0**retries, _LONGEST_PAUSE_SECONDS)
    wish = failure.retry_after_seconds
    if wish is not None:
        if most is not None and wish > most:
            return None
        return min(max(wish, 0.0), _LONGEST_PAUSE_SECONDS)
    return pause * (1 - _JITTER + 2 * _JITTER * jitter)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def with_own_ids(
    calls: tuple[ToolCall, ...], used: set[str] | None, new_call_id: Callable[[], str]
) -> tuple[ToolCall, ...]:
    """The calls as they can be stored, every id that is empty or used already replaced.

    With `used` None, when nobody knows them all, every id is.
    """
    taken = set(used or ())
    named = []
    for call in calls:
        usable = "" if used is None else storable(call.id)
        call_id = usable if usable and usable not in taken else new_call_id()
        taken.add(call_id)
        named.append(_storable_call(replace(call, id=call_id, name=storable(call.name))))
    return tuple(named)


def _storable_call(call: ToolCall) -> ToolCall:
    """The call with arguments that can be stored, or malformed where no text of ours helps."""
    if call.malformed is not None:
        return replace(call, arguments={}, malformed=storable(call.malformed))
    try:
        return replace(call, arguments=storable_json(call.arguments))
    except NotStorable as problem:
        fault = f"The arguments cannot be used: they have {problem}. The call was not made."
        written = storable(_as_written(call.arguments))[:LONGEST_MALFORMED]
        return replace(call, arguments={}, malformed=written, fault=fault)


def _as_written(arguments: object) -> str:
    try:
        return json.dumps(arguments, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        return ""


def storable_thinking(blocks: tuple[ThinkingBlock, ...]) -> tuple[ThinkingBlock, ...]:
    """The blocks as they can be kept.

    Raises:
        worker.capabilities.tool_result.NotStorable: the provider's own part is not JSON.
    """
    return tuple(
        replace(block, text=storable(block.text), replay=storable_json(dict(block.replay)))
        for block in blocks
    )

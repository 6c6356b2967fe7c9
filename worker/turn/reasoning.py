"""Effect: one model call, its text streamed as it comes.

The one layer that retries a model (contract 5.4): before the first piece of text only,
with jitter, honouring the provider's own wish.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final, Protocol

from common.domain.text import StorableStream, storable
from common.domain.turn import ToolCall
from worker.capabilities.tool_result import storable_json
from worker.lease import Lease
from worker.llm.driver import (
    FailureReason,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    Reply,
    Stop,
    Streamed,
    TextDelta,
)
from worker.turn.outcome import ModelAnswer, ModelFailure

MAX_RETRIES: Final = 2
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_JITTER: Final = 0.25


class Interrupted(Exception):
    """The call was stopped from outside: the lease is lost or the worker shuts down."""


class TextSink(Protocol):
    """Where the text goes while it is being written."""

    def add(self, text: str) -> None: ...


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
    """One try of a call: what has come of it so far."""

    def __init__(self, sink: TextSink) -> None:
        self._sink = sink
        self._clean = StorableStream()
        self.parts: list[str] = []
        self.first_text_at: float | None = None

    def take(self, stream: Iterator[Streamed], stop: Stop) -> Reply | None:
        """Read the stream to its end; None when it was stopped before."""
        for item in stream:
            if isinstance(item, Reply):
                self._emit(self._clean.close())
                return item
            if stop.is_set():
                return None
            if isinstance(item, TextDelta):
                self._emit(self._clean.feed(item.text))
        return None

    def _emit(self, text: str) -> None:
        if not text:
            return
        if self.first_text_at is None:
            self.first_text_at = time.monotonic()
        self.parts.append(text)
        self._sink.add(text)


def call_model(
    driver: LLMDriver,
    request: LLMRequest,
    *,
    sink: TextSink,
    lease: Lease,
    deadline_seconds: float,
    jitter: Callable[[], float] = random.random,
) -> ModelAnswer | ModelFailure:
    """Ask the model once, or up to three times while nothing has been shown.

    Raises:
        Interrupted: stopped from outside; nothing is to be recorded.
    """
    stop = CallStop(lease, deadline_seconds=deadline_seconds)
    began = time.monotonic()
    waited = 0.0
    for retries in range(MAX_RETRIES + 1):
        attempt = _Attempt(sink)
        failure = _try_once(driver, request, attempt, stop)
        if isinstance(failure, Reply):
            return _answer(failure, attempt, began=began, retries=retries, waited=waited)
        if lease.stop.is_set():
            raise Interrupted
        pause = _pause(failure, retries, jitter())
        if pause is None or attempt.first_text_at is not None or retries == MAX_RETRIES:
            return _failed(failure, request, began=began, retries=retries, waited=waited)
        if stop.wait(pause):
            if lease.stop.is_set():
                raise Interrupted
            return _failed(failure, request, began=began, retries=retries, waited=waited)
        waited += pause
    raise AssertionError("the last retry returns")


def _try_once(
    driver: LLMDriver, request: LLMRequest, attempt: _Attempt, stop: CallStop
) -> Reply | LLMFailure:
    try:
        with closing(driver.stream(request, stop=stop)) as stream:
            reply = attempt.take(stream, stop)
    except LLMFailure as failure:
        return failure
    if reply is not None:
        return reply
    if stop.is_late:
        return LLMFailure(FailureReason.UNAVAILABLE, "the call took longer than its deadline")
    return LLMFailure(FailureReason.UNAVAILABLE, "the stream ended without a reply")


def _pause(failure: LLMFailure, retries: int, jitter: float) -> float | None:
    """Seconds to wait before the next try; None when there is no point in one."""
    if not failure.may_retry:
        return None
    pause: float = min(_FIRST_PAUSE_SECONDS * 2.0**retries, _LONGEST_PAUSE_SECONDS)
    if failure.retry_after_seconds is not None:
        return min(max(failure.retry_after_seconds, 0.0), _LONGEST_PAUSE_SECONDS)
    return pause * (1 - _JITTER + 2 * _JITTER * jitter)


def _answer(
    reply: Reply, attempt: _Attempt, *, began: float, retries: int, waited: float
) -> ModelAnswer:
    first = attempt.first_text_at
    return ModelAnswer(
        text="".join(attempt.parts),
        calls=reply.tool_calls,
        usage=reply.usage,
        model=reply.model,
        finish_reason=reply.finish_reason,
        response_id=reply.response_id,
        duration_ms=_milliseconds(time.monotonic() - began),
        first_token_ms=None if first is None else _milliseconds(first - began),
        retries=retries,
        waited_ms=_milliseconds(waited),
    )


def _failed(
    failure: LLMFailure, request: LLMRequest, *, began: float, retries: int, waited: float
) -> ModelFailure:
    return ModelFailure(
        reason=failure.reason,
        detail=storable(failure.detail),
        duration_ms=_milliseconds(time.monotonic() - began),
        model=request.model,
        retries=retries,
        waited_ms=_milliseconds(waited),
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def with_own_ids(
    calls: tuple[ToolCall, ...], used: set[str], new_call_id: Callable[[], str]
) -> tuple[ToolCall, ...]:
    """The calls as they can be stored, every id that is empty or used already replaced.

    Raises:
        worker.capabilities.tool_result.NotStorable: arguments that no text of ours can make so.
    """
    taken = set(used)
    named = []
    for call in calls:
        usable = storable(call.id)
        call_id = usable if usable and usable not in taken else new_call_id()
        taken.add(call_id)
        malformed = None if call.malformed is None else storable(call.malformed)
        arguments = storable_json(call.arguments)
        named.append(ToolCall(call_id, storable(call.name), arguments, malformed))
    return tuple(named)
